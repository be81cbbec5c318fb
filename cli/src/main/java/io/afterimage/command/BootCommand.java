package io.afterimage.command;

import io.afterimage.app.boot.BootMigration;
import io.afterimage.app.boot.BootOverlays;
import io.afterimage.app.boot.BootPoint;
import io.afterimage.app.boot.LocalImage;
import io.afterimage.app.boot.Migration;
import io.afterimage.app.boot.MigrationExport;
import io.afterimage.app.boot.Writes;
import io.afterimage.app.export.OverlayExports;
import io.afterimage.app.export.PointExports;
import io.afterimage.boot.Occasion;
import io.afterimage.catalog.HeldPoint;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.Selector;
import io.afterimage.image.ImageLibrary;
import io.afterimage.image.OverlayLibrary;
import io.afterimage.image.OverlayName;
import io.afterimage.manifest.DiskName;
import io.afterimage.nbd.protocol.BlockSizes;
import io.afterimage.nbd.server.Exports;
import io.afterimage.repository.Repository;
import io.afterimage.settings.Accelerator;
import io.afterimage.settings.CacheSettings;
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

/** {@code afterimage boot}. */
@Command(
        name = "boot",
        description = "Start a virtual machine from a restore point, at once. What it writes is gone when it ends, unless it has an overlay or moves to this host.",
        mixinStandardHelpOptions = true,
        footer = {"", "Examples:", "  afterimage boot web@latest", "  afterimage boot web --overlay trial", "  afterimage boot web --migrate-to /var/lib/vm/web.qcow2", "  afterimage boot web -- -display gtk -vga std"})
final class BootCommand implements Callable<Integer> {

    @Mixin
    private RepositoryOption repository;

    @Mixin
    private ProfileOption profile;

    @Parameters(index = "0", paramLabel = "SELECTOR", description = "machine[/disk][@point]; the disk is the one to boot from.")
    private String selector;

    @Parameters(
            index = "1..*",
            arity = "0..*",
            paramLabel = "QEMU-OPTION",
            description = "After '--': options for QEMU, such as another display beside the serial console on this terminal.")
    private List<String> more = List.of();

    @Option(names = "--accel", paramLabel = "ACCEL", description = "QEMU's accelerator. Default: AFTERIMAGE_ACCEL, else kvm where it works, else tcg.")
    private String accelerator;

    @Option(names = "--memory", paramLabel = "SIZE", converter = Argument.Size.class, description = "Default: what the machine had.")
    private Long memory;

    @Option(names = "--cpus", paramLabel = "N", description = "Default: what the machine had.")
    private Integer processors;

    @Mixin
    private CacheOptions cache;

    @ArgGroup
    private Kind kind = new Kind();

    /** What becomes of what the machine writes. */
    private static final class Kind {

        /** To be said by who likes to be explicit: it excludes the others. */
        @SuppressWarnings("UnusedVariable")
        @Option(names = "--snapshot", description = "What the machine writes is gone when it ends. The default.")
        private boolean snapshot;

        @Option(
                names = "--overlay",
                paramLabel = "NAME",
                converter = Argument.Overlay.class,
                description = "Keep what the machine writes in this overlay, which is made if it is not there; the next boot goes on from it, 'commit' makes a point of it."
                        + " A machine of several disks has one for each, NAME-DISK.")
        private OverlayName overlay;

        @Option(
                names = "--migrate-to",
                paramLabel = "FILE",
                description = "Keep what the machine writes in this qcow2 image, which is made, and move the rest of its disk there while it runs: in the end it needs the"
                        + " repository no more. Where the machine ends before, the same command goes on.")
        private Path migrateTo;
    }

    @Mixin
    private OverlaysOption overlays;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        Selector parsed = Selector.parse(selector);
        CacheSettings cached = cache.settings(repository.location());
        try (Repository opened = repository.open();
                ImageLibrary images = repository.assembly().images(opened, cached)) {
            Occasion occasion = kind.migrateTo == null ? Occasion.BOOT : Occasion.MIGRATION;
            PointExports points =
                    new PointExports(opened.catalog(), images, BlockSizes.DEFAULT, Optional.empty(), profile.profiling(opened, occasion));
            if (kind.overlay != null) {
                OverlayLibrary library = overlays.library(repository.assembly(), opened, images);
                BootOverlays.Chosen chosen = new BootOverlays(opened.catalog(), library).run(parsed, kind.overlay);
                return boot(new OverlayExports(library, points, BlockSizes.DEFAULT), images)
                        .run(request(chosen.point(), parsed, new Writes.Kept(chosen.names())));
            }
            if (kind.migrateTo != null) {
                BootMigration moving = new BootMigration(opened);
                Migration migration = moving.run(parsed, new LocalImage(kind.migrateTo));
                return boot(new MigrationExport(migration, images, points), images)
                        .run(request(migration.base(), List.of(migration.disk()), new Writes.Migrated(migration, moving)));
            }
            return boot(points, images).run(request(opened.catalog().resolve(parsed), parsed, new Writes.Discarded()));
        }
    }

    private BootPoint boot(Exports exports, ImageLibrary images) {
        return new BootPoint(exports, images, spec.commandLine().getErr()::println);
    }

    private BootPoint.Request request(Point point, Selector parsed, Writes writes) {
        return request(HeldPoint.of(point), BootPoint.disks(point, parsed.disk()), writes);
    }

    private BootPoint.Request request(HeldPoint point, List<DiskName> disks, Writes writes) {
        return new BootPoint.Request(
                point,
                disks,
                writes,
                accelerator != null ? accelerator : Accelerator.of(System.getenv()),
                Optional.ofNullable(memory),
                Optional.ofNullable(processors),
                more);
    }
}
