package io.afterimage.capture;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;
import io.afterimage.manifest.BlockMap;
import io.afterimage.repository.ChunkReader;
import io.afterimage.repository.PointWriter;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * Doubt about a dirty bitmap: chunks that it calls unchanged are read at random, and compared with the parent point. Where the
 * repository's index tells that a chunk's hash lies where the parent has it, the store is not asked.
 */
public final class UnchangedCheck {

    private final PointWriter writer;
    private final ChunkReader reader;
    private final double share;
    private final RandomGenerator random;

    /** @param share how much of what is called unchanged is read, above 0 and at most 1; of a disk at least one chunk */
    public UnchangedCheck(Repository repository, PointWriter writer, double share, RandomGenerator random) {
        this.writer = writer;
        this.reader = new ChunkReader(repository);
        this.share = share;
        this.random = random;
    }

    /**
     * Why the bitmap must not be believed, one clause; empty when nothing was found.
     *
     * @param parent of a disk of the same size
     * @param changed what the bitmap calls changed, within the disk
     */
    public Optional<String> run(BlockMap parent, BlockDevice disk, List<ByteRange> changed) throws IOException {
        int chunks = Math.toIntExact(parent.chunks());
        BitSet dirty = new BitSet(chunks);
        for (ByteRange range : changed) {
            dirty.set((int) (range.offset() / parent.chunkSize().bytes()), (int) parent.chunkSize().count(range.end()));
        }
        int first = random.nextInt(Math.max(1, chunks));
        int sure = dirty.nextClearBit(first) < chunks ? dirty.nextClearBit(first) : dirty.nextClearBit(0);
        byte[] chunk = new byte[parent.chunkSize().bytes()];
        for (int number = dirty.nextClearBit(0); number < chunks; number = dirty.nextClearBit(number + 1)) {
            if ((number == sure || random.nextDouble() < share) && !isAsBefore(parent, disk, number, chunk)) {
                return Optional.of("its bitmap called bytes unchanged, from " + (long) number * chunk.length + " on, that are not as they were in the parent point");
            }
        }
        return Optional.empty();
    }

    private boolean isAsBefore(BlockMap parent, BlockDevice disk, long number, byte[] chunk) throws IOException {
        long offset = number * chunk.length;
        int length = (int) Math.min(chunk.length, disk.size() - offset);
        Arrays.fill(chunk, length, chunk.length, (byte) 0);
        disk.read(offset, ByteBuffer.wrap(chunk, 0, length));
        ChunkAddress before = parent.address(number);
        ChunkId now = writer.id(chunk, 0);
        if (before == null) {
            return now.equals(writer.id(new byte[chunk.length], 0));
        }
        if (before.equals(writer.find(now))) {
            return true;
        }
        try {
            return reader.read(before, new byte[chunk.length]).equals(now);
        } catch (IOException e) {
            if (ChunkReader.isDamage(e)) {
                return true; // nothing to compare with, and another's business to find
            }
            throw e;
        }
    }
}
