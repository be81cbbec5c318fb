package io.afterimage.settings;

import java.time.Duration;

/**
 * What a command that reads images may keep of them, and how long a read waits.
 *
 * @param memory bytes of decoded chunks in direct memory
 * @param disk bytes of frames in the host's folder for them, by all processes together; 0 for none
 * @param readTimeout how long a read waits for the store, before it fails
 */
public record CacheSettings(long memory, long disk, Duration readTimeout) {

    /** The working set of some guests, where the store is far. */
    public static final long DISK = 8L << 30;

    /** For who reads each disk once from begin to end, and can wait. */
    public static final CacheSettings PASSING = new CacheSettings(128L << 20, 0, Duration.ofMinutes(5));

    private static final long LEAST_DISK = 16L << 20;
    private static final long LEAST_MEMORY = 16L << 20;

    public CacheSettings {
        if (memory < LEAST_MEMORY) {
            throw new IllegalArgumentException("A cache in memory needs 16M at least, not " + memory + " bytes.");
        }
        if (disk != 0 && disk < LEAST_DISK) {
            throw new IllegalArgumentException("A cache on disk needs 16M at least, or 0 for none, not " + disk + " bytes.");
        }
        if (!readTimeout.isPositive()) {
            throw new IllegalArgumentException("A read needs some time to wait for the store, such as 30s.");
        }
    }
}
