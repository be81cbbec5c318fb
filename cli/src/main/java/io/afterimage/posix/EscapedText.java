package io.afterimage.posix;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;

/**
 * Bytes that come from a guest, as text that is safe on a terminal and loses nothing: UTF-8 stands for itself; a backslash is
 * {@code \\}, a newline {@code \n}, a tab {@code \t}; control characters, marks that turn the direction of writing, and bytes that are no
 * UTF-8 are {@code \xHH}. (A file's name may hold a terminal's commands.)
 */
public final class EscapedText {

    private static final int LONGEST_CHARACTER = 4;

    private EscapedText() {}

    public static String of(byte[] bytes) {
        StringBuilder text = new StringBuilder(bytes.length);
        int at = 0;
        while (at < bytes.length) {
            int length = characterAt(bytes, at);
            String character = new String(bytes, at, Math.max(length, 1), StandardCharsets.UTF_8);
            if (length > 0 && isPrintable(character.codePointAt(0))) {
                text.append(character);
            } else if (bytes[at] == '\n') {
                text.append("\\n");
            } else if (bytes[at] == '\t') {
                text.append("\\t");
            } else if (bytes[at] == '\\') {
                text.append("\\\\");
            } else {
                for (int i = at; i < at + Math.max(length, 1); i++) {
                    text.append(String.format("\\x%02x", bytes[i]));
                }
            }
            at += Math.max(length, 1);
        }
        return text.toString();
    }

    /** The bytes of text that {@link #of} has made, or that needs no escapes. */
    public static byte[] parse(String text) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length());
        int at = 0;
        while (at < text.length()) {
            int end = text.offsetByCodePoints(at, 1);
            if (text.charAt(at) != '\\') {
                bytes.writeBytes(text.substring(at, end).getBytes(StandardCharsets.UTF_8));
            } else if (text.startsWith("\\\\", at)) {
                bytes.write('\\');
                end = at + 2;
            } else if (text.startsWith("\\n", at)) {
                bytes.write('\n');
                end = at + 2;
            } else if (text.startsWith("\\t", at)) {
                bytes.write('\t');
                end = at + 2;
            } else if (text.substring(at).matches("(?s)\\\\x[0-9a-f]{2}.*")) {
                bytes.write(Integer.parseInt(text, at + 2, at + 4, 16));
                end = at + 4;
            } else {
                throw new IllegalArgumentException(
                        "In '" + text + "' a backslash begins nothing that is known: write \\\\ for the character itself, \\n, \\t, or \\xHH.");
            }
            at = end;
        }
        return bytes.toByteArray();
    }

    /** How many bytes the character there has, 0 if it is not UTF-8. */
    private static int characterAt(byte[] bytes, int at) {
        for (int length = 1; length <= LONGEST_CHARACTER && at + length <= bytes.length; length++) {
            CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
            try {
                decoder.decode(ByteBuffer.wrap(bytes, at, length));
                return length;
            } catch (CharacterCodingException _) {
                // Perhaps it has more bytes.
            }
        }
        return 0;
    }

    private static boolean isPrintable(int character) {
        return character != '\\' && switch (Character.getType(character)) {
            case Character.CONTROL, Character.FORMAT, Character.SURROGATE, Character.UNASSIGNED,
                    Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> false;
            default -> true;
        };
    }
}
