package io.afterimage.capture;

import io.afterimage.catalog.CaptureBytes;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;
import io.afterimage.chunk.EncodedChunk;
import io.afterimage.manifest.BlockMapEditor;
import io.afterimage.repository.PointWriter;
import java.io.IOException;
import java.util.Arrays;

/**
 * A chunk that was hashed, looked up and, when it is new, encoded: all that any thread can do with it.
 *
 * @param number of the chunk on the disk
 * @param id its hash; null when it is all zeros
 * @param encoded null when the repository had it as it was looked up
 * @param bytes the bytes of it that lie on the disk
 */
record ExaminedChunk(long number, ChunkId id, EncodedChunk encoded, int bytes) {

    /** Encodes a chunk of that id, which stands in an array from an index on: as {@link PointWriter} does, in memory of the one's choice. */
    @FunctionalInterface
    interface Encoding {
        EncodedChunk encode(ChunkId id, byte[] chunk, int at);
    }

    /**
     * @param chunk a whole chunk from {@code at} on; what lies beyond the disk's end is zero
     * @param length of what lies on the disk
     */
    static ExaminedChunk of(long number, byte[] chunk, int at, int length, int chunkSize, PointWriter writer, Encoding encoding) {
        if (isZero(chunk, at, chunkSize)) {
            return new ExaminedChunk(number, null, null, length);
        }
        ChunkId id = writer.id(chunk, at);
        return new ExaminedChunk(number, id, writer.find(id) == null ? encoding.encode(id, chunk, at) : null, length);
    }

    static boolean isZero(byte[] bytes, int at, int length) {
        return bytes[at] == 0 && Arrays.equals(bytes, at, at + length - 1, bytes, at + 1, at + length);
    }

    /** Stores it if it is still new, and puts it on the map: by the one thread that may. Returns what it cost. */
    CaptureBytes take(BlockMapEditor map, PointWriter writer) throws IOException {
        if (id == null) {
            map.putZeros(number, number + 1);
            return new CaptureBytes(0, bytes, 0, 0, 0);
        }
        // Looked up again: an equal chunk may have been laid into a pack since.
        ChunkAddress known = writer.find(id);
        map.put(number, known != null ? known : writer.add(encoded));
        return new CaptureBytes(0, bytes, known != null ? bytes : 0, 0, 0);
    }
}
