package io.afterimage.manifest;

import io.afterimage.chunk.ChunkSize;

/** A segment as it is stored, and decoded from when it is first read on. Several maps may hold it. Thread-safe; the encoded bytes do not change. */
final class StoredSegment {

    static final StoredSegment EMPTY = new StoredSegment(new byte[0]);

    private final byte[] encoded;
    private volatile Segment decoded;

    /** @param encoded not checked yet */
    StoredSegment(byte[] encoded) {
        this.encoded = encoded;
    }

    byte[] encoded() {
        return encoded;
    }

    /**
     * What the bytes say, checked.
     *
     * @param chunks how many of its chunks the disk has, the same in all maps that hold this segment
     */
    Segment segment(ChunkSize chunkSize, int chunks) throws CorruptManifestException {
        Segment segment = decoded;
        if (segment == null) {
            segment = decode(chunkSize, chunks);
            decoded = segment;
        }
        return segment;
    }

    /** The same without keeping it. */
    Segment decode(ChunkSize chunkSize, int chunks) throws CorruptManifestException {
        return new SegmentCodec(chunkSize).decode(encoded, chunks);
    }
}
