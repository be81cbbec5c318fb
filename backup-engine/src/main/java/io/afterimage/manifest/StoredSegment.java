package io.afterimage.manifest;

import io.afterimage.chunk.ChunkSize;

/** A segment as it is stored, and decoded from when it is first read on. Several maps may hold it. Thread-safe; the encoded bytes do not change. */
final class StoredSegment {

    static final StoredSegment EMPTY = new StoredSegment(new byte[0]);

    private final byte[] encoded;
    private volatile Segment decoded;

    /** @param encoded decoded once before by whoever read it from a store */
    StoredSegment(byte[] encoded) {
        this.encoded = encoded;
    }

    byte[] encoded() {
        return encoded;
    }

    Segment segment(ChunkSize chunkSize) {
        Segment segment = decoded;
        if (segment == null) {
            segment = decode(chunkSize);
            decoded = segment;
        }
        return segment;
    }

    /** The same without keeping it. */
    Segment decode(ChunkSize chunkSize) {
        try {
            return new SegmentCodec(chunkSize).decode(encoded, Segment.CHUNKS);
        } catch (CorruptManifestException e) {
            throw new IllegalStateException("a segment was taken into a map unchecked", e);
        }
    }
}
