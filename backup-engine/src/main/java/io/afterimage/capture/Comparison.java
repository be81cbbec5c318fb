package io.afterimage.capture;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.BlockMap;
import io.afterimage.repository.ChunkReader;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;

/**
 * Tells whether a device holds what a map says, by hashes: a chunk is fetched from the store only when this host's index does not
 * know what lies there. For one thread.
 */
public final class Comparison {

    private final Repository repository;
    private final ChunkIndex index;
    private final ChunkReader reader;
    private final ChunkSize chunkSize;
    private final byte[] here;
    private final byte[] stored;

    /** @param index of this repository. Both stay the caller's to close */
    public Comparison(Repository repository, ChunkIndex index) {
        this.repository = repository;
        this.index = index;
        reader = new ChunkReader(repository);
        chunkSize = repository.chunkSize();
        here = new byte[chunkSize.bytes()];
        stored = new byte[chunkSize.bytes()];
    }

    /**
     * The offset of the first chunk that differs.
     *
     * @param ranges where to look, in bytes: ordered, not overlapping, within the device. What lies beyond the map's end differs
     *     from it, unless it is zeros
     */
    public OptionalLong firstDifference(BlockDevice device, BlockMap map, List<ByteRange> ranges) throws IOException {
        Survey survey = new Survey(device, chunkSize, ranges);
        while (survey.hasNext()) {
            ChunkRange range = survey.next();
            for (long chunk = range.first(); chunk < range.end(); chunk++) {
                ChunkAddress address = chunk < map.chunks() ? map.address(chunk) : null;
                if (range.zeros() ? address != null : differs(device, chunk, address)) {
                    return OptionalLong.of(chunk * chunkSize.bytes());
                }
            }
        }
        return OptionalLong.empty();
    }

    private boolean differs(BlockDevice device, long chunk, ChunkAddress address) throws IOException {
        long offset = chunk * chunkSize.bytes();
        ByteBuffer target = ByteBuffer.wrap(here, 0, (int) Math.min(chunkSize.bytes(), device.size() - offset));
        device.read(offset, target);
        // The last chunk may reach beyond the disk's end, as in the map: with zeros.
        Arrays.fill(here, target.limit(), here.length, (byte) 0);
        if (address == null) {
            return !ExaminedChunk.isZero(here, 0, here.length);
        }
        if (ExaminedChunk.isZero(here, 0, here.length)) {
            return true;
        }
        ChunkId id = repository.codec().id(here, 0);
        return !address.equals(index.find(id)) && !id.equals(reader.read(address, stored));
    }
}
