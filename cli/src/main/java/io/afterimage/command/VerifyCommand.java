package io.afterimage.command;

import io.afterimage.catalog.Point;
import io.afterimage.catalog.Selector;
import io.afterimage.command.output.TerminalProgress;
import io.afterimage.command.output.VerifyView;
import io.afterimage.maintenance.Thoroughness;
import io.afterimage.maintenance.Verification;
import io.afterimage.maintenance.VerifyReport;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code afterimage verify}. */
@Command(
        name = "verify",
        description = "Read what restore points need and say what is damaged, and which disks it touches. What is damaged is recorded, so that the next "
                + "backup stores it again. Ends with code 8 if anything is.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  afterimage verify                  every chunk of every point, once; goes on where an earlier run was interrupted",
            "  afterimage verify --sample 5%%      all that is not a chunk, and the chunks of 5%% of the packs",
            "  afterimage verify web/vda@latest   one disk"
        })
final class VerifyCommand implements Callable<Integer> {

    @Mixin
    private RepositoryOption repository;

    @Mixin
    private JsonOption json;

    @Parameters(arity = "0..1", paramLabel = "SELECTOR", description = "machine[/disk][@point]; all points of all machines when left out.")
    private String selector;

    @ArgGroup
    private Less less = new Less();

    @Option(names = "--restart", description = "Read everything again, whatever an interrupted run has read.")
    private boolean restart;

    @Option(names = "--dry-run", description = "Record nothing in the repository.")
    private boolean dryRun;

    @Spec
    private CommandSpec spec;

    /** How to look less closely than at everything. */
    private static final class Less {

        @Option(
                names = "--sample",
                paramLabel = "P%",
                converter = Argument.Share.class,
                description = "Read the chunks of this share of the packs, drawn by lot; of the others length and index alone.")
        private Double sample;

        @Option(names = "--structure", description = "Read descriptors, manifests and the packs' indexes, and no chunk that does not look damaged.")
        private boolean structure;
    }

    @Override
    public Integer call() throws IOException {
        Optional<Selector> parsed = selector == null ? Optional.empty() : Optional.of(Selector.parse(selector));
        try (Repository opened = repository.open()) {
            Path resume = repository.assembly().folders().verified(opened.id());
            VerifyReport report;
            try (TerminalProgress progress = TerminalProgress.start("Verifying")) {
                Optional<Point> point = parsed.isPresent() ? Optional.of(opened.catalog().resolve(parsed.get())) : Optional.empty();
                report = repository.assembly()
                        .verification(opened)
                        .run(
                                new Verification.Request(point, parsed.flatMap(Selector::disk), thoroughness(), resume, restart, !dryRun),
                                progress);
            }
            json.print(spec, VerifyView.of(report), VerifyView.text(report));
            return (report.findings().isEmpty() ? ExitCode.OK : ExitCode.CORRUPT).number();
        }
    }

    private Thoroughness thoroughness() {
        if (less.structure) {
            return new Thoroughness.Structure();
        }
        return less.sample == null ? new Thoroughness.Full() : new Thoroughness.Sample(less.sample);
    }
}
