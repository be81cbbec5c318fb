package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Deadline;
import io.afterimage.lab.Guest;
import io.afterimage.lab.Lab;
import io.afterimage.lab.Mounts;
import io.afterimage.lab.Qmp;
import io.afterimage.lab.Tool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Machines that run from the repository while their disk moves to this host; and what may come in between. */
class MigrationIT {

    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final int SIZE = 24 << 20;
    private static final String MOVED = "All of the disk is in ";

    /** In the guest: a line more each time, on the disk before the next. */
    private static final String LOAD = "i=0; while :; do i=$((i+1)); echo $i >> /load; dd if=/dev/urandom of=/noise bs=4k count=8 seek=$((i%50*8)) conv=notrunc; sync; done";

    @TempDir
    Path folder;

    private Program afterimage;
    private Path target;
    private Path log;
    private final List<ProcessHandle> machines = new ArrayList<>();

    @BeforeEach
    void create() throws IOException {
        afterimage = new Program(folder).thatMayBeKilled().with("AFTERIMAGE_ACCEL", Lab.accelerator());
        target = folder.resolve("web.qcow2");
        log = folder.resolve("serial.log");
        afterimage.run("init").orFail();
    }

    /** A machine that is on its own outlives everybody. */
    @AfterEach
    void endMachines() {
        for (ProcessHandle machine : machines) {
            machine.destroyForcibly();
            awaitEnd(machine);
        }
    }

    /** Nobody may be there to wait for it. */
    private static void awaitEnd(ProcessHandle machine) {
        Deadline.in(PATIENCE).await(() -> "ZX".indexOf(Tool.state(machine.pid())) >= 0, () -> "QEMU goes on");
    }

    private Process boot(List<String> more, String... options) throws IOException {
        List<String> command = new ArrayList<>(List.of("boot", "web", "--memory", "256M"));
        command.addAll(List.of(options));
        command.add("--");
        command.addAll(more);
        Process boot = afterimage.start(log, command.toArray(String[]::new));
        Deadline.in(PATIENCE).await(() -> machine(boot).isPresent() || !boot.isAlive(), this::said);
        machines.add(machine(boot).orElseThrow(() -> new AssertionError(said())));
        return boot;
    }

    private static Optional<ProcessHandle> machine(Process boot) {
        return boot.descendants()
                .filter(process -> process.info().command().filter(command -> command.contains("qemu-system")).isPresent())
                .findFirst();
    }

    private String said() {
        try {
            return Files.exists(log) ? new String(Files.readAllBytes(log), StandardCharsets.UTF_8) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void awaitSaid(String words) {
        Deadline.in(PATIENCE).await(() -> said().contains(words), this::said);
    }

    /** By SIGKILL. */
    private static void kill(Process boot) throws InterruptedException {
        boot.destroyForcibly();
        assertTrue(boot.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS));
    }

    @Test
    void aMachineMovesWhileItWritesAndNeedsNobodyAfterwards() throws Exception {
        afterimage.run("backup", "web", "--image", "vda=raw:" + Lab.tinyDisk()).orFail();
        Process boot = boot(Guest.options(folder), "--migrate-to", target.toString());
        Path away = folder.resolve("away");
        try (Guest guest = Guest.attach(folder, boot).awaitReady()) {
            guest.run("{ " + LOAD + "; } > /dev/null 2>&1 &");
            awaitSaid(MOVED);
            kill(boot);
            Files.move(afterimage.repository(), away);
            int then = lines(guest);
            Deadline.in(PATIENCE).await(() -> lines(guest) > then + 3, this::said);
            // All that was never read is to be had, too.
            guest.run("echo 3 > /proc/sys/vm/drop_caches && cat $(find /usr /bin /sbin /lib -xdev -type f) > /dev/null");
            guest.run("sync");
            guest.qmp().execute("quit");
        }
        awaitEnd(machines.getFirst());
        assertFalse(Tool.run("qemu-img", "info", target.toString()).orFail().text().contains("backing file"));
        Tool.run("qemu-img", "check", target.toString()).orFail();
        assertIsTheGuestsDisk();

        // Its next backup reads what it wrote, and nothing of what only moved.
        Files.move(away, afterimage.repository());
        JsonNode point = afterimage.run("backup", "web", "--image", "vda=" + target, "--json").json();
        assertEquals("bitmap", point.path("disks").path(0).path("change").asString(), point.toString());
        assertTrue(point.path("bytes").path("dirty").asLong() < 40 << 20, point.toString());
        Path restored = folder.resolve("restored.raw");
        afterimage.run("restore", "web", "--to", restored.toString()).orFail();
        Tool.run("qemu-img", "compare", "-f", "raw", "-F", "qcow2", restored.toString(), target.toString()).orFail();
    }

    private static int lines(Guest guest) {
        return Integer.parseInt(guest.run("wc -l < /load").strip());
    }

    /** A whole file system, with every line that was written, and every file that was there. */
    private void assertIsTheGuestsDisk() {
        Path moved = partition("moved", target, "qcow2");
        partition("before", Lab.tinyDisk(), "raw");
        // The machine was cut off: its journal is replayed first, on a copy.
        Tool.Result repaired = Tool.run("e2fsck", "-fy", moved.toString());
        assertTrue(repaired.exit() <= 1, repaired.text());
        List<String> lines = dump(moved, "/load").lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            assertEquals(String.valueOf(i + 1), lines.get(i));
        }
        assertTrue(lines.size() > 3, lines.toString());
        Tool.run("sh", "-c", "cd " + folder + " && mkdir a b && debugfs -R 'rdump /usr /lib a' before && debugfs -R 'rdump /usr /lib b' moved && diff -r --no-dereference a b").orFail();
    }

