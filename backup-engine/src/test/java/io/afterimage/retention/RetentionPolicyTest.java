package io.afterimage.retention;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.catalog.CaptureBytes;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointKind;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import io.afterimage.store.Retention;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Policies on histories that somebody thought of, and their laws on histories by chance ({@code -Dafterimage.seed}). */
class RetentionPolicyTest {

    private static final SecureRandom RANDOM = new SecureRandom();
    private static final List<Rule> ALL = List.copyOf(EnumSet.allOf(Rule.class));
    private static final Comparator<Point> IN_ORDER = Comparator.comparing(Point::id);

    private static final Instant NOW = Instant.parse("2026-11-20T12:00:00Z");

    private static Point point(Instant time) {
        return point(PointId.at(time, RANDOM), time);
    }

    private static Point point(PointId id, Instant time) {
        return new Point(
                id, new MachineName("web"), time, PointKind.FULL, Optional.empty(), List.of(),
                CaptureBytes.NONE, new Point.Seal(1, "0".repeat(64)), Optional.empty());
    }

    private static Point point(String time) {
        return point(Instant.parse(time));
    }

    private static List<String> reasons(Map<Rule, Integer> rules, Set<PointId> held, Point... points) {
        return new RetentionPolicy(rules)
                .decide(List.of(points), held, NOW).stream().map(decision -> String.join(", ", decision.reasons())).toList();
    }

    @Test
    void whatIsImmutableStaysUntilItIsNot() {
        Point newest = point("2026-11-19T08:00:00Z");
        Point held = immutable(point("2026-11-18T08:00:00Z"), NOW.plusSeconds(1));
        Point over = immutable(point("2026-11-17T08:00:00Z"), NOW);
        assertEquals(
                List.of("last", "immutable until 2026-11-20T12:00:01Z", ""),
                reasons(Map.of(Rule.LAST, 1), Set.of(), over, newest, held));
    }

    private static Point immutable(Point point, Instant until) {
        return new Point(
                point.id(), point.machine(), point.time(), point.kind(), point.parent(), point.disks(), point.bytes(), point.manifest(),
                Optional.of(new Retention(Retention.Mode.GOVERNANCE, until)));
    }

    @Test
    void eachReasonIsTold() {
        Point old = point("2025-12-29T08:00:00Z");
        assertEquals(
                List.of("last, daily 2026-11-20, weekly 2026-W47, yearly 2026", "", "daily 2026-11-19", "", "protected, weekly 2026-W01"),
                reasons(
                        Map.of(Rule.LAST, 1, Rule.DAILY, 2, Rule.WEEKLY, 2, Rule.YEARLY, 1),
                        Set.of(old.id()),
                        point("2026-11-20T12:00:00Z"),
                        point("2026-11-20T11:00:00Z"),
                        point("2026-11-19T23:59:59.999Z"),
                        point("2026-11-19T00:00:00Z"),
                        old));
    }

    @Test
    void periodsAreOfTheCalendarInUtcAndEmptyOnesDoNotCount() {
        assertEquals(
                List.of("hourly 2026-03-01T00Z, monthly 2026-03", "hourly 2026-02-28T23Z, monthly 2026-02", ""),
                reasons(
                        Map.of(Rule.HOURLY, 2, Rule.MONTHLY, 2),
                        Set.of(),
                        point("2026-03-01T00:00:00Z"),
                        point("2026-02-28T23:59:00Z"),
                        point("2026-02-01T00:00:00Z")));
        assertEquals(List.of("yearly 2026", "yearly 2019"),
                reasons(Map.of(Rule.YEARLY, 2), Set.of(), point("2026-01-01T00:00:00Z"), point("2019-12-31T23:59:59Z")));
    }

    /** What was backed up last is what {@code @latest} means, and must not go because its host believes to be in another year. */
    @Test
    void aClockThatWasSetBackMakesNoNewPointOld() {
        Point before = point("2026-11-18T08:00:00Z");
        Point reset = point(PointId.next(Optional.of(before.id()), Instant.EPOCH, RANDOM), Instant.EPOCH);
        Point repaired = point(PointId.next(Optional.of(reset.id()), NOW, RANDOM), NOW);
        assertEquals(List.of("last, daily 1970-01-01", ""), reasons(Map.of(Rule.LAST, 1, Rule.DAILY, 1), Set.of(), before, reset));
        assertEquals(
                List.of("last, daily 2026-11-20", "last, daily 1970-01-01", ""),
                reasons(Map.of(Rule.LAST, 2, Rule.DAILY, 2), Set.of(), before, reset, repaired));
    }

