package io.afterimage.command;

import io.afterimage.app.guest.ChangedFiles;
import io.afterimage.app.guest.ChangedFiles.VolumeChange;
import io.afterimage.block.ByteRange;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.Selector;
import io.afterimage.command.output.DiffView;
import io.afterimage.command.output.FileDiffView;
import io.afterimage.image.ImageLibrary;
import io.afterimage.manifest.BlockMap;
import io.afterimage.manifest.DiskMap;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code afterimage diff}. */
@Command(
        name = "diff",
        description = {
            "Show where the disks of one point differ from those of another, by their maps: no data is read.",
            "With --files: which files differ."
        },
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  afterimage diff web@2026-03-01 web@latest",
            "  afterimage diff web@2026-03-01 web@latest --files"
        })
final class DiffCommand implements Callable<Integer> {

    @Mixin
    private RepositoryOption repository;

    @Mixin
    private JsonOption json;

    @Parameters(index = "0", paramLabel = "FROM", description = "machine[/disk][@point]")
    private String from;

    @Parameters(index = "1", paramLabel = "TO", description = "machine[/disk][@point]")
    private String to;

    @Option(names = "--files", description = "Show the files that differ, by volume. Needs libguestfs.")
    private boolean files;

    @Mixin
    private ApplianceOptions appliance;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        Selector before = Selector.parse(from);
        Selector after = Selector.parse(to);
        try (Repository opened = repository.open()) {
            Point older = opened.catalog().resolve(before);
            Point newer = opened.catalog().resolve(after);
            if (files) {
                return files(opened, older, newer, before, after);
            }
            List<DiffView> views = new ArrayList<>();
            for (DiskMap disk : opened.manifest(newer).disks()) {
                if (after.disk().isEmpty() || after.disk().get().equals(disk.name())) {
                    BlockMap base = opened.manifest(older).disk(before.disk().orElse(disk.name()))
                            .map(DiskMap::map)
                            .orElseGet(() -> BlockMap.empty(0, opened.chunkSize()));
                    List<ByteRange> changed = disk.map().differences(base);
                    views.add(DiffView.of(disk.name().text(), changed));
                }
            }
            json.print(spec, views, DiffView.table(views));
        }
        return ExitCode.OK.number();
    }

    private int files(Repository opened, Point older, Point newer, Selector before, Selector after) throws IOException {
        if (before.disk().isPresent() && !before.disk().equals(after.disk())) {
            throw new ParameterException(spec.commandLine(), "Files are compared of one disk, or of all: name the same on both sides.");
        }
        try (ImageLibrary images = repository.assembly().images(opened)) {
            List<VolumeChange> changes =
                    new ChangedFiles(opened.catalog(), images, appliance.settings()).run(older, newer, after.disk());
            List<FileDiffView> views = changes.stream()
                    .map(change -> FileDiffView.of(change.volume(), change.change(), change.files(), change.problems()))
                    .toList();
            json.print(spec, views, FileDiffView.text(views));
            return (changes.stream().allMatch(change -> change.problems().isEmpty()) ? ExitCode.OK : ExitCode.INCOMPLETE).number();
        }
    }
}
