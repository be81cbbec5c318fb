package io.afterimage.manifest;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * The name of a restore point: 128 random bits, as 32 lower-case hex digits. Random, not by time, so that a few digits of it
 * are soon unique.
 */
public record PointId(String hex) {

    private static final Pattern HEX = Pattern.compile("[0-9a-f]{32}");
    private static final int SHORT = 8;

    public PointId {
        if (!HEX.matcher(hex).matches()) {
            throw new IllegalArgumentException("not a point id: " + hex);
        }
    }

    public static PointId random(SecureRandom random) {
        byte[] bytes = new byte[16];
        random.nextBytes(bytes);
        return new PointId(HexFormat.of().formatHex(bytes));
    }

    /** The first digits, for a person to read. */
    public String shortForm() {
        return hex.substring(0, SHORT);
    }

    @Override
    public String toString() {
        return hex;
    }
}