    @Test
    void aClockThatWasAheadMakesNoLaterPointOld() {
        Instant future = Instant.parse("2099-01-01T00:00:00Z");
        Point ahead = point(future);
        Point repaired = point(PointId.next(Optional.of(ahead.id()), NOW, RANDOM), NOW);
        assertEquals(List.of("last", ""), reasons(Map.of(Rule.LAST, 1), Set.of(), ahead, repaired));
    }

    @Test
    void whoSaysNotWhatToKeepIsAsked() {
        assertThrows(IllegalArgumentException.class, () -> new RetentionPolicy(Map.of()));
        assertThrows(IllegalArgumentException.class, () -> new RetentionPolicy(Map.of(Rule.LAST, 0, Rule.DAILY, 0)));
        assertThrows(IllegalArgumentException.class, () -> new RetentionPolicy(Map.of(Rule.LAST, 3, Rule.DAILY, -1)));
    }

    /** A history, rules and protected points by chance. */
    record Trial(long seed, List<Point> points, Map<Rule, Integer> rules, Set<PointId> held) {

        static Trial of(long seed) {
            Random random = new Random(seed);
            Duration span = List.of(Duration.ofHours(6), Duration.ofDays(20), Duration.ofDays(400), Duration.ofDays(4000)).get(random.nextInt(4));
            Instant begin = Instant.parse("2019-12-20T00:00:00Z");
            List<Point> points = new ArrayList<>();
            int count = 1 + random.nextInt(120);
            for (int i = 0; i < count; i++) {
                points.add(point(begin.plusMillis(random.nextLong(span.toMillis()) / 500 * 500)));
            }
            Map<Rule, Integer> rules = new EnumMap<>(Rule.class);
            while (rules.values().stream().allMatch(number -> number == 0)) {
                rules.put(ALL.get(random.nextInt(ALL.size())), random.nextInt(8));
            }
            Set<PointId> held = new HashSet<>();
            points.stream().filter(_ -> random.nextInt(10) == 0).map(Point::id).forEach(held::add);
            return new Trial(seed, points, rules, held);
        }

        Set<Point> kept(Map<Rule, Integer> by, List<Point> among) {
            return new RetentionPolicy(by)
                    .decide(among, held, NOW).stream().filter(Decision::isKept).map(Decision::point).collect(Collectors.toSet());
        }

        Set<Point> kept() {
            return kept(rules, points);
        }

        @Override
        public String toString() {
            return "-Dafterimage.seed=" + seed;
        }
    }

    static Stream<Trial> trials() {
        Long seed = Long.getLong("afterimage.seed");
        return (seed != null ? LongStream.of(seed) : LongStream.range(0, 100)).mapToObj(Trial::of);
    }

    @ParameterizedTest
    @MethodSource("trials")
    void whatIsKeptIsKeptAgain(Trial trial) {
        assertEquals(trial.kept(), trial.kept(trial.rules(), List.copyOf(trial.kept())));
    }

    @ParameterizedTest
    @MethodSource("trials")
    void theOrderOfThePointsMeansNothing(Trial trial) {
        List<Point> shuffled = new ArrayList<>(trial.points());
        Collections.shuffle(shuffled, new Random(trial.seed()));
        assertEquals(trial.kept(), trial.kept(trial.rules(), shuffled));
    }

    @ParameterizedTest
    @MethodSource("trials")
    void whoAsksForMoreKeepsMore(Trial trial) {
        Map<Rule, Integer> more = new EnumMap<>(trial.rules());
        Random random = new Random(trial.seed());
        more.replaceAll((_, count) -> count + random.nextInt(3));
        assertTrue(trial.kept(more, trial.points()).containsAll(trial.kept()));
    }

    @ParameterizedTest
    @MethodSource("trials")
    void theNewestAndTheProtectedAreNeverDropped(Trial trial) {
        assertTrue(trial.kept().contains(Collections.max(trial.points(), IN_ORDER)));
        assertTrue(trial.kept().stream().map(Point::id).collect(Collectors.toSet()).containsAll(trial.held()));
    }

    @ParameterizedTest
    @MethodSource("trials")
    void eachRuleKeepsTheNewestPointOfItsLatestPeriodsAndNoOther(Trial trial) {
        List<Point> newestFirst = trial.points().stream().sorted(IN_ORDER.reversed()).toList();
        Set<Point> expected = new HashSet<>(trial.points().stream().filter(point -> trial.held().contains(point.id())).toList());
        trial.rules().forEach((rule, count) -> {
            if (rule == Rule.LAST) {
                expected.addAll(newestFirst.subList(0, Math.min(count, newestFirst.size())));
            } else {
                Map<String, Point> newest = new HashMap<>();
                newestFirst.forEach(point -> newest.putIfAbsent(rule.period(point.time()), point));
                newest.values().stream().sorted(IN_ORDER.reversed()).limit(count).forEach(expected::add);
            }
        });
        assertEquals(expected, trial.kept());
    }
}
