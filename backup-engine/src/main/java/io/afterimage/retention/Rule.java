package io.afterimage.retention;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** A way to choose points by their time. Periods are of the calendar in UTC; weeks begin on Monday (ISO 8601). */
public enum Rule {
    /** Each point by itself: here a period is an instant, and two points of one instant are still two. */
    LAST("uuuu-MM-dd'T'HH:mm:ss.nX"),
    HOURLY("uuuu-MM-dd'T'HHX"),
    DAILY("uuuu-MM-dd"),
    WEEKLY("YYYY-'W'ww"),
    MONTHLY("uuuu-MM"),
    YEARLY("uuuu");

    private final DateTimeFormatter format;

    Rule(String pattern) {
        // The locale decides what a week is: in that of Great Britain it is that of ISO 8601.
        format = DateTimeFormatter.ofPattern(pattern, Locale.UK).withZone(ZoneOffset.UTC);
    }

    /** The period that an instant lies in, as people write it: {@code 2026-11-20}, {@code 2026-W47}. */
    String period(Instant instant) {
        return format.format(instant);
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
