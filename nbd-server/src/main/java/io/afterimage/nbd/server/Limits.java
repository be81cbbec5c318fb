package io.afterimage.nbd.server;

import io.afterimage.nbd.codec.OptionDecoder;
import java.time.Duration;

/**
 * What a server spends on its clients. The memory that all of them together can make it hold is about {@code totalBytesInFlight}
 * and a MiB per connection.
 *
 * @param connections most connections at once; more wait in the kernel's queue of the socket
 * @param negotiationTime from the connection to the first request, TLS included
 * @param options most options of one handshake, beside eight per export listed
 * @param optionBytes longest payload of an option that is looked at; a longer one is refused, and beyond 1 MiB ends the connection
 * @param requestsInFlight most requests of one connection that are being worked on; more wait in its socket
 * @param bytesInFlight payload of one connection that is held in memory before no further request of it is begun
 * @param totalBytesInFlight the same for all connections together; at least twice the largest payload
 * @param stallTime how long a client that does not take its replies is borne with when others wait for the memory it holds
 */
public record Limits(
        int connections,
        Duration negotiationTime,
        int options,
        int optionBytes,
        int requestsInFlight,
        int bytesInFlight,
        long totalBytesInFlight,
        Duration stallTime) {

    public static final Limits DEFAULT = new Limits(
            256, Duration.ofSeconds(10), 64, OptionDecoder.LARGEST, 64, 16 << 20, 256L << 20, Duration.ofSeconds(10));

    private static final int LEAST_TOTAL = 64 << 20;

    public Limits {
        require(connections >= 1, "At least one connection has to be allowed.");
        require(isPositive(negotiationTime), "A handshake needs some time.");
        require(options >= 1, "At least one option of a handshake has to be allowed.");
        require(optionBytes >= OptionDecoder.SMALLEST_LIMIT && optionBytes <= OptionDecoder.LONGEST_SKIPPED,
                "An option has to be allowed " + OptionDecoder.SMALLEST_LIMIT + " bytes, for the longest export name, and at most "
                        + OptionDecoder.LONGEST_SKIPPED + ".");
        require(requestsInFlight >= 1 && bytesInFlight >= 1, "At least one request in flight, of one byte, has to be allowed.");
        require(totalBytesInFlight >= LEAST_TOTAL, "Two of the largest payloads, 64 MiB, have to fit into the memory of all connections.");
        require(isPositive(stallTime), "A client that does not take its replies needs some time.");
    }

    private static boolean isPositive(Duration time) {
        return !time.isNegative() && !time.isZero();
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalArgumentException(otherwise);
        }
    }

    public Limits withConnections(int most) {
        return new Limits(
                most, negotiationTime, options, optionBytes, requestsInFlight, bytesInFlight, totalBytesInFlight, stallTime);
    }

    public Limits withNegotiationTime(Duration time) {
        return new Limits(
                connections, time, options, optionBytes, requestsInFlight, bytesInFlight, totalBytesInFlight, stallTime);
    }

    public Limits withTotalBytesInFlight(long bytes) {
        return new Limits(
                connections, negotiationTime, options, optionBytes, requestsInFlight, bytesInFlight, bytes, stallTime);
    }

    public Limits withStallTime(Duration time) {
        return new Limits(
                connections, negotiationTime, options, optionBytes, requestsInFlight, bytesInFlight, totalBytesInFlight, time);
    }
}
