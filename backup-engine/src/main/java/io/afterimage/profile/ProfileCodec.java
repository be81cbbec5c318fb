package io.afterimage.profile;

import io.afterimage.manifest.PointId;
import io.afterimage.profile.BootProfile.Read;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** {@code docs/formats/profile.md}: a header, and three numbers a read. */
final class ProfileCodec {

    private static final long MAGIC = 0x4149_424f_4f54_3031L; // "AIBOOT01"
    private static final int HEADER = 40;
    private static final int PROVEN = 1;

    /** Seven bits a byte: the widest offset, length and time there can be. */
    private static final int LONGEST_READ = 9 + 3 + 5;

    /** No profile is larger. */
    static final int LARGEST = HEADER + BootProfile.MOST_READS * LONGEST_READ;

    private ProfileCodec() {}

    static byte[] encode(BootProfile profile) {
        ByteBuffer out = ByteBuffer.allocate(HEADER + profile.reads().size() * LONGEST_READ);
        out.putLong(MAGIC);
        out.put(HexFormat.of().parseHex(profile.point().hex()));
        out.putLong(profile.recorded().toEpochMilli());
        out.putInt(profile.proven() ? PROVEN : 0);
        out.putInt(profile.reads().size());
        long end = 0;
        int millis = 0;
        for (Read read : profile.reads()) {
            long distance = (read.offset() - end) / BootProfile.BLOCK;
            putVarint(out, (distance << 1) ^ (distance >> 63));
            putVarint(out, read.length() / BootProfile.BLOCK);
            putVarint(out, read.millis() - millis);
            end = read.end();
            millis = read.millis();
        }
        byte[] bytes = new byte[out.position()];
        out.flip().get(bytes);
        return bytes;
    }

    /** @throws IllegalArgumentException if these are not the bytes of a profile; the message says why */
    static BootProfile decode(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        try {
            if (in.getLong() != MAGIC) {
                throw new IllegalArgumentException("it does not begin like one of this version");
            }
            byte[] point = new byte[16];
            in.get(point);
            Instant recorded = Instant.ofEpochMilli(in.getLong());
            boolean proven = (in.getInt() & PROVEN) != 0;
            List<Read> reads = reads(in, in.getInt());
            if (in.hasRemaining()) {
                throw new IllegalArgumentException("it goes on behind its end");
            }
            return new BootProfile(new PointId(HexFormat.of().formatHex(point)), recorded, proven, reads);
        } catch (BufferUnderflowException e) {
            throw new IllegalArgumentException("it is cut off", e);
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("a number in it is too large", e);
        }
    }

    private static List<Read> reads(ByteBuffer in, int count) {
        if (count < 0 || count > BootProfile.MOST_READS) {
            throw new IllegalArgumentException("it claims to have " + Integer.toUnsignedLong(count) + " reads");
        }
        List<Read> reads = new ArrayList<>();
        long end = 0;
        int millis = 0;
        for (int i = 0; i < count; i++) {
            long zigzag = varint(in);
            long distance = (zigzag >>> 1) ^ -(zigzag & 1);
            long offset = Math.addExact(end, Math.multiplyExact(distance, (long) BootProfile.BLOCK));
            long length = Math.multiplyExact(varint(in), (long) BootProfile.BLOCK);
            millis = Math.addExact(millis, Math.toIntExact(varint(in)));
            reads.add(new Read(offset, length, millis));
            end = offset + length;
        }
        return reads;
    }

    private static void putVarint(ByteBuffer out, long value) {
        long left = value;
        for (; (left & ~0x7fL) != 0; left >>>= 7) {
            out.put((byte) ((left & 0x7f) | 0x80));
        }
        out.put((byte) left);
    }

    /** At most 63 bits. */
    private static long varint(ByteBuffer in) {
        long value = 0;
        for (int shift = 0; shift < Long.SIZE - 1; shift += 7) {
            byte next = in.get();
            value |= (next & 0x7fL) << shift;
            if (next >= 0) {
                return value;
            }
        }
        throw new IllegalArgumentException("a number in it is too long");
    }
}
