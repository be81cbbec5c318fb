package io.afterimage.command.output;

import io.afterimage.retention.Decision;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/**
 * What became of a point, as {@code --json} shows it.
 *
 * @param kept whether the point is still there
 * @param reasons why; none when it was dropped
 */
public record DecisionView(String machine, String point, Instant time, boolean kept, List<String> reasons) {

    public static DecisionView of(Decision decision) {
        return new DecisionView(
                decision.point().machine().text(),
                decision.point().id().hex(),
                decision.point().time(),
                decision.isKept(),
                decision.reasons());
    }

    /** One line a point, and a sentence. */
    public static String table(List<DecisionView> views, boolean dryRun) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("MACHINE", "POINT", "TIME", "DECISION"));
        views.forEach(view -> rows.add(List.of(
                view.machine,
                view.point,
                view.time.truncatedTo(ChronoUnit.SECONDS).toString(),
                view.kept ? "kept: " + String.join(", ", view.reasons) : "dropped")));
        long dropped = views.stream().filter(view -> !view.kept).count();
        return TextTable.of(rows) + "\n" + (dryRun ? "Would forget " : "Forgot ") + dropped + " of " + views.size() + " points."
                + (dropped > 0 && !dryRun ? " 'afterimage gc' gives their space back." : "");
    }
}
