package io.afterimage.posix;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.concurrent.TimeUnit;

/**
 * For how long a thread of this process asks to have a processor at once. Since 6.12 Linux has each ordinary thread say so (the field {@code sched_runtime} of
 * {@code sched_setattr(2)}), 0.1 to 100 ms, and whoever wakes up and asks for less goes first, instead of waiting until the one that runs has had its
 * slice: what is done in between is the same. Older ones take note of the number and of nothing else.
 */
public final class TimeSlices {

    /** The longest that may be asked for: all others' are shorter. */
    private static final long LONGEST_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    /** {@code struct sched_attr} in its first version. */
    private static final StructLayout ATTRIBUTES = MemoryLayout.structLayout(
            JAVA_INT.withName("size"), JAVA_INT.withName("policy"), JAVA_LONG.withName("flags"), JAVA_INT.withName("nice"), JAVA_INT.withName("priority"),
            JAVA_LONG.withName("runtime"), JAVA_LONG.withName("deadline"), JAVA_LONG.withName("period"));
    private static final VarHandle POLICY = field("policy");
    private static final VarHandle RUNTIME = field("runtime");
    private static final int SCHED_OTHER = 0;
    private static final int SCHED_BATCH = 3;

    // The C library has functions for these from 2.41 on. Their numbers are the processor's matter, and one follows the other.
    private static final long SYS_SCHED_SETATTR =
            switch (System.getProperty("os.arch")) {
                case "amd64" -> 314;
                case "aarch64", "riscv64" -> 274;
                default -> 0; // not known to us
            };
    private static final long SYS_SCHED_GETATTR = SYS_SCHED_SETATTR + 1;
    private static final MethodHandle SETATTR = CLibrary.syscall(JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle GETATTR = CLibrary.syscall(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);

    private TimeSlices() {}

    /** Has all threads of this process, and thereby those that they start, be preempted by whoever wakes up. Those that are idle or real-time threads by somebody's will stay as they are. */
    public static void ofTheLongest() throws PosixException {
        if (SYS_SCHED_SETATTR == 0) {
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attributes = arena.allocate(ATTRIBUTES);
            int size = (int) ATTRIBUTES.byteSize();
            OwnThreads.forAll(thread -> {
                CLibrary.check(state -> (long) GETATTR.invokeExact(state, SYS_SCHED_GETATTR, thread, attributes, size, 0));
                int policy = (int) POLICY.get(attributes, 0L);
                if (policy == SCHED_OTHER || policy == SCHED_BATCH) {
                    RUNTIME.set(attributes, 0L, LONGEST_NANOS);
                    CLibrary.check(state -> (long) SETATTR.invokeExact(state, SYS_SCHED_SETATTR, thread, attributes, 0));
                }
            });
        }
    }

    private static VarHandle field(String name) {
        return ATTRIBUTES.varHandle(PathElement.groupElement(name));
    }
}
