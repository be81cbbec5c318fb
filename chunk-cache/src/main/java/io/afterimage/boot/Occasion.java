package io.afterimage.boot;

/** What a device is opened for. */
public enum Occasion {

    /** A machine is about to be booted from it. */
    BOOT(16 << 20),

    /** The same, and to be read to its end while it runs: that is not what boots read, and is not recorded. */
    MIGRATION(16 << 20),

    /** Nobody says. A boot is recognised by its first read, of sector 0 alone, and by what follows. */
    UNKNOWN(1 << 20);

    private final long advance;

    Occasion(long advance) {
        this.advance = advance;
    }

    /** Whether the first reader is a machine that boots. */
    boolean isBoot() {
        return this != UNKNOWN;
    }

    /** Whether what is read tells of boots. */
    boolean isRecorded() {
        return this != MIGRATION;
    }

    /** Bytes to fetch of a profile before the first read of it has been seen. */
    long advance() {
        return advance;
    }
}
