package io.afterimage.app.boot;

import io.afterimage.nbd.server.NbdServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A machine that runs while its disk moves to this host. Until all has moved it ends with us, however we end, since it could not read on; from then on it is on its own, and the server
 * ends.
 */
final class MigratingBoot {

    private static final Logger LOG = LoggerFactory.getLogger(MigratingBoot.class);
    private static final long GLANCE_MILLIS = 50;
    private static final long HANG_UP_SECONDS = 10;

    private final Migration migration;
    private final BootMigration move;
    private final LocalImage image;
    private final NbdServer server;
    private final Path monitor;
    private final Consumer<String> user;
    private volatile boolean moved;

    MigratingBoot(Writes.Migrated migrated, NbdServer server, Path folder, Consumer<String> user) {
        migration = migrated.migration();
        move = migrated.ended();
        image = migration.image();
        this.server = server;
        monitor = BootOptions.monitor(folder);
        this.user = user;
    }

    /** Waits for a machine's end. */
    @FunctionalInterface
    interface Ending {
        int await(Process machine) throws IOException;
    }

    /** Runs the machine until it ends, and returns its exit code. */
    int run(List<String> command, Ending ending) throws IOException {
        try (Guardian guardian = new Guardian()) {
            Process machine = BootPoint.start(command);
            guardian.guard(machine);
            Thread.ofVirtual().name("move to " + image).start(() -> move(machine, guardian));
            int exitCode = ending.await(machine);
            if (!moved) {
                user.accept("The machine has ended before all of its disk was in " + image + ". All that it wrote is there: 'afterimage boot "
                        + migration.base().machine() + " --migrate-to " + image + "' goes on from there.");
            }
            return exitCode;
        }
    }

    private void move(Process machine, Guardian guardian) {
        try {
            awaitMonitor(machine);
            new DiskMigration(image, BootOptions.node(migration.disk()), BootOptions.BELOW, user).run(monitor);
            moved = true;
            guardian.close();
            server.close();
            move.ended(migration);
            user.accept("All of the disk is in " + image + " now: the machine needs the repository no more, nor this program.");
        } catch (IOException e) {
            if (isAlive(machine)) {
                user.accept("The move to " + image + " has stopped (" + e.getMessage() + "), the machine goes on: boot it again to move the rest.");
            } else {
                LOG.debug("the machine has ended while its disk moved", e);
            }
        }
    }

    /** One that ends hangs up first. */
    private static boolean isAlive(Process machine) {
        try {
            return !machine.waitFor(HANG_UP_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private void awaitMonitor(Process machine) throws IOException {
        try {
            while (!Files.exists(monitor) && !machine.waitFor(GLANCE_MILLIS, TimeUnit.MILLISECONDS)) {
                LOG.trace("QEMU does not listen yet");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while the machine was starting", e);
        }
    }
}
