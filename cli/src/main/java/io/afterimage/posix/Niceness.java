package io.afterimage.posix;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * How readily this process lets others have the processors, and the disks: 0 as anybody, 19 only what nobody else wants. To Linux it is a matter of
 * each thread, which hands it on to those that it starts ({@code setpriority(2)}, "C library/kernel differences"); the kernel derives the
 * priority of a thread's I/O from it ({@code ioprio_set(2)}).
 */
public final class Niceness {

    /** Lets others have everything. */
    public static final int MOST = 19;

    private static final int PRIO_PROCESS = 0;
    private static final MethodHandle SETPRIORITY = CLibrary.function("setpriority", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);

    private Niceness() {}

    /**
     * Makes all threads of this process so nice, and thereby those that they start; those that are nicer stay so. There is no way back for whoever is not root.
     *
     * @param niceness {@code 0} to {@link #MOST}; 0 changes nothing
     */
    public static void of(int niceness) throws PosixException {
        if (niceness == 0) {
            return;
        }
        OwnThreads.forAll(thread -> {
            if (now(thread) < niceness) {
                set(thread, niceness);
            }
        });
    }

    /** The 19th field, counted from behind the name, which may hold anything ({@code proc_pid_stat(5)}). */
    private static int now(int thread) {
        try {
            String stat = Files.readString(Path.of("/proc/self/task/" + thread + "/stat"), StandardCharsets.ISO_8859_1);
            return Integer.parseInt(stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[16]);
        } catch (IOException _) {
            return MOST; // it has just ended
        }
    }

    private static void set(int thread, int niceness) throws PosixException {
        CLibrary.check(state -> (int) SETPRIORITY.invokeExact(state, PRIO_PROCESS, thread, niceness));
    }
}
