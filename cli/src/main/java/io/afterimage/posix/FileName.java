package io.afterimage.posix;

import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The name of a file in its folder: any bytes but NUL and {@code /}, and neither {@code .} nor {@code ..}, so that it can never lead
 * out of the folder. Ordered by its unsigned bytes.
 */
public final class FileName implements Comparable<FileName> {

    private final byte[] bytes;

    private FileName(byte[] bytes) {
        this.bytes = bytes;
    }

    /**
     * A name of these bytes.
     *
     * @throws IllegalArgumentException if no file can have that name
     */
    public static FileName of(byte[] bytes) {
        boolean dots = bytes.length > 0 && bytes.length <= 2 && bytes[0] == '.' && bytes[bytes.length - 1] == '.';
        boolean separator = false;
        for (byte b : bytes) {
            separator |= b == 0 || b == '/';
        }
        if (bytes.length == 0 || dots || separator) {
            throw new IllegalArgumentException("'" + EscapedText.of(bytes) + "' is no name of a file");
        }
        return new FileName(bytes.clone());
    }

    /** The same from text, in UTF-8. */
    public static FileName of(String text) {
        return of(text.getBytes(StandardCharsets.UTF_8));
    }

    public byte[] bytes() {
        return bytes.clone();
    }

    /** Whether the bytes are text, in UTF-8. */
    public boolean isText() {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
            return true;
        } catch (CharacterCodingException _) {
            return false;
        }
    }

    @Override
    public int compareTo(FileName other) {
        return Arrays.compareUnsigned(bytes, other.bytes);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof FileName name && Arrays.equals(bytes, name.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    /** As it can be shown on a terminal: see {@link EscapedText}. */
    @Override
    public String toString() {
        return EscapedText.of(bytes);
    }
}
