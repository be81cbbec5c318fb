package io.afterimage.capture;

import io.afterimage.block.BlockDevice;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.repository.PointWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Neighbouring chunks of a disk, with the memory that they are read and encoded into. To be used again as soon as its chunks are taken up: memory
 * that is new each time costs the kernel more than reading does, and the collector must clear it away. For one thread at a time.
 */
final class Batch {

    private final ChunkSize chunkSize;
    private final PointWriter writer;
    private byte[] content = {};
    private ByteBuffer encoded = ByteBuffer.allocate(0);
    private final List<ExaminedChunk> chunks = new ArrayList<>();

    Batch(ChunkSize chunkSize, PointWriter writer) {
        this.chunkSize = chunkSize;
        this.writer = writer;
    }

    /** Reads and examines the chunks {@code [first, first + count)}, in place of those that were here before; returns this. */
    Batch read(BlockDevice device, Pace pace, long first, int count) throws IOException {
        chunks.clear();
        reserve(count);
        long offset = first * chunkSize.bytes();
        int length = (int) Math.min((long) count * chunkSize.bytes(), device.size() - offset);
        device.read(offset, ByteBuffer.wrap(content, 0, length));
        // The last chunk of a disk may reach beyond its end, with zeros.
        Arrays.fill(content, length, count * chunkSize.bytes(), (byte) 0);
        for (int i = 0; i < count; i++) {
            int at = i * chunkSize.bytes();
            int bytes = Math.min(chunkSize.bytes(), length - at);
            pace.rest();
            chunks.add(ExaminedChunk.of(first + i, content, at, bytes, chunkSize.bytes(), writer,
                    (id, chunk, where) -> writer.encode(id, chunk, where, encoded)));
        }
        return this;
    }

    private void reserve(int count) {
        if (content.length < count * chunkSize.bytes()) {
            content = new byte[count * chunkSize.bytes()];
            encoded = ByteBuffer.allocate(count * writer.room());
        }
        encoded.clear();
    }

    /** The chunks read, until the next reading. */
    List<ExaminedChunk> chunks() {
        return chunks;
    }
}
