package io.afterimage.command;

import io.afterimage.app.TargetException;
import io.afterimage.fuse.RepositoryMount;
import io.afterimage.image.ImageLibrary;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
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
            "  afterimage mount /mnt/past &",
            "  ls /mnt/past/web",
            "  mount -o loop,ro /mnt/past/web/latest/vda.p1 /mnt/root",
            "  fusermount -u /mnt/past"
        })
final class MountCommand implements Callable<Integer> {

    @Mixin
    private RepositoryOption repository;

    @Parameters(index = "0", paramLabel = "DIR", description = "An empty folder.")
    private Path folder;

    @Mixin
    private MountOptions options;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        try (Repository opened = repository.open();
                ImageLibrary images = repository.assembly().images(opened);
                RepositoryMount mount = start(opened, images)) {
            spec.commandLine().getOut().println("Mounted at " + mount.folder() + ".");
            awaitEnd(mount);
        }
        return ExitCode.OK.number();
    }

    private RepositoryMount start(Repository opened, ImageLibrary images) throws TargetException {
        try {
            return RepositoryMount.start(options.at(folder), opened, images);
        } catch (IOException e) {
            throw new TargetException(e.getMessage(), e);
        }
    }

    /** SIGTERM and Ctrl-C run the hook; whoever unmounts it from outside ends it as well. */
    private static void awaitEnd(RepositoryMount mount) {
        Runtime.getRuntime().addShutdownHook(new Thread(mount::close));
        try {
            mount.awaitEnd();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
