package io.afterimage.command;

import io.afterimage.app.guest.ExtractFiles;
import io.afterimage.app.guest.GuestFiles;
import io.afterimage.app.guest.GuestLocation;
import io.afterimage.catalog.Point;
import io.afterimage.command.output.ExtractionView;
import io.afterimage.command.output.FileView;
import io.afterimage.command.output.TerminalProgress;
import io.afterimage.command.output.VolumeView;
import io.afterimage.files.ExtractionReport;
import io.afterimage.files.FilePath;
import io.afterimage.files.FileProblem;
import io.afterimage.files.FileStatus;
import io.afterimage.files.FileTree;
import io.afterimage.files.Listing;
import io.afterimage.image.ImageLibrary;
import io.afterimage.posix.FileKind;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.nio.file.Path;
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

/** {@code afterimage files}. */
@Command(
        name = "files",
        description = {
            "List the volumes and files in the disks of a restore point, and copy files out; no right to mount is needed.",
            "Needs libguestfs (packages libguestfs0, libguestfs-xfs and linux-image-cloud-amd64)."
        },
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  afterimage files web                                    the volumes",
            "  afterimage files web@latest:vda.p1/etc                  what is in a folder",
            "  afterimage files web:vg0/home/ann/report.odt --extract .  copied here"
        })
final class FilesCommand implements Callable<Integer> {

    @Mixin
    private RepositoryOption repository;

    @Mixin
    private JsonOption json;

    @Mixin
    private ApplianceOptions appliance;

    @Parameters(
            paramLabel = "SELECTOR[:VOLUME[/PATH]]",
            description = "machine[/disk][@point], a volume of those listed, and a path in it, with \\n, \\xHH and so on as listed.")
    private String location;

    @Option(
            names = "--extract",
            paramLabel = "DIR",
            description = "Copy the file, or the folder with all that is in it, into DIR, with times, owners and so on. Nothing is replaced.")
    private Path target;

    @Option(names = "--devices", description = "With --extract: make device nodes, too. Without it they are left out.")
    private boolean devices;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        GuestLocation parsed = GuestLocation.parse(location);
        if (target != null && parsed.place().isEmpty()) {
            throw new ParameterException(spec.commandLine(), "To extract, name a volume, such as " + location + ":vda.p1/etc.");
        }
        try (Repository opened = repository.open();
                ImageLibrary images = repository.assembly().images(opened)) {
            Point point = opened.catalog().resolve(parsed.selector());
            try (GuestFiles guest =
                    GuestFiles.open(opened.catalog(), images, point, parsed.selector().disk(), appliance.settings())) {
                if (parsed.place().isEmpty()) {
                    List<VolumeView> views = guest.volumes().stream().map(VolumeView::of).toList();
                    json.print(spec, views, VolumeView.table(views));
                    return ExitCode.OK.number();
                }
                GuestFiles.Place place = guest.find(parsed.place().get());
                FileTree tree = guest.tree(place.volume());
                return (target == null ? list(tree, place.path()) : extract(tree, place.path())).number();
            }
        }
    }

    private ExitCode list(FileTree tree, FilePath path) throws IOException {
        FileStatus status = tree.status(path);
        List<FileView> views = new ArrayList<>();
        List<FileProblem> problems = List.of();
        if (status.kind() == FileKind.FOLDER) {
            Listing listing = tree.list(path);
            problems = listing.problems();
            listing.entries().forEach(entry -> views.add(FileView.of(path.child(entry.name()), entry.status())));
        } else {
            views.add(FileView.of(path, status));
        }
        json.print(spec, views, FileView.table(views));
        return complain(problems);
    }

    private ExitCode extract(FileTree tree, FilePath path) throws IOException {
        ExtractionReport report;
        try (TerminalProgress progress = TerminalProgress.start("Copying")) {
            report = ExtractFiles.run(tree, path, target, devices, progress);
        }
        ExtractionView view = ExtractionView.of(report);
        json.print(spec, view, view.text(target));
        return complain(report.problems());
    }

    private ExitCode complain(List<FileProblem> problems) {
        problems.forEach(problem -> spec.commandLine().getErr().println(problem.path() + ": " + problem.reason()));
        return problems.isEmpty() ? ExitCode.OK : ExitCode.INCOMPLETE;
    }
}
