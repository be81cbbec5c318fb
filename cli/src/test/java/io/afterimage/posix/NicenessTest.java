package io.afterimage.posix;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class NicenessTest {

    private static final Path SESSION = Path.of("/proc/self/autogroup");

    /** Prints how nice its threads are, and, if asked for more, its session. */
    static final class Subject {

        private Subject() {}

        public static void main(String[] arguments) throws IOException, InterruptedException {
            JvmOfItsOwn.observe(() -> Niceness.of(Integer.parseInt(arguments[0])), Subject::print);
            if (arguments.length > 1) {
                System.out.println(Files.readString(SESSION).strip().replaceFirst(".* nice", "nice"));
            }
        }

        private static void print() throws IOException {
            String stat = Files.readString(Path.of("/proc/thread-self/stat"));
            // The 19th field, counted from behind the name, which may hold anything.
            System.out.println(stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[16]);
        }
    }

    @Test
    void allThreadsAreNiceAndStaySo() throws IOException, InterruptedException {
        assertEquals("19\n19\n19\n", nicenessOfThreads(Niceness.MOST));
    }

    /** As a timer's unit may have it with {@code Nice=19}, and a user who is not root. */
    @Test
    void whoIsNicerStaysSo() throws IOException, InterruptedException {
        assertEquals("19\n19\n19\n", nicenessOfThreads(5, "nice", "-n", "19"));
    }

    /** Otherwise it would be nice to nobody but itself. */
    @Test
    void aSessionOfItsOwnIsAsNice() throws IOException, InterruptedException {
        assumeTrue(Files.exists(SESSION) && !Files.readString(SESSION).isEmpty(), "this kernel does not share processors out among sessions");
        assertEquals("7\n7\n7\nnice 7\n", JvmOfItsOwn.said(List.of("setsid"), Subject.class, "7", "and its session"));
    }

    @Test
    void anothersSessionStaysAsItIs() throws IOException, InterruptedException {
        assumeTrue(Files.exists(SESSION), "this kernel does not share processors out among sessions");
        String before = Files.readString(SESSION);
        nicenessOfThreads(7);
        assertEquals(before, Files.readString(SESSION));
    }

    private static String nicenessOfThreads(int niceness, String... by) throws IOException, InterruptedException {
        return JvmOfItsOwn.said(List.of(by), Subject.class, Integer.toString(niceness));
    }
}
