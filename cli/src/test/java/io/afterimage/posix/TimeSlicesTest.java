package io.afterimage.posix;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** In a JVM of its own: there is no way back. */
class TimeSlicesTest {

    private static final Path SCHEDULING = Path.of("/proc/thread-self/sched");
    private static final String SLICE = "se.slice";

    /** Prints the nanoseconds that its threads ask for: one that was there before, and one that begins later. */
    static final class Subject {

        private Subject() {}

        public static void main(String[] arguments) throws IOException, InterruptedException {
            CountDownLatch asked = new CountDownLatch(1);
            Thread before = Thread.ofPlatform().start(() -> {
                try {
                    asked.await();
                    print();
                } catch (InterruptedException | IOException e) {
                    throw new IllegalStateException(e);
                }
            });
            TimeSlices.ofTheLongest();
            asked.countDown();
            before.join();
            Thread.ofPlatform().start(() -> {
                try {
                    print();
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            });
        }

        private static void print() throws IOException {
            // Not of a thread that is idle.
            System.out.println(Files.readAllLines(SCHEDULING).stream()
                    .filter(line -> line.startsWith(SLICE))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse("none"));
        }
    }

    @Test
    void allThreadsAskForTheLongest() throws IOException, InterruptedException {
        assumeSlices();
        assertEquals("100000000\n100000000\n", run());
    }

    /** As a timer's unit may have it with {@code CPUSchedulingPolicy=idle}. */
    @Test
    void whoIsIdleStaysSo() throws IOException, InterruptedException {
        assumeSlices();
        assertEquals("none\nnone\n", run("chrt", "--idle", "0"));
    }

    private static void assumeSlices() throws IOException {
        int[] kernel = Stream.of(System.getProperty("os.version").split("[^0-9]+", -1)).limit(2).mapToInt(Integer::parseInt).toArray();
        assumeTrue(Arrays.compare(kernel, new int[] {6, 12}) >= 0, "time slices can be asked for from Linux 6.12 on");
        assumeTrue(Files.exists(SCHEDULING) && Files.readString(SCHEDULING).contains(SLICE), "this kernel does not show time slices");
    }

    private static String run(String... by) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(List.of(by));
        words.addAll(List.of(
                ProcessHandle.current().info().command().orElseThrow(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Subject.class.getName()));
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
        return said;
    }
}
