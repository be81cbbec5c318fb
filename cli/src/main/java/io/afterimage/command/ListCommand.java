package io.afterimage.command;

import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.CatalogException;
import io.afterimage.catalog.Point;
import io.afterimage.command.output.PointView;
import io.afterimage.manifest.MachineName;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code afterimage list}. */
@Command(
        name = "list",
        description = "List restore points, oldest first: of one machine, or of all.",
        mixinStandardHelpOptions = true,
        footer = {"", "Example:", "  afterimage list web --json"})
final class ListCommand implements Callable<Integer> {

    @Mixin
    private RepositoryOption repository;

    @Mixin
    private JsonOption json;

    @Parameters(arity = "0..1", paramLabel = "MACHINE", converter = Argument.Machine.class, description = "The machine; all when left out.")
    private MachineName machine;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        try (Repository opened = repository.open()) {
            List<Point> points = points(opened.catalog());
            json.print(spec, points.stream().map(PointView::of).toList(), PointView.table(points));
        }
        return ExitCode.OK.number();
    }

    private List<Point> points(Catalog catalog) throws IOException {
        if (machine != null) {
            List<Point> points = catalog.points(machine);
            if (points.isEmpty()) {
                throw new CatalogException(
                        CatalogException.Reason.NO_SUCH_MACHINE,
                        "The repository has no machine '" + machine + "': 'afterimage list' shows those it has.");
            }
            return points;
        }
        List<Point> points = new ArrayList<>();
        for (MachineName each : catalog.machines()) {
            points.addAll(catalog.points(each));
        }
        return points;
    }
}
