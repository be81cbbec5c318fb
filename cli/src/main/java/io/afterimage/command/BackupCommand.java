package io.afterimage.command;

import io.afterimage.app.BackUpDomain;
import io.afterimage.app.BackUpMachine;
import io.afterimage.assembly.Assembly;
import io.afterimage.capture.libvirt.LibvirtConnection;
import io.afterimage.catalog.Point;
import io.afterimage.command.output.PointView;
import io.afterimage.command.output.TerminalProgress;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.MachineName;
import io.afterimage.repository.Immutability;
import io.afterimage.repository.Repository;
import io.afterimage.settings.ImageSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code afterimage backup}. */
@Command(
        name = "backup",
        description = "Add a restore point of a machine: of a running one by libvirt or over its QMP socket, or of image files that nobody writes to.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  afterimage backup web --qmp /run/web.qmp",
            "  afterimage backup web --libvirt",
            "  afterimage backup old --image vda=/srv/old.qcow2 --image vdb=/dev/vg0/data",
            "  afterimage backup web --qmp /run/web.qmp --immutable 30d"
        })
final class BackupCommand implements Callable<Integer> {

    @Mixin
    private RepositoryOption repository;

    @Mixin
    private JsonOption json;

    @Mixin
    private CompressionOption compression;

    @Parameters(paramLabel = "MACHINE", converter = Argument.Machine.class, description = "The machine's name in the repository.")
    private MachineName machine;

    @ArgGroup(multiplicity = "1")
    private Source source;

    @Option(names = "--disk", paramLabel = "NODE", description = "With --qmp or --libvirt: back up this disk (name, device id or node name) and not all. May be repeated.")
    private List<String> disks = List.of();

    @Option(names = "--full", description = "With --qmp or --libvirt: read all disks whole, whatever bitmaps say.")
    private boolean full;

    @Option(
            names = "--scratch",
            paramLabel = "DIR",
            description = "With --qmp or --libvirt: where QEMU keeps what the guest overwrites meanwhile; in the worst case as much as the disks. Default: a folder below the cache's, or /var/lib/afterimage/scratch where libvirt runs QEMU as another user.")
    private Path scratch;

    @Option(names = "--domain", paramLabel = "NAME|UUID", description = "With --libvirt: the domain, where it is not called like the machine.")
    private String domain;

    @Mixin
    private ImmutableOptions immutable;

    @Spec
    private CommandSpec spec;

    /** Where the disks are. */
    private static final class Source {

        @Option(names = "--qmp", paramLabel = "SOCKET", description = "The QMP socket of the running machine.")
        private Path qmp;

        @Option(
                names = "--libvirt",
                paramLabel = "URI",
                arity = "0..1",
                fallbackValue = LibvirtConnection.SYSTEM,
                description = "The libvirt that runs the machine: " + LibvirtConnection.SYSTEM + " where no URI is given.")
        private String libvirt;

        @Option(
                names = "--image",
                paramLabel = "DISK=[FORMAT:]FILE",
                converter = Argument.Image.class,
                description = "An image file (raw or qcow2) or block device. May be repeated.")
        private List<ImageSource> images;
    }

    @Override
    public Integer call() throws IOException {
        Assembly assembly = repository.assembly();
        try (Repository opened = repository.open();
                ChunkIndex index = assembly.index(opened)) {
            compression.applyTo(opened);
            Point point = backUp(assembly, opened, index, immutable.immutability(assembly, opened));
            json.print(spec, PointView.of(point), PointView.summary(point));
        }
        return ExitCode.OK.number();
    }

    private Point backUp(Assembly assembly, Repository opened, ChunkIndex index, Optional<Immutability> immutability) throws IOException {
        try (TerminalProgress progress = TerminalProgress.start("Backing up " + machine)) {
            if (source.libvirt != null) {
                return assembly.backUpDomain(opened, index).run(domainRequest(immutability), progress);
            }
            return source.qmp != null
                    ? assembly.backUpMachine(opened, index).run(request(immutability), progress)
                    : assembly.backUpImages(opened, index).run(machine, source.images, immutability, progress);
        }
    }

    private BackUpMachine.Request request(Optional<Immutability> immutability) {
        Path folder = scratch != null ? scratch : repository.assembly().folders().scratch();
        return new BackUpMachine.Request(machine, source.qmp, disks, full, folder, immutability);
    }

    private BackUpDomain.Request domainRequest(Optional<Immutability> immutability) {
        String name = domain != null ? domain : machine.text();
        return new BackUpDomain.Request(machine, source.libvirt, name, disks, full, Optional.ofNullable(scratch), immutability);
    }
}
