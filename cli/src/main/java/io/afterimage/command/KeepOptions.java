package io.afterimage.command;

import io.afterimage.retention.RetentionPolicy;
import io.afterimage.retention.Rule;
import java.util.EnumMap;
import java.util.Map;
import picocli.CommandLine.Option;

/** {@code --keep-…}: which points a machine keeps. */
final class KeepOptions {

    private final Map<Rule, Integer> counts = new EnumMap<>(Rule.class);

    @Option(names = "--keep-last", paramLabel = "N", description = "Keep the newest N points.")
    void last(int count) {
        counts.put(Rule.LAST, count);
    }

    @Option(names = "--keep-hourly", paramLabel = "N", description = "Of the latest N hours that have points, keep the newest point each.")
    void hourly(int count) {
        counts.put(Rule.HOURLY, count);
    }

    @Option(names = "--keep-daily", paramLabel = "N", description = "The same for days (UTC).")
    void daily(int count) {
        counts.put(Rule.DAILY, count);
    }

    @Option(names = "--keep-weekly", paramLabel = "N", description = "The same for weeks that begin on Monday.")
    void weekly(int count) {
        counts.put(Rule.WEEKLY, count);
    }

    @Option(names = "--keep-monthly", paramLabel = "N", description = "The same for months.")
    void monthly(int count) {
        counts.put(Rule.MONTHLY, count);
    }

    @Option(names = "--keep-yearly", paramLabel = "N", description = "The same for years.")
    void yearly(int count) {
        counts.put(Rule.YEARLY, count);
    }

    boolean isEmpty() {
        return counts.isEmpty();
    }

    RetentionPolicy policy() {
        return new RetentionPolicy(counts);
    }
}
