package io.afterimage.command;

import io.afterimage.app.machine.MachineDocuments;
import io.afterimage.app.restore.RestoreDisk;
import io.afterimage.app.restore.RestoreGroup;
import io.afterimage.capture.libvirt.RestoredDomain;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointDisk;
import io.afterimage.catalog.Selector;
import io.afterimage.command.output.TerminalProgress;
import io.afterimage.image.ImageLibrary;
import io.afterimage.manifest.DiskName;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
        description = "Write disks of a restore point to sparse files, a block device or an NBD export, and what describes the machine to a folder.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  afterimage restore web/vda@latest --to /srv/web.raw",
            "  afterimage restore web/vda@latest --to /srv/web.raw --definition /srv/web && virsh define /srv/web/libvirt/domain-inactive.xml",
            "  afterimage restore web --to-folder /srv/web --definition /srv/web",
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
            description = "Write the documents that describe the machine there. In a definition of libvirt's, what disks were restored to takes the place of their sources.")
    private Path definition;

    @Option(
            names = "--group",
            paramLabel = "GROUP[@POINT]",
            description = "Instead of SELECTOR: all disks of all machines of a group, as they were captured together.")
    private String group;

    @Option(names = "--to-folder", paramLabel = "DIR", description = "All disks of the machine, to DIR/DISK.raw; with --group to DIR/MACHINE/DISK.raw.")
    private Path folder;

    @Option(names = "--force", description = "Replace FILE if it is there, and documents in DIR.")
    private boolean force;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        boolean point = selector != null && (target != null || folder != null || definition != null) && (target == null || folder == null);
        if (group == null ? !point : selector != null || target != null || definition != null || folder == null) {
            throw new ParameterException(
                    spec.commandLine(),
                    "Give a SELECTOR and --to FILE or --to-folder DIR, for the machine's definition --definition DIR, or --group GROUP and --to-folder DIR.");
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
            Map<DiskName, RestoredDomain.Source> restored = new TreeMap<>();
            for (Map.Entry<DiskName, String> disk : targets(point, parsed).entrySet()) {
                restoreDisk(point, disk.getKey(), disk.getValue(), new RestoreDisk(images, opened.id())).ifPresent(source -> restored.put(disk.getKey(), source));
            }
            if (definition != null) {
                int written = new MachineDocuments(opened.manifest(point).definition()).write(definition, restored, force);
                spec.commandLine().getOut().println("Wrote " + written + " documents of " + point.machine() + " as of " + point.time() + " to " + definition + ".");
            }
        }
        return ExitCode.OK.number();
    }

    /** Where each disk goes that is restored. */
    private Map<DiskName, String> targets(Point point, Selector parsed) throws IOException {
        Map<DiskName, String> targets = new LinkedHashMap<>();
        if (target != null) {
            targets.put(RestoreDisk.disk(point, parsed), target);
        } else if (folder != null) {
            Files.createDirectories(folder);
            List<DiskName> disks = parsed.disk().map(List::of).orElseGet(() -> point.disks().stream().map(PointDisk::name).toList());
            disks.forEach(disk -> targets.put(disk, folder.resolve(disk + ".raw").toString()));
        }
        return targets;
    }

    private Optional<RestoredDomain.Source> restoreDisk(Point point, DiskName disk, String to, RestoreDisk restore) throws IOException {
        Optional<RestoredDomain.Source> restored;
        try (TerminalProgress progress = TerminalProgress.start("Restoring " + point.machine() + "/" + disk)) {
            restored = restore.run(point, disk, to, force, progress);
        }
        spec.commandLine().getOut().println("Restored " + point.machine() + "/" + disk + " as of " + point.time() + " to " + to + ".");
        return restored;
    }
}
