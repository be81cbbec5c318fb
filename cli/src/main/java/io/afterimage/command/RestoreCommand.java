package io.afterimage.command;

import io.afterimage.app.RestoreDisk;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.Selector;
import io.afterimage.command.output.TerminalProgress;
import io.afterimage.image.ImageLibrary;
import io.afterimage.manifest.DiskName;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code afterimage restore}. */
@Command(
        name = "restore",
        description = "Write a disk of a restore point to a sparse file, a block device or an NBD export.",
        mixinStandardHelpOptions = true,
        footer = {"", "Example:", "  afterimage restore web/vda@latest --to /srv/web.raw"})
final class RestoreCommand implements Callable<Integer> {

    @Mixin
    private RepositoryOption repository;

    @Parameters(paramLabel = "SELECTOR", description = "machine[/disk][@point]")
    private String selector;

    @Option(names = "--to", paramLabel = "FILE|NBD-URI", required = true, description = "A file that is made (qcow2 if it is named .qcow2, else raw), a block device, or an NBD URI.")
    private String target;

    @Option(names = "--force", description = "Replace FILE if it is there.")
    private boolean force;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        Selector parsed = Selector.parse(selector);
        try (Repository opened = repository.open();
                ImageLibrary images = repository.assembly().images(opened)) {
            Point point = opened.catalog().resolve(parsed);
            DiskName disk = RestoreDisk.disk(point, parsed);
            try (TerminalProgress progress = TerminalProgress.start("Restoring " + point.machine() + "/" + disk)) {
                new RestoreDisk(images, opened.id()).run(point, disk, target, force, progress);
            }
            spec.commandLine().getOut().println("Restored " + point.machine() + "/" + disk + " as of " + point.time() + " to " + target + ".");
        }
        return ExitCode.OK.number();
    }
}
