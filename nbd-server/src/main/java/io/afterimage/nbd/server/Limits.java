package io.afterimage.nbd.server;

import java.time.Duration;

/**
 * What a server spends on its clients. The memory that all of them together can make it hold is about {@code totalBytesInFlight}
 * and a MiB per connection.
 *
 * @param connections most connections at once; more wait in the kernel's queue of the socket
 * @param negotiationTime from the connection to the first request, TLS included
 * @param options most options of one handshake, beside eight per export listed
 * @param requestsInFlight most requests of one connection that are being worked on; more wait in its socket
 * @param bytesInFlight payload of one connection that is held in memory before no further request of it is begun
 * @param totalBytesInFlight the same for all connections together; at least twice the largest payload
 * @param stallTime how long a client that does not take its replies is borne with when others wait for the memory it holds
 */
public record Limits(
        int connections,
        Duration negotiationTime,
        int options,
        int requestsInFlight,
        int bytesInFlight,
        long totalBytesInFlight,
        Duration stallTime) {

    public static final Limits DEFAULT =
            new Limits(256, Duration.ofSeconds(10), 64, 64, 16 << 20, 256L << 20, Duration.ofSeconds(10));

    public Limits {
        if (totalBytesInFlight < 64 << 20) {
            throw new IllegalArgumentException("two of the largest payloads, 64 MiB, have to fit into the memory of all connections");
        }
        if (connections < 1 || options < 1 || requestsInFlight < 1 || bytesInFlight < 1
                || negotiationTime.isNegative() || negotiationTime.isZero()
                || stallTime.isNegative() || stallTime.isZero()) {
            throw new IllegalArgumentException("every limit is at least 1");
        }
    }

    public Limits withConnections(int most) {
        return new Limits(most, negotiationTime, options, requestsInFlight, bytesInFlight, totalBytesInFlight, stallTime);
    }

    public Limits withNegotiationTime(Duration time) {
        return new Limits(connections, time, options, requestsInFlight, bytesInFlight, totalBytesInFlight, stallTime);
    }

    public Limits withTotalBytesInFlight(long bytes) {
        return new Limits(connections, negotiationTime, options, requestsInFlight, bytesInFlight, bytes, stallTime);
    }

    public Limits withStallTime(Duration time) {
        return new Limits(connections, negotiationTime, options, requestsInFlight, bytesInFlight, totalBytesInFlight, time);
    }
}
