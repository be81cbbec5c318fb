package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Deadline;
import io.afterimage.lab.Guest;
import io.afterimage.lab.Qmp;
import io.afterimage.lab.Tool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Overlays as people use them: exported, served, written to by QEMU, libnbd, fio and a guest's kernel, killed, committed, discarded. */
class OverlayIT {

    /** No multiple of a chunk, nor of a block. */
    private static final int SIZE = 24 * 1024 * 1024 + 1536;

    /**
     * In Python: changes of random places, of which what has been done is told in a file, over two connections, flushed on either, until the server
     * goes away. Which changes those are depends on the seed alone.
     */
    private static final String CHANGES = """
            import random, sys, nbd
            def changes(seed, size):
                r = random.Random(seed)
                i = 0
                while True:
                    i += 1
                    first = r.randrange(size // 512)
                    count = min(size // 512 - first, r.choice([1, 2, 3, 8, 16, 130]))
                    if r.randrange(3) == 0:
                        first &= ~7
                    yield i, first, count, r.choice(['write', 'write', 'write', 'fua', 'zero', 'trim'])
            def content(i, count):
                return i.to_bytes(4, 'big') * (128 * count)
            """;

    private static final String CHANGE = CHANGES + """
            other = nbd.NBD()
            other.connect_uri(URI)
            size = h.get_size()
            open(BEFORE, 'wb').write(b''.join(h.pread(min(1 << 20, size - o), o) for o in range(0, size, 1 << 20)))
            done = open(DONE, 'w', buffering=1)
            try:
                for i, first, count, what in changes(SEED, size):
                    done.write('begun %d\\n' % i)
                    c = h if i % 2 else other
                    if what == 'zero':
                        c.zero(512 * count, 512 * first)
                    elif what == 'trim':
                        c.trim(512 * count, 512 * first)
                    else:
                        c.pwrite(content(i, count), 512 * first, nbd.CMD_FLAG_FUA if what == 'fua' else 0)
                        if what == 'fua':
                            done.write('durable %d\\n' % i)
                    if i % 9 == 0:
                        (other if i % 2 else h).flush()
                        done.write('flushed %d\\n' % i)
            except nbd.Error:
                pass
            """;

    private static final String CHECK = CHANGES + """
            size = h.get_size()
            before = open(BEFORE, 'rb').read()
            lines = [line.split() for line in open(DONE)]
            last = lambda word: max([int(n) for w, n in lines if w == word], default=0)
            begun, flushed = last('begun'), last('flushed')
            durable = set(int(n) for w, n in lines if w == 'durable')
            may = {}
            for i, first, count, what in changes(SEED, size):
                if i > begun:
                    break
                for s in range(first, first + count):
                    old = may.get(s, {before[512*s:512*s+512]})
                    new = bytes(512) if what in ('zero', 'trim') else content(i, 1)
                    sure = (i <= flushed or i in durable) and what != 'trim'
                    may[s] = {new} if sure else old | {new}
            assert flushed > 100, flushed
            for o in range(0, size, 1 << 20):
                now = h.pread(min(1 << 20, size - o), o)
                for k in range(len(now) // 512):
                    s = o // 512 + k
                    assert bytes(now[512*k:512*k+512]) in may.get(s, {before[512*s:512*s+512]}), (s, now[512*k:512*k+4], begun, flushed)
            """;

    @TempDir
    Path folder;

    private Program afterimage;
    private Path image;

    @BeforeEach
    void backUp() {
        afterimage = new Program(folder);
        afterimage.run("init").orFail();
        byte[] begin = new byte[16 << 20];
        new Random(3).nextBytes(begin);
        image = afterimage.image("image.raw", SIZE, begin);
        afterimage.run("backup", "web", "--image", "vda=" + image).orFail();
    }

    private ServedRepository serve() throws IOException {
        return ServedRepository.start(afterimage, folder, "--writable");
    }

    private void export(String name, String... options) {
        String[] command = {"export", "web/vda@latest", "--writable", "--name", name};
        afterimage.run(Stream.concat(List.of(command).stream(), List.of(options).stream()).toArray(String[]::new)).orFail();
    }

    private static List<String> nbdsh(String uri, String script) {
        Tool.require("nbdsh");
        return List.of("/usr/bin/python3", "-mnbd", "-u", uri, "-c", script);
    }

    private static void qemuIo(String uri, String... commands) {
        List<String> words = new ArrayList<>(List.of("qemu-io", "-f", "raw", "-d", "unmap", "-t", "none"));
        for (String command : commands) {
            words.addAll(List.of("-c", command));
        }
        words.add(uri);
        String said = Tool.run(words.toArray(String[]::new)).orFail().text();
        assertFalse(said.contains("fail"), said);
    }

