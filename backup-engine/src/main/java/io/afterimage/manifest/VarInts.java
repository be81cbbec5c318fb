package io.afterimage.manifest;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;

/**
 * Numbers from 0 to 2^31 - 1 in one to five bytes: seven bits a byte, the lowest first, the top bit set on all but the last
 * (LEB128). Signed numbers are folded first: 0, -1, 1, -2, … become 0, 1, 2, 3, ….
 */
final class VarInts {

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    void put(int value) {
        int rest = value;
        while (rest > 0x7f) {
            out.write((rest & 0x7f) | 0x80);
            rest >>>= 7;
        }
        out.write(rest);
    }

    void putSigned(int value) {
        put((value << 1) ^ (value >> 31));
    }

    void put(byte[] bytes) {
        out.write(bytes, 0, bytes.length);
    }

    byte[] toByteArray() {
        return out.toByteArray();
    }

    /** Throws a {@link java.nio.BufferUnderflowException} when the bytes end within the number. */
    static int get(ByteBuffer in) throws CorruptManifestException {
        long value = 0;
        int shift = 0;
        int next;
        do {
            next = in.get();
            value |= (long) (next & 0x7f) << shift;
            shift += 7;
        } while (next < 0 && shift < 35);
        if (next < 0 || value > Integer.MAX_VALUE) {
            throw new CorruptManifestException("it has a number that is too large");
        }
        return (int) value;
    }

    static int getSigned(ByteBuffer in) throws CorruptManifestException {
        int value = get(in);
        return (value >>> 1) ^ -(value & 1);
    }
}
