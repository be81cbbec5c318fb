package io.afterimage.chunk;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * The identity of a chunk: the hash of its bytes, padded with zeros to the chunk size; SHA-256, and in an encrypted repository
 * HMAC-SHA-256 under a key of its own ({@link PackSeal#id}). Equal ids mean equal chunks.
 *
 * @param a bytes 0 to 7, big-endian; {@code b}, {@code c} and {@code d} follow
 */
public record ChunkId(long a, long b, long c, long d) {

    /** Bytes of an id. */
    public static final int LENGTH = 32;

    private static final ThreadLocal<MessageDigest> SHA_256 = ThreadLocal.withInitial(() -> {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    });

    /** The SHA-256 of the chunk that is {@code length} bytes of {@code bytes} from {@code offset} on. */
    static ChunkId of(byte[] bytes, int offset, int length) {
        MessageDigest digest = SHA_256.get();
        digest.update(bytes, offset, length);
        return get(ByteBuffer.wrap(digest.digest()));
    }

    /** Takes the next 32 bytes of {@code source}. */
    public static ChunkId get(ByteBuffer source) {
        return new ChunkId(source.getLong(), source.getLong(), source.getLong(), source.getLong());
    }

    /** Appends the 32 bytes to {@code target}. */
    public void put(ByteBuffer target) {
        target.putLong(a).putLong(b).putLong(c).putLong(d);
    }

    /** 64 lower-case hex digits. */
    @Override
    public String toString() {
        HexFormat hex = HexFormat.of();
        return hex.toHexDigits(a) + hex.toHexDigits(b) + hex.toHexDigits(c) + hex.toHexDigits(d);
    }
}
