package io.afterimage.chunk;

import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * The name of a pack: 128 random bits, so that packs of any two writers never meet. Written as 32 lower-case hex digits.
 *
 * @param high bytes 0 to 7, big-endian
 * @param low bytes 8 to 15
 */
public record PackId(long high, long low) implements Comparable<PackId> {

    /** Bytes of an id. */
    public static final int LENGTH = 16;

    private static final Pattern HEX = Pattern.compile("[0-9a-f]{32}");

    public static PackId random(SecureRandom random) {
        return new PackId(random.nextLong(), random.nextLong());
    }

    /** Takes the next 16 bytes of {@code source}. */
    public static PackId get(ByteBuffer source) {
        return new PackId(source.getLong(), source.getLong());
    }

    /** The id that {@link #toString} wrote; an {@link IllegalArgumentException} for anything else. */
    public static PackId parse(String text) {
        if (!HEX.matcher(text).matches()) {
            throw new IllegalArgumentException("not a pack id: " + text);
        }
        return new PackId(Long.parseUnsignedLong(text, 0, 16, 16), Long.parseUnsignedLong(text, 16, 32, 16));
    }

    /** Appends the 16 bytes to {@code target}. */
    public void put(ByteBuffer target) {
        target.putLong(high).putLong(low);
    }

    @Override
    public int compareTo(PackId other) {
        int order = Long.compareUnsigned(high, other.high);
        return order != 0 ? order : Long.compareUnsigned(low, other.low);
    }

    @Override
    public String toString() {
        HexFormat hex = HexFormat.of();
        return hex.toHexDigits(high) + hex.toHexDigits(low);
    }
}
