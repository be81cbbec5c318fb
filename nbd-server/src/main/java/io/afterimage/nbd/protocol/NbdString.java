package io.afterimage.nbd.protocol;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** Strings of the protocol: UTF-8, at most 4096 bytes, without NUL ("String values"). */
public final class NbdString {

    public static final int LONGEST = 4096;
    private static final int QUOTED = 80;

    private NbdString() {}

    /** The string in those bytes, or nothing if they are none. */
    public static Optional<String> decode(byte[] bytes) {
        if (bytes.length > LONGEST) {
            return Optional.empty();
        }
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            return text.indexOf('\0') < 0 ? Optional.of(text) : Optional.empty();
        } catch (CharacterCodingException _) {
            return Optional.empty();
        }
    }

    /** A name from the other side, safe to show: in quotes, cut when long, control characters replaced. */
    public static String quote(String name) {
        int end = name.offsetByCodePoints(0, Math.min(QUOTED, name.codePointCount(0, name.length())));
        String shown = name.substring(0, end).replaceAll("\\p{Cntrl}", "?");
        return "'" + shown + (end < name.length() ? "…" : "") + "'";
    }
}
