package io.afterimage.command;

import io.afterimage.app.export.OverlayExports;
import io.afterimage.app.restore.RestoreDisk;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.Selector;
import io.afterimage.command.output.OverlayView;
import io.afterimage.image.ImageLibrary;
import io.afterimage.image.Overlay;
import io.afterimage.image.OverlayLibrary;
import io.afterimage.image.OverlayName;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code afterimage export}. */
@Command(
        name = "export",
        description = "Make a disk of a restore point writable: what is written lies on this host, in an overlay, until it is committed or discarded. "
                + "'serve --writable' offers it as overlay/NAME, also one that runs already.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Example:",
            "  afterimage export web/vda@latest --writable --name trial --size-limit 20G",
            "  afterimage serve --writable --nbd unix:/run/afterimage.sock &",
            "  qemu-system-x86_64 -drive 'if=virtio,format=raw,discard=unmap,file=nbd+unix:///overlay/trial?socket=/run/afterimage.sock'",
            "  afterimage commit trial"
        })
final class ExportCommand implements Callable<Integer> {

    @Mixin
    private RepositoryOption repository;

    @Mixin
    private OverlaysOption folder;

    @Mixin
    private JsonOption json;

    @Parameters(arity = "0..1", paramLabel = "SELECTOR", description = "machine[/disk][@point]")
    private String selector;

    @Option(names = "--writable", description = "Say that it is to be written to: read-only, every point is served without an overlay.")
    private boolean writable;

    @Option(names = "--name", paramLabel = "NAME", converter = Argument.Overlay.class, description = "What it is to be called.")
    private OverlayName name;

    @Option(
            names = "--size-limit",
            paramLabel = "SIZE",
            converter = Argument.Size.class,
            description = "Most that it may take on this host; who writes more is told that the disk is full. Default: what the host has.")
    private Long limit;

    @Option(names = "--list", description = "Show the overlays that are there instead.")
    private boolean list;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        boolean complete = selector != null && writable && name != null;
        if (list == complete || (list && (selector != null || writable || name != null || limit != null))) {
            throw new ParameterException(
                    spec.commandLine(), "Give a SELECTOR with --writable and --name NAME, or --list alone: without an overlay every point is served as it is.");
        }
        try (Repository opened = repository.open();
                ImageLibrary images = repository.assembly().images(opened)) {
            OverlayLibrary overlays = folder.library(repository.assembly(), opened, images);
            if (list) {
                print(overlays);
            } else {
                create(opened, overlays);
            }
        }
        return ExitCode.OK.number();
    }

    private void create(Repository opened, OverlayLibrary overlays) throws IOException {
        Selector parsed = Selector.parse(selector);
        Point point = opened.catalog().resolve(parsed);
        Overlay overlay = overlays.create(
                name, point, RestoreDisk.disk(point, parsed), limit == null ? OptionalLong.empty() : OptionalLong.of(limit));
        json.print(
                spec,
                OverlayView.of(overlay, 0),
                "The overlay " + name + " over " + overlay.selector() + " is there: 'afterimage serve --writable' offers it as "
                        + OverlayExports.PREFIX + name + ".");
    }

    private void print(OverlayLibrary overlays) throws IOException {
        List<OverlayView> views = new ArrayList<>();
        for (Overlay overlay : overlays.list()) {
            views.add(OverlayView.of(overlay, overlays.usedBytes(overlay)));
        }
        json.print(spec, views, OverlayView.table(views));
    }
}
