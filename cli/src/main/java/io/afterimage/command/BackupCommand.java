package io.afterimage.command;

import io.afterimage.app.BackUpImages;
import io.afterimage.app.BackUpMachine;
import io.afterimage.app.BaseImage;
import io.afterimage.assembly.Assembly;
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
        description = "Add a restore point of a machine: of a running one over its QMP socket, or of image files that nobody writes to.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  afterimage backup web --qmp /run/web.qmp",
            "  afterimage backup old --image vda=/srv/old.qcow2 --image vdb=/dev/vg0/data",
            "  afterimage backup web --qmp /run/web.qmp --base debian@latest",
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

    @Option(names = "--disk", paramLabel = "NODE", description = "With --qmp: back up this disk (name, device id or node name) and not all. May be repeated.")
    private List<String> disks = List.of();

    @Option(names = "--full", description = "With --qmp: read all disks whole, whatever bitmaps say.")
    private boolean full;

    @Option(
            names = "--scratch",
            paramLabel = "DIR",
            description = "With --qmp: where QEMU keeps what the guest overwrites meanwhile; in the worst case as much as the disks. Default: a folder below the cache's.")
    private Path scratch;

    @Mixin
    private ChangeOptions changes;

    @Mixin
    private ImmutableOptions immutable;

    @Spec
    private CommandSpec spec;

    /** Where the disks are. */
    private static final class Source {

        @Option(names = "--qmp", paramLabel = "SOCKET", description = "The QMP socket of the running machine.")
        private Path qmp;

        @Option(
                names = "--image",
                paramLabel = "DISK=[FORMAT:]FILE|NBD-URI",
                converter = Argument.Image.class,
                description = "An image file (raw or qcow2), a block device or an NBD export. May be repeated.")
        private List<ImageSource> images;
    }

    @Override
    public Integer call() throws IOException {
        Assembly assembly = repository.assembly();
        try (Repository opened = repository.open();
                ChunkIndex index = assembly.index(opened)) {
            compression.applyTo(opened);
            Optional<BaseImage> base = changes.base(assembly, opened, index);
            Point point = backUp(assembly, opened, index, base, immutable.immutability(assembly, opened));
            json.print(spec, PointView.of(point), PointView.summary(point));
        }
        return ExitCode.OK.number();
    }

    private Point backUp(
            Assembly assembly, Repository opened, ChunkIndex index, Optional<BaseImage> base, Optional<Immutability> immutability)
            throws IOException {
        try (TerminalProgress progress = TerminalProgress.start("Backing up " + machine)) {
            if (source.qmp == null) {
                return assembly.backUpImages(opened, index)
                        .run(new BackUpImages.Request(machine, source.images, base, changes.context(spec), changes.checkUnchanged(), immutability), progress);
            }
            Path folder = scratch != null ? scratch : assembly.folders().scratch();
            return assembly.backUpMachine(opened, index)
                    .run(new BackUpMachine.Request(machine, source.qmp, disks, full, folder, base, changes.checkUnchanged(), immutability), progress);
        }
    }
}