    private Path partition(String name, Path image, String format) {
        Path raw = folder.resolve(name + ".raw");
        Path partition = folder.resolve(name);
        Tool.run("qemu-img", "convert", "-f", format, "-O", "raw", image.toString(), raw.toString()).orFail();
        Tool.run("dd", "if=" + raw, "of=" + partition, "bs=1M", "skip=1", "conv=sparse").orFail();
        return partition;
    }

    private static String dump(Path fileSystem, String file) {
        return Tool.run("sh", "-c", "debugfs -R 'cat " + file + "' " + fileSystem + " 2>/dev/null").orFail().text();
    }

    /** No guest runs in these machines: QEMU's own block layer writes. First nothing can be read of the store, then the disk is full. */
    @Test
    void aMoveThatIsCutOffGoesOnAndNothingIsLost() throws Exception {
        byte[] bytes = new byte[16 << 20];
        new Random(7).nextBytes(bytes);
        Path image = afterimage.image("image.raw", SIZE, bytes);
        afterimage.run("backup", "web", "--image", "vda=" + image).orFail();
        Path packs = afterimage.repository().resolve("packs");
        Path away = folder.resolve("packs");
        try (Mounts mounts = new Mounts(folder)) {
            Path small = mounts.memory("small", "64M");
            target = small.resolve("web.qcow2");

            Files.move(packs, away);
            Process boot = boot(paused(), "--migrate-to", target.toString());
            assertTrue(inTheMachine(boot, "write -P 5 1M 64k", "flush").contains("wrote 65536/65536"), this::said);
            awaitSaid("waits for what it cannot read");
            kill(boot);
            // It could not have read on.
            awaitEnd(machines.getLast());
            String refused = Tool.run("qemu-io", "-f", "qcow2", "-c", "read 0 64k", target.toString()).text();
            assertTrue(refused.contains("Unknown protocol 'afterimage'"), refused);
            Files.move(away, packs);

            // The point is forgotten meanwhile, and what nobody needs is collected.
            String point = afterimage.run("list", "web", "--json").json().path(0).path("point").asString();
            afterimage.run("backup", "web", "--image", "vda=" + afterimage.image("newer.raw", SIZE, new byte[] {1})).orFail();
            afterimage.run("forget", "web@" + point).orFail();
            afterimage.run("gc", "--grace", "0s").orFail();
            Mounts.resize(small, "6M");
            boot = boot(paused(), "--migrate-to", target.toString());
            awaitSaid("There is no room left for " + target);
            Mounts.resize(small, "64M");
            awaitSaid(MOVED);
            assertTrue(inTheMachine(boot, "read -P 5 1M 64k", "write -P 6 17M 100k", "flush", "quit").contains("read 65536/65536"), this::said);
            assertEquals(0, boot.waitFor(), this::said);
            assertFalse(said().contains("verification"), this::said);

            Tool.run("qemu-io", "-f", "raw", "-c", "write -P 5 1M 64k", "-c", "write -P 6 17M 100k", image.toString()).orFail();
            Tool.run("qemu-img", "compare", "-f", "raw", "-F", "qcow2", image.toString(), target.toString()).orFail();
            assertRefused(ExitCode.TARGET, target + " is there already", "boot", "web", "--migrate-to", target.toString());
        }
    }

