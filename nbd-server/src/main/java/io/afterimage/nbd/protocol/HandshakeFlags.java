package io.afterimage.nbd.protocol;

/** Bits of the greeting (16 bits) and of the client's answer (32 bits); both use the same places. */
public final class HandshakeFlags {

    public static final int FIXED_NEWSTYLE = 1;
    /** The answer to EXPORT_NAME goes without its 124 bytes of padding. */
    public static final int NO_ZEROES = 1 << 1;
    /** All bits that this implementation knows. */
    public static final int KNOWN = FIXED_NEWSTYLE | NO_ZEROES;

    private HandshakeFlags() {}
}
