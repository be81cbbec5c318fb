package io.afterimage.command;

import io.afterimage.nbd.protocol.BlockSizes;
import io.afterimage.nbd.server.Limits;
import java.time.Duration;
import picocli.CommandLine.Option;

/** What a server spends on its clients at most. */
final class LimitOptions {

    private static final int LARGEST_PAYLOAD = BlockSizes.DEFAULT.maximum();
    private static final int SMALLEST_PAYLOAD = 1 << 20;

    @Option(
            names = "--max-connections",
            paramLabel = "N",
            defaultValue = "256",
            description = "Further ones wait in the kernel's queue. Default: ${DEFAULT-VALUE}.")
    private int connections;

    @Option(
            names = "--max-negotiation-time",
            paramLabel = "SECONDS",
            defaultValue = "10",
            description = "From a connection to its first request, TLS included; then it ends. Default: ${DEFAULT-VALUE}.")
    private int negotiationSeconds;

    @Option(
            names = "--max-options",
            paramLabel = "N",
            defaultValue = "64",
            description = "Of one handshake, and 8 for each export listed; then the connection ends. Default: ${DEFAULT-VALUE}.")
    private int options;

    @Option(
            names = "--max-option-size",
            paramLabel = "SIZE",
            defaultValue = "64k",
            converter = Argument.Size.class,
            description = "8k to 1M; longer options are refused. Default: ${DEFAULT-VALUE}.")
    private long optionSize;

    @Option(
            names = "--max-payload",
            paramLabel = "SIZE",
            defaultValue = "32M",
            converter = Argument.Size.class,
            description = "1M to 32M, a power of two; longer reads and writes are refused. Default: ${DEFAULT-VALUE}.")
    private long payload;

    @Option(
            names = "--max-requests",
            paramLabel = "N",
            defaultValue = "64",
            description = "Of one connection that are worked on at once; further ones wait in its socket. Default: ${DEFAULT-VALUE}.")
    private int requests;

    @Option(
            names = "--max-in-flight",
            paramLabel = "SIZE",
            defaultValue = "16M",
            converter = Argument.Size.class,
            description = "Payload of one connection in memory, or one request; more waits in its socket. Default: ${DEFAULT-VALUE}.")
    private long inFlight;

    @Option(
            names = "--max-total-in-flight",
            paramLabel = "SIZE",
            defaultValue = "256M",
            converter = Argument.Size.class,
            description = "The same of all connections, beside 512 KiB of each; at least 64M. Default: ${DEFAULT-VALUE}.")
    private long totalInFlight;

    @Option(
            names = "--max-stall-time",
            paramLabel = "SECONDS",
            defaultValue = "10",
            description = "Of a client that neither takes nor sends a byte while others wait for its memory; then its connection ends. "
                    + "Default: ${DEFAULT-VALUE}.")
    private int stallSeconds;

    /** The limits; those that make no sense are an {@link IllegalArgumentException} for the user. */
    Limits limits() {
        return new Limits(
                connections,
                Duration.ofSeconds(negotiationSeconds),
                options,
                clamped(optionSize),
                requests,
                clamped(inFlight),
                totalInFlight,
                Duration.ofSeconds(stallSeconds));
    }

    BlockSizes blockSizes() {
        if (payload < SMALLEST_PAYLOAD || payload > LARGEST_PAYLOAD || Long.bitCount(payload) != 1) {
            throw new IllegalArgumentException("The largest payload is a power of two from 1M to 32M, not " + payload + " bytes.");
        }
        return new BlockSizes(BlockSizes.DEFAULT.minimum(), BlockSizes.DEFAULT.preferred(), (int) payload);
    }

    private static int clamped(long value) {
        return (int) Math.min(value, Integer.MAX_VALUE);
    }
}