    private List<String> paused() throws IOException {
        Files.deleteIfExists(folder.resolve("monitor"));
        return List.of("-S", "-qmp", "unix:" + folder.resolve("monitor") + ",server=on,wait=off");
    }

    /** What QEMU said of these commands; not who asks, but its own standard output, gets to know it. */
    private String inTheMachine(Process boot, String... commands) throws IOException {
        try (Qmp qmp = Qmp.join(folder.resolve("monitor"), boot)) {
            for (String command : commands) {
                if (command.equals("quit")) {
                    qmp.execute(command);
                } else {
                    qmp.monitor("qemu-io -d /machine/peripheral-anon/device[0]/virtio-backend \"" + command + "\"");
                }
            }
        }
        return said();
    }

    @Test
    void whatCannotBeIsSaidInASentence() throws Exception {
        Path image = afterimage.image("image.raw", 1 << 20, new byte[] {1});
        afterimage.run("backup", "web", "--image", "vda=" + image).orFail();
        afterimage.run("backup", "db", "--image", "vda=" + image, "--image", "vdb=" + image).orFail();
        String there = Files.writeString(folder.resolve("there"), "precious").toString();
        assertRefused(ExitCode.TARGET, "is there already, and no disk is on its way to it", "boot", "web", "--migrate-to", there);
        assertEquals("precious", Files.readString(Path.of(there)));
        String other = folder.resolve("other.qcow2").toString();
        Tool.run("qemu-img", "create", "-q", "-f", "qcow2", other, "1M").orFail();
        assertRefused(ExitCode.TARGET, "is there already", "boot", "web", "--migrate-to", other);
        assertRefused(ExitCode.TARGET, "is there already", "boot", "web", "--migrate-to", folder.toString());
        assertRefused(ExitCode.TARGET, "There is no folder", "boot", "web", "--migrate-to", folder.resolve("none/web.qcow2").toString());
        assertRefused(ExitCode.TARGET, "has 2 disks", "boot", "db", "--migrate-to", target.toString());
        assertFalse(Files.exists(target));
        assertRefused(ExitCode.USAGE, "mutually exclusive", "boot", "web", "--migrate-to", target.toString(), "--overlay", "x");
        assertRefused(ExitCode.USAGE, "mutually exclusive", "boot", "web", "--snapshot", "--overlay", "x");

        // A move that was begun is another machine's, or of a point that there never was.
        Process boot = boot(paused(), "--migrate-to", target.toString());
        kill(boot);
        awaitEnd(machines.getLast());
        assertRefused(ExitCode.TARGET, "is web/vda@", "boot", "db", "--migrate-to", target.toString());
        String begun = folder.resolve("begun.qcow2").toString();
        String below = "afterimage:web/vda@00112233445566778899aabbccddeeff?manifest=99-" + "0".repeat(64) + "&hold=" + UUID.randomUUID();
        Tool.run("qemu-img", "create", "-q", "-f", "qcow2", "-u", "-b", below, "-F", "raw", begun, "1M").orFail();
        assertRefused(ExitCode.TARGET, "still needs was forgotten", "boot", "web", "--migrate-to", begun);
        Tool.run("qemu-img", "rebase", "-q", "-f", "qcow2", "-u", "-b", below.replace("vda", ".."), "-F", "raw", begun).orFail();
        assertRefused(ExitCode.TARGET, "is there already", "boot", "web", "--migrate-to", begun);
    }

    private void assertRefused(ExitCode code, String clause, String... command) {
        Program.Result refused = afterimage.run(command);
        assertEquals(code.number(), refused.exit(), refused.err());
        assertTrue(refused.err().contains(clause), refused.err());
        assertFalse(refused.err().contains("\tat "), refused.err());
    }
}
