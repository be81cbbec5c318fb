package io.afterimage.nbd.protocol;

/** What INFO and GO tell of an export ("NBD_REP_INFO"). Unknown numbers are ignored by both sides. */
public final class InfoType {

    public static final int EXPORT = 0;
    public static final int NAME = 1;
    public static final int DESCRIPTION = 2;
    public static final int BLOCK_SIZE = 3;

    private InfoType() {}
}