    @Test
    void clientsWriteWhatTheyThenRead() throws Exception {
        try (ServedRepository served = serve()) {
            export("trial"); // while the server runs
            String uri = served.uri("overlay/trial");
            String list = Tool.run("nbdinfo", "--list", served.uri("")).orFail().text();
            assertTrue(list.contains("export=\"overlay/trial\"") && list.contains("web/vda@"), list);
            served.assertExact(image, "overlay/trial");
            qemuIo(uri, "write -P 0x5a 1048577 70001", "write -z -u 2M 3M", "discard 8M 1M", "flush", "read -P 0x5a 1048577 70001", "read -P 0 2M 3M", "read -P 0 8M 1M");
            // Blocks smaller than the overlay's, from three connections at once.
            Tool.run("fio", "--name=w", "--ioengine=nbd", "--uri=" + uri, "--rw=randwrite", "--bs=2k", "--size=2M", "--offset_increment=2M", "--numjobs=3",
                    "--thread", "--iodepth=8", "--fsync=50", "--verify=crc32c", "--verify_state_save=0", "--verify_fatal=1").orFail();
            Path other = folder.resolve("other.raw");
            Tool.run("sh", "-c", "head -c " + SIZE + " /dev/urandom > " + other).orFail();
            Tool.run("nbdcopy", "--flush", "--connections=4", other.toString(), uri).orFail();
            Tool.run("qemu-img", "compare", "-f", "raw", "-F", "raw", other.toString(), uri).orFail();
            served.assertExact(image, "web/vda@latest");
        }
        try (ServedRepository served = serve()) {
            served.assertExact(folder.resolve("other.raw"), "overlay/trial");
        }
        JsonNode listed = afterimage.run("export", "--list", "--json").json();
        assertEquals("trial", listed.path(0).path("name").asString(), listed.toString());
        assertTrue(listed.path(0).path("used").asLong() >= SIZE, listed.toString());
        afterimage.run("discard", "trial").orFail();
        assertEquals(0, afterimage.run("export", "--list", "--json").json().size());
    }

