package io.afterimage.settings;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Lengths of time as people write them: {@code 90m}, {@code 24h}, {@code 7d}. */
public final class Period {

    private static final Pattern FORM = Pattern.compile("(\\d{1,6})([smhd])");

    private Period() {}

    /** Reads a number with {@code s}, {@code m}, {@code h} or {@code d} behind it; {@code 0} needs none. */
    public static Duration parse(String text) {
        if (text.equals("0")) {
            return Duration.ZERO;
        }
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("'" + text + "' is not a length of time: write a number with s, m, h or d, such as 24h.");
        }
        long count = Long.parseLong(matcher.group(1));
        return switch (matcher.group(2)) {
            case "s" -> Duration.ofSeconds(count);
            case "m" -> Duration.ofMinutes(count);
            case "h" -> Duration.ofHours(count);
            default -> Duration.ofDays(count);
        };
    }
}
