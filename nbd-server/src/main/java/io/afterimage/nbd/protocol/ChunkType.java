package io.afterimage.nbd.protocol;

/** Kinds and flags of structured and extended reply chunks ("Structured reply types"). */
public final class ChunkType {

    public static final int NONE = 0;
    public static final int OFFSET_DATA = 1;
    public static final int OFFSET_HOLE = 2;
    public static final int BLOCK_STATUS = 5;
    public static final int BLOCK_STATUS_EXT = 6;
    /** This bit marks an error; so do the types that are not known here. */
    public static final int ERROR_BIT = 1 << 15;
    public static final int ERROR = ERROR_BIT | 1;
    public static final int ERROR_OFFSET = ERROR_BIT | 2;

    /** The one flag: no further chunk answers this request. */
    public static final int FLAG_DONE = 1;

    private ChunkType() {}
}
