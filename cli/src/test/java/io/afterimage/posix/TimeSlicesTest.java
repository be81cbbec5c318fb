package io.afterimage.posix;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class TimeSlicesTest {

    private static final Path SCHEDULING = Path.of("/proc/thread-self/sched");
    private static final String SLICE = "se.slice";

    /** Prints the nanoseconds that its threads ask for. */
    static final class Subject {

        private Subject() {}

        public static void main(String[] arguments) throws IOException, InterruptedException {
            JvmOfItsOwn.observe(TimeSlices::ofTheLongest, Subject::print);
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
        assertEquals("100000000\n".repeat(3), JvmOfItsOwn.said(List.of(), Subject.class));
    }

    /** As a timer's unit may have it with {@code CPUSchedulingPolicy=idle}. */
    @Test
    void whoIsIdleStaysSo() throws IOException, InterruptedException {
        assumeSlices();
        assertEquals("none\n".repeat(3), JvmOfItsOwn.said(List.of("chrt", "--idle", "0"), Subject.class));
    }

    private static void assumeSlices() throws IOException {
        int[] kernel = Stream.of(System.getProperty("os.version").split("[^0-9]+", -1)).limit(2).mapToInt(Integer::parseInt).toArray();
        assumeTrue(Arrays.compare(kernel, new int[] {6, 12}) >= 0, "time slices can be asked for from Linux 6.12 on");
        assumeTrue(Files.exists(SCHEDULING) && Files.readString(SCHEDULING).contains(SLICE), "this kernel does not show time slices");
    }
}
