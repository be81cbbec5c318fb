package io.afterimage.nbd.client;

import io.afterimage.nbd.protocol.Command;
import io.afterimage.nbd.protocol.ProtocolException;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.TreeMap;

/**
 * A READ. Bytes go straight to the caller's buffer; what they cover is kept as ranges, so that a byte that comes twice, or not at
 * all, is noticed.
 */
final class ReadRequest extends Request {

    private static final byte[] ZEROS = new byte[64 << 10];

    private final ByteBuffer target;
    /** Covered ranges, relative to the request, start to end; neighbours are joined, so in order of arrival it has one entry. */
    private final TreeMap<Long, Long> covered = new TreeMap<>();
    private int position;

    /** A read into {@code target}, a view of its own, from index 0 on. */
    ReadRequest(long offset, ByteBuffer target) {
        super(Command.READ, offset, target.remaining());
        this.target = target;
    }

    @Override
    int simpleData() throws ProtocolException {
        dataBegins(offset, (int) length);
        return (int) length;
    }

    @Override
    void dataBegins(long at, int count) throws ProtocolException {
        cover(at, count);
        position = (int) (at - offset);
    }

    @Override
    synchronized void data(ByteBuf in, int count) {
        if (isAbandoned()) {
            in.skipBytes(count);
        } else {
            in.readBytes(target.duplicate().position(position).limit(position + count));
        }
        position += count;
    }

    @Override
    synchronized void hole(long at, long count) throws ProtocolException {
        cover(at, count);
        if (!isAbandoned()) {
            ByteBuffer zeroed = target.duplicate().position((int) (at - offset)).limit((int) (at - offset + count));
            while (zeroed.hasRemaining()) {
                zeroed.put(ZEROS, 0, Math.min(ZEROS.length, zeroed.remaining()));
            }
        }
    }

    @Override
    void checkComplete() throws ProtocolException {
        if (!(covered.size() == 1 && covered.firstKey() == 0 && covered.firstEntry().getValue() == length)) {
            throw new ProtocolException("the server left out bytes of " + this);
        }
    }

    private void cover(long at, long count) throws ProtocolException {
        long start = at - offset;
        if (count <= 0 || at < offset || start > length || count > length - start) {
            throw new ProtocolException("the server answers " + this + " with " + count + " bytes at " + at);
        }
        long end = start + count;
        Map.Entry<Long, Long> before = covered.floorEntry(start);
        Map.Entry<Long, Long> after = covered.ceilingEntry(start);
        if ((before != null && before.getValue() > start) || (after != null && after.getKey() < end)) {
            throw new ProtocolException("the server sends the bytes at " + at + " twice for " + this);
        }
        if (after != null && after.getKey() == end) {
            covered.remove(end);
            end = after.getValue();
        }
        covered.put(before != null && before.getValue() == start ? before.getKey() : Long.valueOf(start), end);
    }
}
