package io.afterimage.command;

import io.afterimage.app.BootOverlay;
import io.afterimage.app.BootPoint;
import io.afterimage.app.OverlayExports;
import io.afterimage.app.PointExports;
import io.afterimage.boot.Occasion;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.Selector;
import io.afterimage.image.ImageLibrary;
import io.afterimage.image.OverlayLibrary;
import io.afterimage.image.OverlayName;
import io.afterimage.nbd.protocol.BlockSizes;
import io.afterimage.repository.Repository;
import io.afterimage.settings.Accelerator;
import io.afterimage.settings.CacheSettings;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code afterimage boot}. */
@Command(
        name = "boot",
        description = "Start a virtual machine from a restore point, at once. What it writes is gone when it ends, unless it has an overlay.",
        mixinStandardHelpOptions = true,
        footer = {"", "Examples:", "  afterimage boot web@latest", "  afterimage boot web --overlay trial", "  afterimage boot web -- -display gtk -vga std"})
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

    @Option(
            names = "--overlay",
            paramLabel = "NAME",
            converter = Argument.Overlay.class,
            description = "Keep what the machine writes in this overlay, which is made if it is not there; the next boot goes on from it, 'commit' makes a point of it.")
    private OverlayName overlay;

    @Mixin
    private OverlaysOption overlays;

    @Override
    public Integer call() throws IOException {
        Selector parsed = Selector.parse(selector);
        CacheSettings cached = cache.settings(repository.location());
        try (Repository opened = repository.open();
                ImageLibrary images = repository.assembly().images(opened, cached)) {
            PointExports points = new PointExports(
                    opened.catalog(), images, BlockSizes.DEFAULT, Optional.empty(), profile.profiling(opened, Occasion.BOOT));
            if (overlay == null) {
                return new BootPoint(points, images).run(request(opened.catalog().resolve(parsed), parsed));
            }
            OverlayLibrary library = overlays.library(repository.assembly(), opened, images);
            BootOverlay boot = new BootOverlay(opened.catalog(), library);
            Point point = boot.base(boot.run(parsed, overlay));
            return new BootPoint(new OverlayExports(library, points, BlockSizes.DEFAULT), images).run(request(point, parsed));
        }
    }

    private BootPoint.Request request(Point point, Selector parsed) {
        return new BootPoint.Request(
                point,
                Optional.ofNullable(overlay),
                parsed.disk(),
                accelerator != null ? accelerator : Accelerator.of(System.getenv()),
                Optional.ofNullable(memory),
                Optional.ofNullable(processors),
                more);
    }
}
