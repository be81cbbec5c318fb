package io.afterimage.posix;

import java.io.File;
import java.util.HashSet;
import java.util.Set;

/** The threads of this process, those of the JVM among them. What is a thread's own it hands on to those that it starts. */
final class OwnThreads {

    private OwnThreads() {}

    /** What is done to a thread, by its number; more than once to some. */
    @FunctionalInterface
    interface Change {
        void make(int thread) throws PosixException;
    }

    /** Makes a change to all that there are, so that those that they start later have it, too. */
    static void forAll(Change change) throws PosixException {
        Set<Integer> done = new HashSet<>();
        // A thread that began meanwhile may have been started by one that was not changed yet.
        while (done.addAll(now())) {
            for (int thread : done) {
                try {
                    change.make(thread);
                } catch (PosixException e) {
                    if (!e.isOfNobody()) { // it has just ended
                        throw e;
                    }
                }
            }
        }
    }

    private static Set<Integer> now() {
        Set<Integer> threads = new HashSet<>();
        String[] names = new File("/proc/self/task").list();
        for (String name : names == null ? new String[0] : names) {
            threads.add(Integer.valueOf(name));
        }
        return threads;
    }
}
