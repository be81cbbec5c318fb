package io.afterimage.command;

import io.afterimage.command.output.GcView;
import io.afterimage.command.output.TerminalProgress;
import io.afterimage.maintenance.GarbageCollection;
import io.afterimage.maintenance.GcReport;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code afterimage gc}. */
@Command(
        name = "gc",
        description = "Delete what no restore point needs. Safe beside everything else. What is found to be garbage is deleted by a later run, "
                + "when the grace period is over.",
        mixinStandardHelpOptions = true,
        footer = {"", "Examples:", "  afterimage gc", "  afterimage gc --compact 30% --dry-run"})
final class GcCommand implements Callable<Integer> {

    @Mixin
    private RepositoryOption repository;

    @Mixin
    private JsonOption json;

    @Option(
            names = "--grace",
            paramLabel = "TIME",
            defaultValue = "24h",
            converter = Argument.Period.class,
            description = "How long garbage stays after it was found, such as 90m, 24h or 7d; 0 deletes in the same run. Default: ${DEFAULT-VALUE}.")
    private Duration grace;

    @Option(
            names = "--compact",
            paramLabel = "P%",
            arity = "0..1",
            fallbackValue = "50%",
            converter = Argument.Share.class,
            description = "Also empty packs of which less than P% are needed into others; 50% when P is left out. To be given every time: what is "
                    + "found by one run is emptied by a later one.")
    private Double compact;

    @Option(names = "--dry-run", description = "Show what would be done, and do nothing.")
    private boolean dryRun;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        GarbageCollection.Request request = new GarbageCollection.Request(grace, compact == null ? 0 : compact, dryRun);
        try (Repository opened = repository.open()) {
            GcReport report;
            try (TerminalProgress progress = TerminalProgress.start("Reading manifests")) {
                report = repository.assembly().garbageCollection(opened).run(request, progress);
            }
            json.print(spec, GcView.of(report, dryRun), GcView.text(report, dryRun));
        }
        return ExitCode.OK.number();
    }
}
