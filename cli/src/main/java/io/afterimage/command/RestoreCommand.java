package io.afterimage.command;

import io.afterimage.app.machine.MachineDocuments;
import io.afterimage.app.restore.RestoreDisk;
import io.afterimage.app.restore.RestoreGroup;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.Selector;
import io.afterimage.command.output.TerminalProgress;
import io.afterimage.image.ImageLibrary;
import io.afterimage.manifest.DiskName;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
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
            "  afterimage restore web/vda@latest --to /srv/web.raw --definition /srv/web && virsh define /srv/web/libvirt/domain-inactive.xml",
            "  afterimage restore --group shop@latest --to-folder /srv/shop"
        })
final class RestoreCommand implements Callable<Integer> {

    @Mixin
    private RepositoryOption repository;

    @Parameters(paramLabel = "SELECTOR", arity = "0..1", description = "machine[/disk][@point]")
    private String selector;

    @Option(names = "--to", paramLabel = "FILE|NBD-URI", description = "A file that is made (qcow2 if it is named .qcow2, else raw), a block device, or an NBD URI.")
    private String target;

    @Option(
            names = "--definition",
            paramLabel = "DIR",
            description = "Write the documents that describe the machine there. In a definition of libvirt's, FILE takes the place of the disk's source.")
    private Path definition;

    @Option(
            names = "--group",
            paramLabel = "GROUP[@POINT]",
            description = "Instead of SELECTOR: all disks of all machines of a group, as they were captured together.")
    private String group;

    @Option(names = "--to-folder", paramLabel = "DIR", description = "With --group: each disk goes to DIR/MACHINE/DISK.raw.")
    private Path folder;

    @Option(names = "--force", description = "Replace FILE if it is there, and documents in DIR.")
    private boolean force;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        boolean nothing = target == null && definition == null;
        if ((group == null ? selector == null || nothing || folder != null : selector != null || !nothing || folder == null)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "Give a SELECTOR and --to FILE, for the machine's definition --definition DIR, or --group GROUP and --to-folder DIR.");
        }
        return group == null ? restorePoint() : restoreGroup();
    }

    private int restoreGroup() throws IOException {
        try (Repository opened = repository.open();
                ImageLibrary images = repository.assembly().images(opened)) {
            RestoreGroup restore = new RestoreGroup(opened.catalog(), images, opened.id());
            List<Point> members = restore.resolve(Selector.parse(group));
            try (TerminalProgress progress = TerminalProgress.start("Restoring group " + group)) {
                restore.run(members, folder, force, progress);
            }
            for (Point point : members) {
                spec.commandLine().getOut().println("Restored " + point.machine() + " as of " + point.time() + " to " + folder.resolve(point.machine().text()) + ".");
            }
        }
        return ExitCode.OK.number();
    }

    private int restorePoint() throws IOException {
        Selector parsed = Selector.parse(selector);
        try (Repository opened = repository.open();
                ImageLibrary images = repository.assembly().images(opened)) {
            Point point = opened.catalog().resolve(parsed);
            Map<DiskName, Path> files = new TreeMap<>();
            if (target != null) {
                restoreDisk(point, RestoreDisk.disk(point, parsed), images, opened.id(), files);
            }
            if (definition != null) {
                int written = new MachineDocuments(opened.manifest(point).definition()).write(definition, files, force);
                spec.commandLine().getOut().println("Wrote " + written + " documents of " + point.machine() + " as of " + point.time() + " to " + definition + ".");
            }
        }
        return ExitCode.OK.number();
    }

    private void restoreDisk(Point point, DiskName disk, ImageLibrary images, String repositoryId, Map<DiskName, Path> files) throws IOException {
        try (TerminalProgress progress = TerminalProgress.start("Restoring " + point.machine() + "/" + disk)) {
            new RestoreDisk(images, repositoryId).run(point, disk, target, force, progress);
        }
        if (!RestoreDisk.isNbd(target)) {
            files.put(disk, Path.of(target).toAbsolutePath());
        }
        spec.commandLine().getOut().println("Restored " + point.machine() + "/" + disk + " as of " + point.time() + " to " + target + ".");
    }
}
