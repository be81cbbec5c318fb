package io.afterimage.settings;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Numbers of bytes as people write and read them: {@code 64k}, {@code 1.5 GiB}. Units are powers of 1024. */
public final class ByteSize {

    private static final Pattern FORM = Pattern.compile("(\\d+)\\s*([kmgt]?)(i?b)?", Pattern.CASE_INSENSITIVE);
    private static final String UNITS = "kmgt";
    private static final String[] NAMES = {"B", "KiB", "MiB", "GiB", "TiB"};

    private ByteSize() {}

    /** Reads {@code 65536}, {@code 64k}, {@code 64KiB}. */
    public static long parse(String text) {
        Matcher matcher = FORM.matcher(text.strip());
        if (!matcher.matches()) {
            throw new IllegalArgumentException("'" + text + "' is not a size: write a number of bytes, or one with k, M, G or T.");
        }
        int power = matcher.group(2).isEmpty() ? 0 : 1 + UNITS.indexOf(matcher.group(2).toLowerCase(Locale.ROOT));
        try {
            return Math.multiplyExact(Long.parseLong(matcher.group(1)), 1L << (10 * power));
        } catch (ArithmeticException | NumberFormatException e) {
            throw new IllegalArgumentException("'" + text + "' is more bytes than there can be.", e);
        }
    }

    /** Three or four digits and a unit, such as {@code 1.46 GiB}. */
    public static String format(long bytes) {
        double value = bytes;
        int power = 0;
        while (value >= 1024 && power < NAMES.length - 1) {
            value /= 1024;
            power++;
        }
        if (power == 0) {
            return bytes + " B";
        }
        return String.format(Locale.ROOT, value < 10 ? "%.2f %s" : value < 100 ? "%.1f %s" : "%.0f %s", value, NAMES[power]);
    }
}
