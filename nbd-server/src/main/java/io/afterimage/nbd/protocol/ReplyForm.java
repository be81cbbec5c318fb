package io.afterimage.nbd.protocol;

/** How requests and replies of a connection look, fixed by its handshake. */
public enum ReplyForm {
    /** 28-byte requests; one 16-byte reply each, data behind it. */
    SIMPLE,
    /** 28-byte requests; chunks for READ and BLOCK_STATUS and for errors. */
    STRUCTURED,
    /** 32-byte headers both ways, 64-bit lengths. */
    EXTENDED;

    public boolean isChunked() {
        return this != SIMPLE;
    }
}
