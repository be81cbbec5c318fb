package io.afterimage.block;

/**
 * A run of bytes of one kind. Extents of one answer are ordered, adjacent and never empty.
 *
 * @param range the bytes, of length at least 1
 * @param kind what a read of them finds
 */
public record Extent(ByteRange range, Kind kind) {

    /** What is known of a run without reading it. Anything may be reported as {@link #DATA}; nothing else may be guessed. */
    public enum Kind {
        /** Must be read to be known. */
        DATA,
        /** Reads as zeros; space is reserved for it. */
        ZERO,
        /** Reads as zeros and takes no space. */
        HOLE;

        public boolean readsAsZeros() {
            return this != DATA;
        }
    }

    public Extent {
        if (range.isEmpty()) {
            throw new IllegalArgumentException("an extent has at least one byte: " + range);
        }
    }

    public Extent(long offset, long length, Kind kind) {
        this(new ByteRange(offset, length), kind);
    }
}
