package io.afterimage.command;

import io.afterimage.app.CopyPoints;
import io.afterimage.assembly.Assembly;
import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.Selector;
import io.afterimage.command.output.PointView;
import io.afterimage.command.output.TerminalProgress;
import io.afterimage.image.ImageLibrary;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code afterimage copy}. */
@Command(
        name = "copy",
        description = "Copy points into another repository: those that it does not have, and of them only what it does not have.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  afterimage copy --to s3://second-site/backup --to-key-file /etc/afterimage/second.key",
            "  afterimage copy --to /mnt/usb/backup web db@latest",
            "",
            "Run it again after each backup; 'afterimage verify --repo' there proves that what arrived can be read."
        })
final class CopyCommand implements Callable<Integer> {

    @Mixin
    private RepositoryOption repository;

    @Mixin
    private TargetRepositoryOption target;

    @Mixin
    private JsonOption json;

    @Mixin
    private CompressionOption compression;

    @Parameters(arity = "0..*", paramLabel = "MACHINE|SELECTOR", description = "All points of a machine, or the one of machine@point. Default: all points of all machines.")
    private List<String> selectors = List.of();

    @Mixin
    private ImmutableOptions immutable;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        Assembly assembly = repository.assembly();
        try (Repository from = repository.open();
                ImageLibrary images = assembly.images(from);
                Repository to = target.open(assembly);
                ChunkIndex index = assembly.index(to)) {
            if (from.id().equals(to.id())) {
                throw new ParameterException(spec.commandLine(), "--repo and --to are the same repository: name another one to copy to.");
            }
            compression.applyTo(to);
            CopyPoints copy = assembly.copyPoints(from, images, to, index, immutable.immutability(assembly, to));
            List<Point> copied = new ArrayList<>();
            int chosen = 0;
            for (List<Point> points : choose(from.catalog()).values()) {
                MachineName machine = points.getFirst().machine();
                chosen += points.size();
                try (TerminalProgress progress = TerminalProgress.start("Copying " + machine)) {
                    copied.addAll(copy.run(machine, points, progress));
                }
            }
            json.print(
                    spec,
                    copied.stream().map(PointView::of).toList(),
                    (copied.isEmpty() ? "" : PointView.table(copied) + "\n")
                            + "Copied " + copied.size() + " points; " + (chosen - copied.size()) + " were there already.");
        }
        return ExitCode.OK.number();
    }

    /** The points to copy, oldest first, by machine. */
    private SortedMap<MachineName, List<Point>> choose(Catalog catalog) throws IOException {
        SortedMap<MachineName, SortedMap<PointId, Point>> chosen = new TreeMap<>();
        List<String> texts = selectors.isEmpty() ? catalog.machines().stream().map(MachineName::text).toList() : selectors;
        for (String text : texts) {
            Selector selector = Selector.parse(text);
            if (selector.disk().isPresent()) {
                throw new ParameterException(spec.commandLine(), "'" + text + "' names a disk, and points are copied whole: leave the disk out.");
            }
            List<Point> points = text.contains("@") ? List.of(catalog.resolve(selector)) : catalog.points(selector.machine());
            if (points.isEmpty()) {
                points = List.of(catalog.resolve(selector));
            }
            SortedMap<PointId, Point> ofMachine =
                    chosen.computeIfAbsent(selector.machine(), _ -> new TreeMap<>());
            points.forEach(point -> ofMachine.put(point.id(), point));
        }
        SortedMap<MachineName, List<Point>> ordered = new TreeMap<>();
        chosen.forEach((machine, points) -> ordered.put(machine, List.copyOf(points.values())));
        return ordered;
    }
}
