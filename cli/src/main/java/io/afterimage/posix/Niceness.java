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
 * priority of a thread's I/O from it ({@code ioprio_set(2)}). Where it shares the processors out among sessions first, as it does unless somebody has
 * switched that off, a thread is nice to those of its own session alone, and sessions are nice to each other ({@code sched(7)}, "The autogroup feature").
 */
public final class Niceness {

    /** Lets others have everything. */
    public static final int MOST = 19;

    private static final int PRIO_PROCESS = 0;
    private static final Path SESSION = Path.of("/proc/self/autogroup");
    private static final MethodHandle SETPRIORITY = CLibrary.function("setpriority", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);

    private Niceness() {}

    /**
     * Makes all threads of this process so nice, and thereby those that they start; those that are nicer stay so. There is no way back for whoever is not root.
     * A process that leads its session, as that of a systemd unit does, makes the session so nice, too. That of a shell's command does not: it is the shell's.
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
        try {
            if (leadsItsSession() && ofSession() < niceness) {
                Files.writeString(SESSION, Integer.toString(niceness));
            }
        } catch (IOException _) {
            // A kernel without such groups, or a /proc that must not be written to.
        }
    }

    private static boolean leadsItsSession() throws IOException {
        return Long.parseLong(field("/proc/self/stat", 6)) == ProcessHandle.current().pid();
    }

    /** The file reads {@code /autogroup-7 nice 0}, and takes the number. It is empty where a cgroup has taken the session's place. */
    private static int ofSession() throws IOException {
        String text = Files.readString(SESSION).strip();
        return text.isEmpty() ? MOST : Integer.parseInt(text.substring(text.lastIndexOf(' ') + 1));
    }

    private static int now(int thread) {
        try {
            return Integer.parseInt(field("/proc/self/task/" + thread + "/stat", 19));
        } catch (IOException _) {
            return MOST; // it has just ended
        }
    }

    /** Counted from 1, as {@code proc_pid_stat(5)} does; one behind the name, which may hold anything. */
    private static String field(String file, int number) throws IOException {
        String stat = Files.readString(Path.of(file), StandardCharsets.ISO_8859_1);
        return stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[number - 3];
    }

    private static void set(int thread, int niceness) throws PosixException {
        CLibrary.check(state -> (int) SETPRIORITY.invokeExact(state, PRIO_PROCESS, thread, niceness));
    }
}
