package io.afterimage.retention;

import io.afterimage.catalog.Point;
import io.afterimage.manifest.PointId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * How many points to keep by each {@link Rule}: of the latest so many periods in which the machine has points, the newest point each. A point that any rule
 * keeps is kept. Since every rule keeps the newest point of all, a policy never drops it. Immutable.
 */
public final class RetentionPolicy {

    private static final String PROTECTED = "protected";

    /** Of two points of one instant the one that was begun later is the newer one. */
    private static final Comparator<Point> BY_TIME = Comparator.comparing(Point::time).thenComparing(Point::id);

    private final Map<Rule, Integer> counts = new EnumMap<>(Rule.class);

    /**
     * @param counts how many periods by each rule; rules that are not there keep nothing
     * @throws IllegalArgumentException if no rule keeps anything, which nobody means who asks what to keep
     */
    public RetentionPolicy(Map<Rule, Integer> counts) {
        counts.forEach((rule, count) -> {
            if (count < 0) {
                throw new IllegalArgumentException("--keep-" + rule + " " + count + " makes no sense: give a number of points to keep.");
            }
            this.counts.put(rule, count);
        });
        if (counts.values().stream().allMatch(count -> count == 0)) {
            throw new IllegalArgumentException(
                    "Nothing says which points to keep, and all would be dropped: give at least one rule, such as --keep-daily 14, "
                            + "or forget one point by its selector, such as web@<point id>.");
        }
    }

    /**
     * What becomes of each point of one machine, newest first.
     *
     * @param points in any order
     * @param held those that are never dropped; they count for the rules like any other
     * @param now what is immutable at that instant is not dropped either
     */
    public List<Decision> decide(Collection<Point> points, Set<PointId> held, Instant now) {
        List<Point> newestFirst = points.stream().sorted(BY_TIME.reversed()).toList();
        Map<Rule, String> last = new EnumMap<>(Rule.class);
        Map<Rule, Integer> kept = new EnumMap<>(Rule.class);
        List<Decision> decisions = new ArrayList<>();
        for (Point point : newestFirst) {
            List<String> reasons = new ArrayList<>();
            if (held.contains(point.id())) {
                reasons.add(PROTECTED);
            }
            if (point.isImmutable(now)) {
                reasons.add("immutable until " + point.immutable().orElseThrow().until());
            }
            counts.forEach((rule, count) -> {
                // Points come in the order of time, so those of a period come together.
                String period = rule == Rule.LAST ? point.id().hex() : rule.period(point.time());
                if (!period.equals(last.put(rule, period)) && kept.merge(rule, 1, Integer::sum) <= count) {
                    reasons.add(rule == Rule.LAST ? rule.toString() : rule + " " + period);
                }
            });
            decisions.add(new Decision(point, reasons));
        }
        return decisions;
    }
}
