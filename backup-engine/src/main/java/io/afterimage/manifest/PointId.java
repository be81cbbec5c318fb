package io.afterimage.manifest;

import java.security.SecureRandom;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The name of a restore point: 32 lower-case hex digits, of which the first twelve are the milliseconds since 1970 at which its
 * capture began and the others are random. So the ids of a machine sort by time, and a listing of keys finds the
 * latest point, or the last one before an instant, without reading any.
 */
public record PointId(String hex) implements Comparable<PointId> {

    /** The digits that tell the time. */
    private static final int TIME_DIGITS = 12;

    private static final int RANDOM_BYTES = 10;
    private static final Pattern HEX = Pattern.compile("[0-9a-f]{32}");

    public PointId {
        if (!HEX.matcher(hex).matches()) {
            throw new IllegalArgumentException("not a point id: " + hex);
        }
    }

    /** An id for a capture that begins now: later than the machine's last one, even if the clock was set back. */
    public static PointId next(Optional<PointId> last, Instant now, SecureRandom random) {
        Instant earliest = last.map(id -> id.time().plusMillis(1)).orElse(now);
        return at(now.isBefore(earliest) ? earliest : now, random);
    }

    public static PointId at(Instant time, SecureRandom random) {
        byte[] bytes = new byte[RANDOM_BYTES];
        random.nextBytes(bytes);
        return new PointId(timeDigits(time) + HexFormat.of().formatHex(bytes));
    }

    /** What the ids of all points begun in that millisecond begin with. */
    public static String timeDigits(Instant time) {
        long millis = Math.clamp(time.toEpochMilli(), 0L, (1L << (4 * TIME_DIGITS)) - 1);
        return HexFormat.of().toHexDigits(millis, TIME_DIGITS);
    }

    /** When the capture began, to the millisecond. */
    public Instant time() {
        return Instant.ofEpochMilli(Long.parseLong(hex, 0, TIME_DIGITS, 16));
    }

    @Override
    public int compareTo(PointId other) {
        return hex.compareTo(other.hex);
    }

    @Override
    public String toString() {
        return hex;
    }
}
