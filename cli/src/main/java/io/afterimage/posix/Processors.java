package io.afterimage.posix;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;

/**
 * On which of the host's processors this process runs. As with {@link Niceness}, to Linux it is a matter of each thread ({@code sched_setaffinity(2)}); whoever was told
 * so beforehand ({@code taskset}, {@code CPUAffinity=}, a cpuset) may run on fewer than there are.
 */
public final class Processors {

    private static final MethodHandle SETAFFINITY = CLibrary.function("sched_setaffinity", JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS);
    private static final Path SYSTEM = Path.of("/sys/devices/system/cpu");
    private static final String ALLOWED = "Cpus_allowed_list:";

    /** Those that this process might use before the program's launcher had it begin on one of them; a system property. */
    static final String BEFORE = "afterimage.processors";

    private Processors() {}

    /** How many there are. */
    public static int online() throws IOException {
        return onlineOnes().cardinality();
    }

    /** How many this process may use. */
    public static int allowed() throws IOException {
        return allowedOnes().cardinality();
    }

    /**
     * Has all threads of this process, and thereby those and the processes that they start, use at most so many of those that it may use: whole cores, and the
     * last ones, since interrupts and what is pinned by hand are mostly on the first.
     *
     * @param count at least 1; where no more are allowed, all of those
     */
    public static void useAtMost(int count) throws IOException {
        BitSet used = last(allowedOnes(), count);
        if (used.equals(runningOn())) {
            return;
        }
        byte[] mask = mask(used);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = arena.allocateFrom(JAVA_BYTE, mask);
            OwnThreads.forAll(thread ->
                    CLibrary.check(state -> (int) SETAFFINITY.invokeExact(state, thread, (long) mask.length, segment)));
        }
    }

    private static BitSet onlineOnes() throws IOException {
        return parse(Files.readString(SYSTEM.resolve("online")));
    }

    private static BitSet allowedOnes() throws IOException {
        String before = System.getProperty(BEFORE);
        return before == null ? runningOn() : thatAreOnline(parse(before));
    }

    private static BitSet runningOn() throws IOException {
        return thatAreOnline(parse(Files.readString(Path.of("/proc/self/status"), StandardCharsets.ISO_8859_1).lines()
                .filter(line -> line.startsWith(ALLOWED))
                .map(line -> line.substring(ALLOWED.length()))
                .findFirst()
                .orElseThrow(() -> new IOException("/proc/self/status does not tell the processors that are allowed"))));
    }

    /** Those that a host could be given later are allowed, too. (In a container the files may count differently.) */
    private static BitSet thatAreOnline(BitSet processors) throws IOException {
        BitSet online = onlineOnes();
        if (processors.intersects(online)) {
            processors.and(online);
        }
        return processors;
    }

    /** Those that share a core follow each other in the order in which they are taken. */
    private static BitSet last(BitSet allowed, int count) {
        List<Integer> ordered = new ArrayList<>(allowed.stream().boxed().toList());
        ordered.sort(Comparator.comparingInt(Processors::core).thenComparing(Comparator.naturalOrder()));
        BitSet taken = new BitSet();
        ordered.reversed().stream().limit(count).forEach(taken::set);
        return taken;
    }

    /** The first processor on the same core. */
    private static int core(int processor) {
        try {
            return parse(Files.readString(SYSTEM.resolve("cpu" + processor + "/topology/thread_siblings_list"))).nextSetBit(0);
        } catch (IOException _) {
            return processor; // a kernel that does not tell
        }
    }

    /** A list as the kernel writes it, such as {@code 0-3,8}. */
    static BitSet parse(String list) {
        BitSet processors = new BitSet();
        for (String part : list.strip().split(",", -1)) {
            String[] ends = part.split("-", 2);
            processors.set(Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1]) + 1);
        }
        return processors;
    }

    /** A {@code cpu_set_t}: an array of longs, little-endian as all that this runs on is. */
    private static byte[] mask(BitSet processors) {
        long[] words = processors.toLongArray();
        byte[] mask = new byte[words.length * Long.BYTES];
        processors.stream().forEach(processor -> mask[processor / Byte.SIZE] |= (byte) (1 << (processor % Byte.SIZE)));
        return mask;
    }
}
