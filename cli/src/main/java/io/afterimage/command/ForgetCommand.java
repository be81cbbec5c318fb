package io.afterimage.command;

import io.afterimage.app.ForgetPoints;
import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.CatalogException;
import io.afterimage.catalog.Selector;
import io.afterimage.command.output.DecisionView;
import io.afterimage.manifest.MachineName;
import io.afterimage.repository.Repository;
import io.afterimage.retention.Decision;
import io.afterimage.retention.RetentionPolicy;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code afterimage forget}. */
@Command(
        name = "forget",
        description = "Take restore points out of the list: of each machine those that no rule keeps, or one by its selector. "
                + "Days, weeks, months and years are those of UTC. 'gc' gives the space back.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  afterimage forget web --keep-last 3 --keep-daily 14 --keep-monthly 12 --dry-run",
            "  afterimage forget web@01a1fde2e0e7"
        })
final class ForgetCommand implements Callable<Integer> {

    @Mixin
    private RepositoryOption repository;

    @Mixin
    private JsonOption json;

    @Mixin
    private KeepOptions keep;

    @Parameters(arity = "0..1", paramLabel = "MACHINE|SELECTOR", description = "A machine, all when left out; or one point, such as web@01a1fde2e0e7.")
    private String name;

    @Option(names = "--dry-run", description = "Show what would be forgotten and why the others are kept, and forget nothing.")
    private boolean dryRun;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        boolean single = name != null && name.contains("@");
        if (single && !keep.isEmpty()) {
            throw new ParameterException(
                    spec.commandLine(), "'" + name + "' names one point, and rules choose among all of a machine: give either.");
        }
        RetentionPolicy policy = single ? null : policy();
        try (Repository opened = repository.open()) {
            ForgetPoints forget = repository.assembly().forgetPoints(opened);
            List<Decision> decisions = single
                    ? List.of(forget.one(Selector.parse(name), dryRun))
                    : forget.byPolicy(machines(opened.catalog()), policy, dryRun);
            List<DecisionView> views = decisions.stream().map(DecisionView::of).toList();
            json.print(spec, views, DecisionView.table(views, dryRun));
        }
        return ExitCode.OK.number();
    }

    private RetentionPolicy policy() {
        try {
            return keep.policy();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private Collection<MachineName> machines(Catalog catalog) throws IOException {
        if (name == null) {
            return catalog.machines();
        }
        MachineName machine = Selector.parse(name).machine();
        if (catalog.pointIds(machine).isEmpty()) {
            throw new CatalogException(
                    CatalogException.Reason.NO_SUCH_MACHINE,
                    "The repository has no machine '" + machine + "': 'afterimage list' shows those it has.");
        }
        return List.of(machine);
    }
}
