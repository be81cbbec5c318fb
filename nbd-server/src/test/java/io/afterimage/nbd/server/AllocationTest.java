package io.afterimage.nbd.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.afterimage.block.MemoryDevice;
import io.afterimage.nbd.protocol.NbdUri;
import io.netty.util.ResourceLeakDetector;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Resident reads make no garbage: counted in bytes that the event loop's thread allocates, by the JVM's own count. */
final class AllocationTest {

    private static final int BATCH = 32;
    private static final int LENGTH = 4096;

    private static ResourceLeakDetector.Level level;

    /** Watching buffers makes garbage. */
    @BeforeAll
    static void watchNothing() {
        level = ResourceLeakDetector.getLevel();
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.DISABLED);
    }

    @AfterAll
    static void watchAgain() {
        ResourceLeakDetector.setLevel(level);
    }

    @Test
    void aResidentReadAllocatesNothing() throws IOException {
        ResidentDevice device = new ResidentDevice(new MemoryDevice(1 << 20));
        try (NbdServer server = NbdServer.start(
                        ServerSettings.on(new NbdUri.Tcp("127.0.0.1", 0)).withEventLoops(1), MapExports.of("e", new Export(device, "")));
                RawClient client = RawClient.greeted(((NbdUri.Tcp) server.addresses().getFirst()).port())) {
            assertEquals(1, client.ask(7, RawClient.info("e")));
            byte[][] requests = new byte[BATCH][];
            for (int i = 0; i < BATCH; i++) {
                requests[i] = RawClient.request(0, 0, i, i * 8192L, LENGTH);
            }
            byte[] batch = RawClient.join(requests);
            run(client, batch, 2000);
            long best = Long.MAX_VALUE;
            for (int round = 0; round < 5; round++) {
                long before = allocatedByLoop();
                run(client, batch, 500);
                best = Math.min(best, allocatedByLoop() - before);
            }
            double perRequest = best / (500.0 * BATCH);
            System.out.printf("resident reads: %.2f bytes allocated per request%n", perRequest);
            // The smallest object has 16 bytes: below that, there is none per request. What is left is per batch, in Netty.
            assertTrue(perRequest < 16, () -> perRequest + " bytes per request");
        }
    }

    private static void run(RawClient client, byte[] batch, int count) throws IOException {
        byte[] replies = new byte[BATCH * (16 + LENGTH)];
        for (int i = 0; i < count; i++) {
            client.send(batch);
            assertEquals(replies.length, client.in().readNBytes(replies, 0, replies.length));
        }
    }

    private static long allocatedByLoop() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        return Arrays.stream(threads.dumpAllThreads(false, false))
                .filter(thread -> thread.getThreadName().startsWith("nbd-") && !thread.getThreadName().startsWith("nbd-client"))
                .mapToLong(thread -> threads.getThreadAllocatedBytes(thread.getThreadId()))
                .sum();
    }
}
