package io.afterimage.chunk;

/** How a payload was made from a chunk. The code is what stands in a frame. */
public enum Compression {
    /** The chunk as it is. */
    NONE(0),
    /** One zstd frame (RFC 8878) without dictionary. */
    ZSTD(1);

    private final int code;

    Compression(int code) {
        this.code = code;
    }

    public int code() {
        return code;
    }

    /** The compression of that code; null if there is none. */
    static Compression of(int code) {
        return code == NONE.code ? NONE : code == ZSTD.code ? ZSTD : null;
    }
}
