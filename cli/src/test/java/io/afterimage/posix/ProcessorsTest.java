package io.afterimage.posix;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class ProcessorsTest {

    /** Prints on which processors its threads may run, and how many the JVM counts. */
    static final class Subject {

        private Subject() {}

        public static void main(String[] arguments) throws IOException, InterruptedException {
            if (arguments.length > 1) {
                System.setProperty(Processors.BEFORE, arguments[1]);
            }
            JvmOfItsOwn.observe(() -> Processors.useAtMost(Integer.parseInt(arguments[0])), Subject::print);
            System.out.println(Processors.allowed() + " " + Runtime.getRuntime().availableProcessors());
        }

        private static void print() throws IOException {
            System.out.println(Files.readString(Path.of("/proc/thread-self/status")).lines()
                    .filter(line -> line.startsWith("Cpus_allowed_list")).findFirst().orElseThrow());
        }
    }

    @Test
    void allThreadsAreConfinedAndStaySo() throws IOException, InterruptedException {
        String[] said = confinedTo(1).split("\n", -1);
        assertEquals(said[0], said[1]);
        assertEquals(said[0], said[2]);
        assertTrue(said[0].matches("Cpus_allowed_list:\\s+\\d+"), said[0]);
        assertEquals("1 1", said[3]);
    }

    @Test
    void whoHasFewerKeepsThem() throws IOException, InterruptedException {
        int allowed = Processors.allowed();
        // Of the JVM's own count a quota may take something off.
        assertTrue(confinedTo(allowed + 1).contains("\n" + allowed + " "));
    }

    /** As the launcher has backups of running machines do. */
    @Test
    void whoBeginsOnOneIsGivenTheOthersBack() throws IOException, InterruptedException {
        int allowed = Processors.allowed();
        String list = Files.readString(Path.of("/proc/self/status")).lines()
                .filter(line -> line.startsWith("Cpus_allowed_list")).map(line -> line.replaceFirst(".*\\s", "")).findFirst().orElseThrow();
        List<String> onTheLast = List.of("taskset", "-c", list.replaceFirst(".*[,-]", ""));
        assertTrue(JvmOfItsOwn.said(onTheLast, Subject.class, Integer.toString(allowed), list).contains("\n" + allowed + " "));
        assertTrue(JvmOfItsOwn.said(onTheLast, Subject.class, "1", list).contains("\n" + allowed + " 1"), "on one it stays");
    }

    @Test
    void theKernelsListsAreUnderstood() {
        assertEquals(new TreeSet<>(Set.of(0, 1, 2, 8)), members("0-2,8\n"));
        assertEquals(Set.of(5), members("\t5"));
        assertThrows(NumberFormatException.class, () -> members("some"));
    }

    private static Set<Integer> members(String list) {
        Set<Integer> members = new TreeSet<>();
        Processors.parse(list).stream().forEach(members::add);
        return members;
    }

    private static String confinedTo(int count) throws IOException, InterruptedException {
        return JvmOfItsOwn.said(List.of(), Subject.class, Integer.toString(count));
    }
}
