package io.afterimage.command;

import io.afterimage.lab.Deadline;
import io.afterimage.lab.Guest;
import io.afterimage.lab.GuestDisk;
import io.afterimage.lab.Tool;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/**
 * A guest that writes to its disk {@value #DISK} as fast as it can for as long as it lives, and what can be seen of it from outside. The
 * first {@value #QUIET_BYTES} bytes are written at the first boot only.
 */
final class RestlessMachine implements Closeable {

    static final String DISK = "data";
    static final int QUIET_BYTES = 2 << 20;
    private static final String OURS = "afterimage-";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Guest guest;
    private final Path disk;

    private RestlessMachine(Guest guest, Path disk) {
        this.guest = guest;
        this.disk = disk;
    }

    /** Boots it, with sockets and logs in {@code folder}; it writes when this returns. */
    static RestlessMachine boot(Path folder, Path disk, int seed) {
        Guest guest = Guest.tiny(folder).disk(GuestDisk.qcow2(DISK, disk)).start().awaitReady();
        RestlessMachine machine = new RestlessMachine(guest, disk);
        guest.run("[ -n \"$(head -c 512 /dev/vdb | tr -d '\\000')\" ] || head -c " + QUIET_BYTES + " /dev/urandom > /dev/vdb; sync");
        guest.run("torture /dev/vdb --seed " + seed + " --span " + QUIET_BYTES + ":$(($(blockdev --getsize64 /dev/vdb) - " + QUIET_BYTES
                + ")) > /run/torture.log 2>&1 &");
        machine.awaitWrites(100);
        return machine;
    }

    Guest guest() {
        return guest;
    }

    /** Waits until the guest has written that often from now on: so it runs, and nothing holds its writes. */
    void awaitWrites(long more) {
        long wanted = writes() + more;
        Deadline.in(PATIENCE).await(() -> writes() >= wanted,
                () -> "the guest (" + guest.status() + ") does not write: " + guest.run("cat /run/torture.log"));
    }

    private long writes() {
        for (JsonNode device : guest.qmp().execute("query-blockstats")) {
            if (device.path("qdev").asString("").contains("dev-" + DISK)) {
                return device.path("stats").path("wr_operations").asLong();
            }
        }
        throw new AssertionError("QEMU has no device for " + DISK);
    }

    /** Stops the guest and copies the disk as it is then. */
    void pauseAndCopy(Path reference) {
        guest.pause();
        Tool.run("qemu-img", "convert", "-U", "-f", "qcow2", "-O", "raw", disk.toString(), reference.toString()).orFail();
    }

    Set<String> exports() {
        Set<String> ids = new TreeSet<>();
        guest.qmp().execute("query-block-exports").forEach(export -> ids.add(export.path("id").asString()));
        return ids;
    }

    /** The exports, jobs and nodes that a backup has made in QEMU, and the folders of its scratch. */
    Set<String> traces(Path scratch) {
        Set<String> traces = exports();
        guest.qmp().execute("query-jobs").forEach(job -> traces.add(job.path("id").asString()));
        guest.qmp().execute("query-named-block-nodes", "{\"flat\":true}")
                .forEach(node -> traces.add(node.path("node-name").asString()));
        traces.removeIf(name -> !name.startsWith(OURS));
        if (Files.isDirectory(scratch)) {
            try (Stream<Path> folders = Files.list(scratch)) {
                folders.map(Path::toString).forEach(traces::add);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return traces;
    }

    /** The names of the dirty bitmaps that backups have made. */
    Set<String> checkpoints() {
        Set<String> names = new TreeSet<>();
        for (JsonNode node : guest.qmp().execute("query-named-block-nodes", "{\"flat\":true}")) {
            node.path("dirty-bitmaps").forEach(bitmap -> names.add(bitmap.path("name").asString("")));
        }
        names.removeIf(name -> !name.startsWith(OURS));
        return names;
    }

    @Override
    public void close() throws IOException {
        guest.close();
    }
}
