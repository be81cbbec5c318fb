package io.afterimage.fetch;

import java.time.Duration;

/**
 * How hard a store is worked.
 *
 * @param requests most requests at once
 * @param background how many of them may be for what nobody waits for; fewer than {@code requests}, so that a read never finds all taken by guesses
 * @param bytesInFlight most bytes of frames that are in the heap, on their way or being decoded: one request is always let through
 * @param readTimeout how long a read waits for the store
 */
public record FetchSettings(int requests, int background, long bytesInFlight, Duration readTimeout) {

    /** For this JVM: an eighth of the heap is for frames in flight. */
    public static final FetchSettings DEFAULT =
            new FetchSettings(32, 16, Math.clamp(Runtime.getRuntime().maxMemory() / 8, 8L << 20, 128L << 20), Duration.ofSeconds(30));

    public FetchSettings {
        if (requests < 1 || background < 0 || background >= requests || bytesInFlight < 1) {
            throw new IllegalArgumentException(
                    "not a way to work a store: " + requests + " requests, " + background + " in the background, " + bytesInFlight + " bytes");
        }
        if (!readTimeout.isPositive()) {
            throw new IllegalArgumentException("A read needs some time: the read timeout must be more than 0.");
        }
    }

    public FetchSettings withReadTimeout(Duration time) {
        return new FetchSettings(requests, background, bytesInFlight, time);
    }

    public FetchSettings withRequests(int all, int inBackground) {
        return new FetchSettings(all, inBackground, bytesInFlight, readTimeout);
    }
}