    @Test
    void aKilledServerHasWhatWasFlushed() throws Exception {
        export("trial");
        for (int round = 0; round < 3; round++) {
            Path done = folder.resolve("done" + round);
            String variables = "SEED = %d\nDONE = '%s'\nBEFORE = '%s'\n".formatted(round, done, folder.resolve("before"));
            ServedRepository killed = serve();
            String uri = killed.uri("overlay/trial");
            Process writer = Tool.start(nbdsh(uri, variables + "URI = '" + uri + "'\n" + CHANGE), folder.resolve("writer.log"));
            try {
                Deadline.in(Duration.ofMinutes(1)).await(
                        () -> !writer.isAlive() || (Files.exists(done) && done.toFile().length() > 40_000),
                        () -> "the writer does not get on: " + killed.log());
            } finally {
                killed.close(); // by SIGKILL
            }
            assertEquals(0, writer.waitFor(), () -> text(folder.resolve("writer.log")));
            try (ServedRepository served = serve()) {
                Tool.run(nbdsh(served.uri("overlay/trial"), variables + CHECK).toArray(String[]::new)).orFail();
            }
        }
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aFullOverlayIsAFullDisk() throws Exception {
        export("small", "--size-limit", "1M");
        try (ServedRepository served = serve()) {
            String uri = served.uri("overlay/small");
            qemuIo(uri, "write -P 1 0 1M");
            String said = Tool.run("qemu-io", "-f", "raw", "-c", "write -P 2 4M 64k", uri).text();
            assertTrue(said.contains("No space left on device"), said);
            qemuIo(uri, "write -P 3 4k 8k", "discard 512k 512k", "write -P 2 4M 64k", "read -P 2 4M 64k", "read -P 3 4k 8k");
        }
    }

    @Test
    void aCommittedOverlayIsAPointOfItsOwn() throws Exception {
        export("trial");
        Path written = folder.resolve("written.raw");
        try (ServedRepository served = serve()) {
            String uri = served.uri("overlay/trial");
            qemuIo(uri, "write -P 7 123457 300001", "write -z -u 4M 2M", "discard 10M 64k", "write -P 9 20M 4k");
            Tool.run("nbdcopy", uri, written.toString()).orFail();
            Process client = Tool.start(
                    nbdsh(uri, "import os, time\nprint('connected', flush=True)\nwhile not os.path.exists('" + folder.resolve("go") + "'):\n    time.sleep(0.05)\n"),
                    folder.resolve("client.log"));
            Deadline.in(Duration.ofMinutes(1)).await(() -> text(folder.resolve("client.log")).contains("connected"), served::log);
            for (String command : List.of("commit", "discard")) {
                Program.Result refused = afterimage.run(command, "trial");
                assertEquals(ExitCode.BUSY.number(), refused.exit(), refused.err());
                assertTrue(refused.err().contains("'trial' is in use"), refused.err());
            }
            Files.createFile(folder.resolve("go"));
            assertEquals(0, client.waitFor());
        }
        String base = afterimage.run("list", "web", "--json").json().path(0).path("point").asString();
        JsonNode point = afterimage.run("commit", "trial", "--json").json();
        assertEquals("web", point.path("machine").asString());
        assertEquals(base, point.path("parent").asString());
        assertTrue(point.path("bytes").path("read").asLong() < 1 << 20, point.toString());
        assertTrue(point.path("bytes").path("stored").asLong() < 300_000, point.toString());
        assertRestores("web@" + point.path("point").asString(), written);
        assertRestores("web@" + base, image);
        assertEquals(0, afterimage.run("export", "--list", "--json").json().size());

        // And a clone of that, whose base is forgotten and collected meanwhile.
        export("again");
        try (ServedRepository served = serve()) {
            qemuIo(served.uri("overlay/again"), "write -P 0x11 15M 100k");
            Tool.run("nbdcopy", served.uri("overlay/again"), written.toString()).orFail();
        }
        for (String forgotten : List.of(base, point.path("point").asString())) {
            afterimage.run("forget", "web@" + forgotten).orFail();
        }
        afterimage.run("gc", "--grace", "0s").orFail();
        JsonNode clone = afterimage.run("commit", "again", "--as", "clone", "--json").json();
        assertEquals("clone", clone.path("machine").asString());
        assertTrue(clone.path("bytes").path("stored").asLong() < 300_000, clone.toString());
        afterimage.run("gc", "--grace", "0s").orFail();
        assertRestores("clone", written);
        afterimage.run("verify").orFail();
    }

    private void assertRestores(String selector, Path expected) {
        Path restored = folder.resolve("restored.raw");
        afterimage.run("restore", selector, "--to", restored.toString(), "--force").orFail();
        assertEquals(ServedRepository.sha256(expected), ServedRepository.sha256(restored), selector);
    }

    /** A guest's kernel mounts a file system of the point, writes, and trims; what it has synced is in the point that comes of it. */
    @Test
    void aGuestWritesToItsDiskOfThePast() throws Exception {
        Path fileSystem = folder.resolve("ext4.raw");
        Tool.run("mke2fs", "-q", "-t", "ext4", "-d", Files.createDirectories(folder.resolve("content")).toString(), fileSystem.toString(), "32M").orFail();
        afterimage.run("backup", "web", "--image", "vda=" + fileSystem).orFail();
        export("trial");
        try (ServedRepository served = serve();
                Guest guest = Guest.tiny(folder.resolve("g"))
                        .options("-drive", "if=none,id=past,format=raw,discard=unmap,file=" + served.uri("overlay/trial"), "-device", "virtio-blk-pci,drive=past")
                        .start()
                        .awaitReady()) {
            guest.run("mkdir -p /mnt && mount -t ext4 -o discard /dev/vdb /mnt");
            guest.run("dd if=/dev/urandom of=/mnt/file bs=64k count=100 && sha256sum < /mnt/file > /mnt/sum && rm -f /mnt/none && sync && umount /mnt");
            guest.powerOff();
        }
        afterimage.run("commit", "trial").orFail();
        Path restored = folder.resolve("restored.raw");
        afterimage.run("restore", "web", "--to", restored.toString()).orFail();
        Tool.run("e2fsck", "-fn", restored.toString()).orFail();
        String sum = Tool.run("sh", "-c", "debugfs -R 'cat /file' " + restored + " 2>/dev/null | sha256sum").orFail().text();
        assertEquals(Tool.run("sh", "-c", "debugfs -R 'cat /sum' " + restored + " 2>/dev/null").orFail().text(), sum);
    }

    /** No guest runs in these machines: QEMU's own block layer writes and reads. */
    @Test
    void aMachineBootsWhereItHasEnded() throws Exception {
        String wrote = inAMachine("trial", "write -P 5 12345 70000");
        assertTrue(wrote.contains("wrote 70000/70000"), wrote);
        afterimage.run("backup", "web", "--image", "vda=" + afterimage.image("newer.raw", SIZE, new byte[] {1})).orFail();
        String read = inAMachine("trial", "read -P 5 12345 70000");
        assertTrue(read.contains("read 70000/70000") && !read.contains("fail"), read);
        afterimage.run("backup", "other", "--image", "vda=" + image, "--image", "vdb=" + image).orFail();
        assertRefused(ExitCode.TARGET, "stands on web/vda@", "boot", "other", "--overlay", "trial");
        JsonNode point = afterimage.run("commit", "trial", "--json").json();
        assertTrue(point.path("bytes").path("read").asLong() <= 3 * 65536, point.toString());
    }

    /** What was written to one is worth nothing without what was written to the other. */
    @Test
    void theDisksOfAMachineBootAndBecomeAPointTogether() throws Exception {
        afterimage.run("backup", "db", "--image", "vda=" + image, "--image", "vdb=" + image).orFail();
        String wrote = inAMachine("db", "trial", "vda", "write -P 5 12345 70000", "vdb", "write -P 6 1M 64k");
        assertTrue(wrote.contains("wrote 70000/70000") && wrote.contains("wrote 65536/65536"), wrote);
        assertRefused(ExitCode.TARGET, "stands on db/vda@", "boot", "web", "--overlay", "trial");
        String read = inAMachine("db", "trial", "vda", "read -P 5 12345 70000", "vdb", "read -P 6 1M 64k");
        assertTrue(read.contains("read 70000/70000") && read.contains("read 65536/65536") && !read.contains("fail"), read);
        export("alien");
        assertRefused(ExitCode.TARGET, "which are not two disks of one point", "commit", "trial-vda", "alien");
        JsonNode point = afterimage.run("commit", "trial-vda", "trial-vdb", "--json").json();
        assertEquals(2, point.path("disks").size(), point.toString());
        for (String disk : List.of("vda", "vdb")) {
            Path written = Files.copy(image, folder.resolve(disk + ".raw"));
            qemuIo(written.toString(), disk.equals("vda") ? "write -P 5 12345 70000" : "write -P 6 1M 64k");
            assertRestores("db/" + disk + "@latest", written);
        }
        // Half of it is gone.
        inAMachine("db", "again", "vda", "write -P 5 0 4k", "vdb", "write -P 5 0 4k");
        afterimage.run("discard", "again-vdb").orFail();
        assertRefused(ExitCode.TARGET, "'again-vda' has what a machine wrote to the disk vda", "boot", "db", "--overlay", "again");
    }

    private String inAMachine(String overlay, String command) throws Exception {
        return inAMachine("web", overlay, "vda", command);
    }

    /** @param commands of qemu-io, each behind its disk */
    private String inAMachine(String machine, String overlay, String... commands) throws Exception {
        Path monitor = folder.resolve("monitor.sock");
        Path log = folder.resolve("boot.log");
        Process boot = afterimage.start(log, "boot", machine, "--overlay", overlay, "--memory", "64M", "--", "-S", "-qmp", "unix:" + monitor + ",server=on,wait=off");
        try (Qmp qmp = Qmp.join(monitor, boot)) {
            for (int i = 0; i < commands.length; i += 2) {
                qmp.monitor("qemu-io " + commands[i] + " \"" + commands[i + 1] + "\"");
            }
            qmp.execute("quit");
        }
        assertEquals(0, boot.waitFor(), () -> text(log));
        // Not to whoever asks, but to QEMU's own standard output, does that command tell what it did.
        return text(log);
    }

    @Test
    void whatIsWrongIsSaidInASentence() throws Exception {
        assertRefused(ExitCode.USAGE, "Give a SELECTOR", "export", "web");
        assertRefused(ExitCode.USAGE, "not a name for an overlay", "export", "web", "--writable", "--name", "../x");
        assertRefused(ExitCode.NOT_FOUND, "no machine 'none'", "export", "none", "--writable", "--name", "x");
        assertRefused(ExitCode.NOT_FOUND, "There is no overlay 'x'", "commit", "x");
        assertRefused(ExitCode.NOT_FOUND, "There is no overlay 'x'", "discard", "x");
        export("x");
        assertRefused(ExitCode.TARGET, "There is an overlay 'x' already", "export", "web", "--writable", "--name", "x");
        try (ServedRepository served = ServedRepository.start(afterimage, folder)) {
            assertFalse(Tool.run("nbdinfo", "--list", served.uri("")).orFail().text().contains("overlay/"));
            String said = Tool.run("nbdinfo", served.uri("overlay/x")).text();
            assertTrue(said.contains("No such file or directory for export: overlay/x"), said);
        }
        Path state = folder.resolve("state");
        String map = Tool.run("find", state.toString(), "-name", "map").orFail().text().strip();
        Tool.run("truncate", "--size=100", map).orFail();
        assertRefused(ExitCode.CORRUPT, "is damaged (it is cut off)", "commit", "x");
        try (ServedRepository served = serve()) {
            Tool.run("nbdinfo", served.uri("overlay/x"));
            assertTrue(served.log().contains("is damaged (it is cut off)"), served::log);
        }
        afterimage.run("discard", "x").orFail();
    }

    private void assertRefused(ExitCode code, String clause, String... command) {
        Program.Result refused = afterimage.run(command);
        assertEquals(code.number(), refused.exit(), refused.err());
        assertTrue(refused.err().contains(clause), refused.err());
        assertFalse(refused.err().contains("\tat "), refused.err());
    }
}
