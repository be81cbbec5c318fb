package io.afterimage.overlay;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.BlockDevice.Borrower;
import io.afterimage.block.ByteRange;
import io.afterimage.block.Extent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** An overlay as it is read: each run of blocks from where its state says that the bytes are. Takes no lock. Ranges lie within the disk. */
final class OverlayReader {

    private static final int BLOCK = BlockStates.BLOCK;
    private static final int EXTENTS_AT_ONCE = 1024;

    private final BlockDevice base;
    private final BlockDevice data;
    private final BlockStates states;

    OverlayReader(BlockDevice base, BlockDevice data, BlockStates states) {
        this.base = base;
        this.data = data;
        this.states = states;
    }

    /** Where the run of one state that begins in the block at {@code position} ends, at most {@code end}; in bytes. */
    private long runEnd(long position, long end, BlockState state) {
        return Math.min(end, states.runEnd(position / BLOCK, Math.ceilDiv(end, (long) BLOCK), state) * BLOCK);
    }

    void read(long offset, ByteBuffer target) throws IOException {
        long end = offset + target.remaining();
        long next;
        for (long at = offset; at < end; at = next) {
            BlockState state = states.get(at / BLOCK);
            next = runEnd(at, end, state);
            ByteBuffer piece = target.slice(target.position(), (int) (next - at));
            switch (state) {
                case BASE -> base.read(at, piece);
                case DATA -> data.read(at, piece);
                case HOLE, ZERO -> putZeros(piece);
            }
            target.position(target.position() + (int) (next - at));
        }
    }

    static void putZeros(ByteBuffer target) {
        while (target.remaining() >= Long.BYTES) {
            target.putLong(0);
        }
        while (target.hasRemaining()) {
            target.put((byte) 0);
        }
    }

    boolean readResident(long offset, ByteBuffer target) {
        long end = offset + target.remaining();
        int start = target.position();
        long next;
        for (long at = offset; at < end; at = next) {
            BlockState state = states.get(at / BLOCK);
            next = runEnd(at, end, state);
            ByteBuffer piece = target.slice(start + (int) (at - offset), (int) (next - at));
            boolean resident = switch (state) {
                case BASE -> base.readResident(at, piece);
                case DATA -> data.readResident(at, piece);
                case HOLE, ZERO -> {
                    putZeros(piece);
                    yield true;
                }
            };
            if (!resident) {
                return false;
            }
        }
        target.position(target.limit());
        return true;
    }

    /** Lends what the base lends, where nothing was written: those bytes never change. */
    boolean lendResident(long offset, int length, Borrower borrower) {
        return length > 0
                && states.get(offset / BLOCK) == BlockState.BASE
                && runEnd(offset, offset + length, BlockState.BASE) == offset + length
                && base.lendResident(offset, length, borrower);
    }

    void prefetch(ByteRange range) {
        long next;
        for (long at = range.offset(); at < range.end(); at = next) {
            BlockState state = states.get(at / BLOCK);
            next = runEnd(at, range.end(), state);
            if (state == BlockState.BASE) {
                base.prefetch(ByteRange.between(at, next));
            }
        }
    }

    List<Extent> extents(ByteRange range, int limit) throws IOException {
        List<Extent> extents = new ArrayList<>();
        long next;
        for (long at = range.offset(); at < range.end() && extents.size() <= limit; at = next) {
            BlockState state = states.get(at / BLOCK);
            next = runEnd(at, range.end(), state);
            if (state != BlockState.BASE) {
                append(extents, new Extent(ByteRange.between(at, next), state.kind()));
                continue;
            }
            List<Extent> below = base.extents(ByteRange.between(at, next), Math.min(EXTENTS_AT_ONCE, limit));
            below.forEach(extent -> append(extents, extent));
            next = below.getLast().range().end();
        }
        // One too many, to know that the one before has come to its end.
        return extents.size() > limit ? List.copyOf(extents.subList(0, limit)) : extents;
    }

    private static void append(List<Extent> extents, Extent extent) {
        if (!extents.isEmpty() && extents.getLast().kind() == extent.kind()) {
            Extent last = extents.removeLast();
            extents.add(new Extent(ByteRange.between(last.range().offset(), extent.range().end()), extent.kind()));
        } else {
            extents.add(extent);
        }
    }
}
