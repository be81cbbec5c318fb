package io.afterimage.boot;

/** What a device is opened for. */
public enum Occasion {

    /** A machine is about to be booted from it. */
    BOOT(16 << 20),

    /** Nobody says. A boot is recognised by its first read, of sector 0 alone, and by what follows. */
    UNKNOWN(1 << 20);

    private final long advance;

    Occasion(long advance) {
        this.advance = advance;
    }

    /** Bytes to fetch of a profile before the first read of it has been seen. */
    long advance() {
        return advance;
    }
}
