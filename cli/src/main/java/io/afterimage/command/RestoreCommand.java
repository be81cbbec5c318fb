package io.afterimage.command;

import io.afterimage.app.MachineDocuments;
import io.afterimage.app.RestoreDisk;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.Selector;
import io.afterimage.command.output.TerminalProgress;
import io.afterimage.image.ImageLibrary;
import io.afterimage.manifest.DiskName;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code afterimage restore}. */
@Command(
        name = "restore",
        description = "Write a disk of a restore point to a sparse file, a block device or an NBD export, or what describes the machine to a folder.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  afterimage restore web/vda@latest --to /srv/web.raw",
            "  afterimage restore web/vda@latest --to /srv/web.raw --definition /srv/web && virsh define /srv/web/libvirt/domain-inactive.xml"
        })
final class RestoreCommand implements Callable<Integer> {

    @Mixin
    private RepositoryOption repository;

    @Parameters(paramLabel = "SELECTOR", description = "machine[/disk][@point]")
    private String selector;

    @Option(names = "--to", paramLabel = "FILE|NBD-URI", description = "A file that is made, a block device, or an NBD URI.")
    private String target;

    @Option(
            names = "--definition",
            paramLabel = "DIR",
            description = "Write the documents that describe the machine there. In a definition of libvirt's, FILE takes the place of the disk's source.")
    private Path definition;

    @Option(names = "--force", description = "Replace FILE if it is there, and documents in DIR.")
    private boolean force;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        if (target == null && definition == null) {
            throw new ParameterException(spec.commandLine(), "Say what is to be restored to where: a disk with --to FILE, the machine's definition with --definition DIR.");
        }
        Selector parsed = Selector.parse(selector);
        try (Repository opened = repository.open();
                ImageLibrary images = repository.assembly().images(opened)) {
            Point point = opened.catalog().resolve(parsed);
            Map<DiskName, Path> files = new TreeMap<>();
            if (target != null) {
                restoreDisk(point, RestoreDisk.disk(point, parsed), images, files);
            }
            if (definition != null) {
                int written = new MachineDocuments(opened.manifest(point).definition()).write(definition, files, force);
                spec.commandLine().getOut().println("Wrote " + written + " documents of " + point.machine() + " as of " + point.time() + " to " + definition + ".");
            }
        }
        return ExitCode.OK.number();
    }

    private void restoreDisk(Point point, DiskName disk, ImageLibrary images, Map<DiskName, Path> files) throws IOException {
        try (TerminalProgress progress = TerminalProgress.start("Restoring " + point.machine() + "/" + disk)) {
            new RestoreDisk(images).run(point, disk, target, force, progress);
        }
        if (!RestoreDisk.isNbd(target)) {
            files.put(disk, Path.of(target).toAbsolutePath());
        }
        spec.commandLine().getOut().println("Restored " + point.machine() + "/" + disk + " as of " + point.time() + " to " + target + ".");
    }
}
