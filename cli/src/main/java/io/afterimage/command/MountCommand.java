package io.afterimage.command;

import io.afterimage.app.Background;
import io.afterimage.app.NotifySocket;
import io.afterimage.fuse.RepositoryMount;
import io.afterimage.image.ImageLibrary;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code afterimage mount}. */
@Command(
        name = "mount",
        description = "Show all points as files below a folder, until it is unmounted or the process is ended.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Example:",
            "  afterimage mount --background /mnt/past",
            "  ls /mnt/past/web",
            "  mount -o loop,ro /mnt/past/web/latest/vda.p1 /mnt/root",
            "  fusermount -u /mnt/past"
        })
final class MountCommand implements Callable<Integer> {

    private static final Logger LOG = LoggerFactory.getLogger(MountCommand.class);
    private static final String BACKGROUND = "--background";
    private static final String MOUNTED = "Mounted at ";
    private static final Duration GRACE = Duration.ofSeconds(5);

    @Mixin
    private RepositoryOption repository;

    @Parameters(index = "0", paramLabel = "DIR", description = "An empty folder.")
    private Path folder;

    @Mixin
    private MountOptions options;

    @Mixin
    private CacheOptions cache;

    @Option(names = BACKGROUND, description = "Return when the points are there, and leave a process behind. Name a key by a file then.")
    private boolean background;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        if (background) {
            return Background.run(BACKGROUND, MOUNTED, out, spec.commandLine().getErr());
        }
        CountDownLatch closed = new CountDownLatch(1);
        try (Repository opened = repository.open();
                ImageLibrary images = repository.assembly().images(opened, cache.settings(repository.location()));
                RepositoryMount mount = options.start(folder, opened, images)) {
            // SIGTERM and Ctrl-C run the hook, which ends the wait below like whoever unmounts it from outside.
            Runtime.getRuntime().addShutdownHook(new Thread(() -> end(mount, closed)));
            out.println(MOUNTED + mount.folder() + ".");
            NotifySocket.of(System.getenv()).ready();
            mount.awaitEnd();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            closed.countDown();
        }
        return ExitCode.OK.number();
    }

    /** If nobody reads on, the points that were open are given back in the store before the process ends. */
    private static void end(RepositoryMount mount, CountDownLatch closed) {
        mount.close();
        if (!mount.hasEnded()) {
            System.err.println("afterimage mount: Files were still open, and cannot be read any more.");
            return;
        }
        try {
            boolean inTime = closed.await(GRACE.toMillis(), TimeUnit.MILLISECONDS);
            LOG.debug("closed in time: {}", inTime);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
