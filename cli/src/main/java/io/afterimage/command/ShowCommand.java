package io.afterimage.command;

import io.afterimage.app.machine.CapturedMachine;
import io.afterimage.app.machine.MachineDocuments;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointDisk;
import io.afterimage.catalog.Selector;
import io.afterimage.command.output.PointView;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.Manifest;
import io.afterimage.profile.BootProfiles;
import io.afterimage.profile.FoundProfile;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code afterimage show}. */
@Command(
        name = "show",
        description = "Show all that is known of a restore point: its disks, what it cost, the machine it was taken from.",
        mixinStandardHelpOptions = true,
        footer = {"", "Examples:", "  afterimage show web@2026-03-01T04:00:00Z", "  afterimage show web --definition libvirt/domain.xml"})
final class ShowCommand implements Callable<Integer> {

    @Mixin
    private RepositoryOption repository;

    @Mixin
    private JsonOption json;

    @Parameters(paramLabel = "SELECTOR", description = "machine[/disk][@point]; the newest point when none is named.")
    private String selector;

    @Option(names = "--definition", paramLabel = "DOCUMENT", description = "Print one of the documents that describe the machine, and nothing else.")
    private String document;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        Selector parsed = Selector.parse(selector);
        try (Repository opened = repository.open()) {
            Point point = opened.catalog().resolve(parsed);
            Manifest manifest = opened.manifest(point);
            if (document != null) {
                spec.commandLine().getOut().println(new MachineDocuments(manifest.definition()).text(document));
            } else {
                CapturedMachine machine = CapturedMachine.of(manifest.definition());
                Map<DiskName, FoundProfile> profiles = profiles(opened, point);
                json.print(
                        spec,
                        PointView.of(point, manifest, profiles),
                        PointView.details(point, manifest, profiles, machine.summary(), machine.guest().orElse("")));
            }
        }
        return ExitCode.OK.number();
    }

    private static Map<DiskName, FoundProfile> profiles(Repository repository, Point point) throws IOException {
        BootProfiles all = new BootProfiles(repository);
        Map<DiskName, FoundProfile> found = new TreeMap<>();
        for (PointDisk disk : point.disks()) {
            all.nearest(point.machine(), point.id(), disk.name()).ifPresent(profile -> found.put(disk.name(), profile));
        }
        return found;
    }
}
