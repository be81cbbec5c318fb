package io.afterimage.retention;

import io.afterimage.catalog.Point;
import io.afterimage.manifest.PointId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * How many points to keep by each {@link Rule}: of the latest so many periods in which the machine has points, the newest point each. A point that any rule
 * keeps is kept. Since every rule keeps the newest point of all, a policy never drops it. Immutable.
 */
public final class RetentionPolicy {

    private static final String PROTECTED = "protected";

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
     * What becomes of each point of one machine, newest first: that is the order of their ids, in which each backup comes after those before
     * it though the host's clock was set back, so that what was backed up just now is never taken for the oldest.
     *
     * @param points in any order
     * @param held those that are never dropped; they count for the rules like any other
     * @param now what is immutable at that instant is not dropped either
     */
    public List<Decision> decide(Collection<Point> points, Set<PointId> held, Instant now) {
        Map<Rule, Set<String>> periods = new EnumMap<>(Rule.class);
        List<Decision> decisions = new ArrayList<>();
        for (Point point : points.stream().sorted(Comparator.comparing(Point::id).reversed()).toList()) {
            List<String> reasons = new ArrayList<>();
            if (held.contains(point.id())) {
                reasons.add(PROTECTED);
            }
            if (point.isImmutable(now)) {
                reasons.add("immutable until " + point.immutable().orElseThrow().until());
            }
            counts.forEach((rule, count) -> {
                Set<String> seen = periods.computeIfAbsent(rule, _ -> new HashSet<>());
                String period = rule == Rule.LAST ? point.id().hex() : rule.period(point.time());
                if (seen.size() < count && seen.add(period)) {
                    reasons.add(rule == Rule.LAST ? rule.toString() : rule + " " + period);
                }
            });
            decisions.add(new Decision(point, reasons));
        }
        return decisions;
    }
}
