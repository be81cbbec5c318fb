package io.afterimage.command;

import io.afterimage.app.backup.CommitOverlay;
import io.afterimage.assembly.Assembly;
import io.afterimage.catalog.Point;
import io.afterimage.command.output.PointView;
import io.afterimage.command.output.TerminalProgress;
import io.afterimage.image.ImageLibrary;
import io.afterimage.image.Overlay;
import io.afterimage.image.OverlayLibrary;
import io.afterimage.image.OverlayName;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.MachineName;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code afterimage commit}. */
@Command(
        name = "commit",
        description = "Make an overlay a new restore point of its machine, by storing what was written to it, and remove the overlay. Nobody may be using it."
                + " Overlays of several disks of a machine become one point together.",
        mixinStandardHelpOptions = true,
        footer = {"", "Examples:", "  afterimage commit trial", "  afterimage commit trial --as web-clone", "  afterimage commit trial-vda trial-vdb"})
final class CommitCommand implements Callable<Integer> {

    @Mixin
    private RepositoryOption repository;

    @Mixin
    private OverlaysOption folder;

    @Mixin
    private JsonOption json;

    @Mixin
    private CompressionOption compression;

    @Parameters(arity = "1..*", paramLabel = "NAME", converter = Argument.Overlay.class, description = "The overlay's name; the names of all that belong together.")
    private List<OverlayName> names;

    @Option(
            names = "--as",
            paramLabel = "MACHINE",
            converter = Argument.Machine.class,
            description = "Make it a point of this machine, which may be a new one: a clone, of which only what differs is stored.")
    private MachineName as;

    @Mixin
    private ImmutableOptions immutable;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        Assembly assembly = repository.assembly();
        try (Repository opened = repository.open();
                ImageLibrary images = assembly.images(opened);
                ChunkIndex index = assembly.index(opened)) {
            compression.applyTo(opened);
            OverlayLibrary overlays = folder.library(assembly, opened, images);
            List<Overlay> chosen = new ArrayList<>();
            for (OverlayName name : names) {
                chosen.add(overlays.find(name));
            }
            CommitOverlay commit = assembly.commitOverlay(opened, images, overlays, index);
            Point point;
            try (TerminalProgress progress = TerminalProgress.start("Committing " + names.getFirst())) {
                point = commit.run(chosen, Optional.ofNullable(as), immutable.immutability(assembly, opened), progress);
            }
            json.print(spec, PointView.of(point), PointView.summary(point));
        }
        return ExitCode.OK.number();
    }
}
