package io.afterimage.posix;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** In a JVM of its own: there is no way back. */
class NicenessTest {

    private static final Path SESSION = Path.of("/proc/self/autogroup");

    /** Prints how nice its threads are: one that was there before, itself, and one that begins later; of its session, too, if asked for. */
    static final class Subject {

        private Subject() {}

        public static void main(String[] arguments) throws IOException, InterruptedException {
            CountDownLatch nice = new CountDownLatch(1);
            Thread before = Thread.ofPlatform().start(() -> {
                try {
                    nice.await();
                    print();
                } catch (InterruptedException | IOException e) {
                    throw new IllegalStateException(e);
                }
            });
            Niceness.of(Integer.parseInt(arguments[0]));
            nice.countDown();
            before.join();
            print();
            Thread.ofPlatform().start(() -> {
                try {
                    print();
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            }).join();
            if (arguments.length > 1) {
                System.out.println(Files.readString(SESSION).strip().replaceFirst(".* nice", "nice"));
            }
        }

        private static synchronized void print() throws IOException {
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
        assertEquals("7\n7\n7\nnice 7\n", nicenessOfThreads(7, "setsid"));
    }

    @Test
    void anothersSessionStaysAsItIs() throws IOException, InterruptedException {
        assumeTrue(Files.exists(SESSION), "this kernel does not share processors out among sessions");
        String before = Files.readString(SESSION);
        nicenessOfThreads(7);
        assertEquals(before, Files.readString(SESSION));
    }

    private static String nicenessOfThreads(int niceness, String... by) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(List.of(by));
        words.addAll(List.of(
                ProcessHandle.current().info().command().orElseThrow(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Subject.class.getName(),
                Integer.toString(niceness)));
        if (words.contains("setsid")) {
            words.add("session");
        }
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
        return said;
    }
}
