package io.afterimage.nbd.server;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.BlockCopier;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** The pieces that a device lends for one read. Reused by one event loop's connection for all its reads. */
final class LentReply implements BlockDevice.Borrower {

    /** A run of pieces that are all data, or all zeros. */
    interface Runs {
        void data(long position, int length, List<ByteBuf> pieces, int from, int to, boolean last);

        void hole(long position, int length, boolean last);
    }

    private final ByteBufAllocator alloc;
    private final List<ByteBuf> pieces = new ArrayList<>();
    private final List<ByteBuffer> bytes = new ArrayList<>();

    LentReply(ByteBufAllocator alloc) {
        this.alloc = alloc;
    }

    @Override
    public void borrow(ByteBuffer lent, Runnable release) {
        bytes.add(lent);
        pieces.add(new BorrowedBuf(alloc, lent, release));
    }

    /** Tells the runs in order and forgets the pieces; zeros are looked for unless the reply has to be {@code whole}. */
    void tell(long offset, int length, boolean whole, Runs runs) {
        long position = offset;
        for (int from = 0; from < pieces.size(); ) {
            boolean zero = !whole && BlockCopier.isZero(bytes.get(from));
            int to = from;
            int run = 0;
            do {
                run += pieces.get(to++).readableBytes();
            } while (to < pieces.size() && (whole || BlockCopier.isZero(bytes.get(to)) == zero));
            boolean last = to == pieces.size();
            if (zero) {
                for (ByteBuf piece : pieces.subList(from, to)) {
                    piece.release();
                }
                runs.hole(position, run, last);
            } else {
                runs.data(position, run, pieces, from, to, last);
            }
            position += run;
            from = to;
        }
        if (position != offset + length) {
            throw new IllegalStateException("a device lent " + (position - offset) + " bytes instead of " + length);
        }
        pieces.clear();
        bytes.clear();
    }
}
