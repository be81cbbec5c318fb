package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Deadline;
import io.afterimage.lab.Guest;
import io.afterimage.lab.GuestDisk;
import io.afterimage.lab.Tool;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code afterimage serve} with the clients that people use, several at a time, on sound and on damaged packs, while points come and go. */
class ServedDisksIT {

    private static final int CHUNK = 65536;

    /** No multiple of a chunk, nor of a page. */
    private static final int SIZE = 40_000_000;

    private static final int POINTS = 4;
    private static final int CLIENTS = 16;
    private static final int PATTERN_AT = 30_000_123;
    private static final int PATTERN_LENGTH = 300_001;
    private static final int FIO_BYTES = 16 << 20;

    /** Of a script in Python: {@code ref} is what {@code h}, the connection, should read. */
    private static final String PRELUDE = "import random\nref = open(REFERENCE, 'rb').read()\nsize = h.get_size()\nassert size == len(ref)\n";

    /** Made once, copied for each test. */
    @TempDir
    static Path origin;

    private static final List<String> POINT_IDS = new ArrayList<>();

    @TempDir
    Path folder;

    private Program afterimage;

    @BeforeAll
    static void makePoints() throws IOException {
        Program afterimage = new Program(origin);
        afterimage.run("init").orFail();
        Random random = new Random(4);
        Path image = origin.resolve("image.raw");
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(SIZE);
            put(file, 0, random, 24_000_000);
            file.seek(PATTERN_AT);
            file.write(filled(0xa5, PATTERN_LENGTH));
            for (int i = 0; i < POINTS; i++) {
                for (int write = 0; write < 20; write++) {
                    put(file, random.nextInt(SIZE / 512 - 1000) * 512L, random, (1 + random.nextInt(400)) * 512);
                }
                file.seek(1_000_000L * (i + 1));
                file.write(new byte[700_000]); // zeros where there was data
                file.seek(PATTERN_AT);
                file.write(filled(0xa5, PATTERN_LENGTH));
                Tool.run("cp", "--sparse=always", image.toString(), reference(i).toString()).orFail();
                POINT_IDS.add(afterimage.run("backup", "web", "--image", "vda=" + image, "--json").json().path("point").asString());
            }
        }
    }

    private static void put(RandomAccessFile file, long offset, Random random, int length) throws IOException {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        file.seek(offset);
        file.write(bytes);
    }

    private static byte[] filled(int value, int length) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    private static Path reference(int point) {
        return origin.resolve("reference" + point + ".raw");
    }

    private static String selector(int point) {
        return "web/vda@" + POINT_IDS.get(point);
    }

    @BeforeEach
    void copyRepository() {
        afterimage = new Program(folder);
        // A repository names no place: a copy of it is as good.
        Tool.run("cp", "-a", origin.resolve("repository").toString(), afterimage.repository().toString()).orFail();
    }

    @Test
    void everyClientReadsTheSameAtOnce() throws Exception {
        Path fioImage = folder.resolve("fio.raw");
        Tool.run("fio", "--name=w", "--filename=" + fioImage, "--rw=write", "--bs=4k", "--size=" + FIO_BYTES, "--verify=crc32c",
                "--verify_interval=4k", "--do_verify=0", "--verify_state_save=0").orFail();
        afterimage.run("backup", "fio", "--image", "vda=" + fioImage).orFail();
        try (ServedRepository served = ServedRepository.start(afterimage, folder)) {
            List<Runnable> clients = new ArrayList<>(List.of(
                    () -> assertInfo(served),
                    () -> assertMap(served),
                    () -> served.assertExact(reference(0), selector(0)),
                    () -> qemuIo(served, "read -P 0xa5 " + PATTERN_AT + " " + PATTERN_LENGTH),
                    () -> qemuIo(served, "read -P 0xa5 " + (PATTERN_AT + 77_777) + " 513"),
                    () -> qemuIo(served, "read -P 0 24700001 8191"),
                    () -> nbdsh(served, 2, """
                            r = random.Random(7)
                            for i in range(300):
                                o = r.randrange(size)
                                n = r.randrange(1, min(500000, size - o) + 1)
                                assert h.pread(n, o) == ref[o:o+n], (o, n)
                            """),
                    () -> Tool.run("fio", "--name=r", "--ioengine=nbd", "--uri=" + served.uri("fio/vda@latest"), "--rw=randread",
                            "--bsrange=4k-64k", "--blockalign=4k", "--size=" + FIO_BYTES, "--iodepth=16", "--verify=crc32c",
                            "--verify_interval=4k", "--verify_state_save=0").orFail(),
                    () -> assertSameInAGuest(served)));
            for (int i = 0; i < POINTS; i++) {
                int point = i;
                clients.add(() -> Tool.run("qemu-img", "compare", "-f", "raw", "-F", "raw", reference(point).toString(),
                        served.uri(selector(point))).orFail());
            }
            allAtOnce(clients);
            assertFalse(served.log().contains("ERROR"), served::log);
        }
    }

    @Test
    void manyClientsOfOnePointEachVerifyAllOfIt() throws Exception {
        try (ServedRepository served = ServedRepository.start(afterimage, folder)) {
            List<Runnable> clients = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                clients.add(() -> Tool.run("qemu-img", "compare", "-f", "raw", "-F", "raw", reference(3).toString(),
                        served.uri("web/vda@latest")).orFail());
            }
            allAtOnce(clients);
        }
    }

    private static void assertInfo(ServedRepository served) {
        String list = Tool.run("nbdinfo", "--list", served.uri("")).orFail().text();
        for (int i = 0; i < POINTS; i++) {
            assertTrue(list.contains(selector(i)), list);
        }
        JsonNode export = json(Tool.run("nbdinfo", "--json", served.uri(selector(1)))).path("exports").path(0);
        assertEquals(SIZE, export.path("export-size").asLong(), export.toString());
        assertTrue(export.path("is_read_only").asBoolean(), export.toString());
    }

    /** The map covers the disk without a gap, and where it says zeros are zeros. */
    private static void assertMap(ServedRepository served) {
        JsonNode map = json(Tool.run("nbdinfo", "--map", "--json", served.uri(selector(3))));
        long end = 0;
        long zeros = 0;
        try (RandomAccessFile reference = new RandomAccessFile(reference(3).toFile(), "r")) {
            for (JsonNode extent : map) {
                assertEquals(end, extent.path("offset").asLong(), map.toString());
                byte[] bytes = new byte[Math.toIntExact(extent.path("length").asLong())];
                end += bytes.length;
                if ((extent.path("type").asInt() & 2) != 0) {
                    reference.seek(extent.path("offset").asLong());
                    reference.readFully(bytes);
                    assertEquals(-1, Arrays.mismatch(bytes, new byte[bytes.length]), extent.toString());
                    zeros += bytes.length;
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        assertEquals(SIZE, end);
        assertTrue(zeros > 10_000_000, "only " + zeros + " bytes are said to be zeros");
    }

    /** Whoever has one point and copies what the context names has the other, in whichever direction. */
    @Test
    void theDifferenceOfTwoPointsIsAContext() throws Exception {
        try (ServedRepository served = ServedRepository.start(afterimage, folder)) {
            for (int[] pair : new int[][] {{3, 2}, {3, 0}, {1, 3}}) {
                byte[] disk = Files.readAllBytes(reference(pair[1]));
                byte[] wanted = Files.readAllBytes(reference(pair[0]));
                JsonNode map = json(Tool.run("nbdinfo", "--json",
                        "--map=x-afterimage:changed-since/" + POINT_IDS.get(pair[1]), served.uri(selector(pair[0]))));
                int copied = 0;
                for (JsonNode extent : map) {
                    if (extent.path("type").asInt() == 1) {
                        int offset = extent.path("offset").asInt();
                        int length = extent.path("length").asInt();
                        System.arraycopy(wanted, offset, disk, offset, length);
                        copied += length;
                    }
                }
                assertEquals(-1, Arrays.mismatch(wanted, disk), "from " + pair[1] + " to " + pair[0]);
                assertTrue(copied > 700_000 && copied < SIZE, copied + " bytes are said to differ");
            }
            assertTrue(Tool.run("nbdinfo", "--list", served.uri("")).orFail().text().contains("x-afterimage:changed-since/" + POINT_IDS.get(0)));
        }
    }

    private static JsonNode json(Tool.Result result) {
        return new JsonMapper().readTree(result.orFail().text());
    }

    private static void qemuIo(ServedRepository served, String command) {
        String said = Tool.run("qemu-io", "-r", "-f", "raw", "-c", command, served.uri(selector(2))).orFail().text();
        assertTrue(said.contains("read ") && !said.contains("fail"), said);
    }

    private static String nbdsh(ServedRepository served, int point, String script) {
        return Tool.run(nbdshCommand(served, point, script).toArray(String[]::new)).orFail().text();
    }

    /** The program nbdsh takes whatever {@code python3} is first in the PATH; its package's module is Debian's own Python's. */
    private static List<String> nbdshCommand(ServedRepository served, int point, String script) {
        Tool.require("nbdsh");
        return List.of("/usr/bin/python3", "-mnbd", "-u", served.uri(selector(point)), "-c",
                "REFERENCE = '" + reference(point) + "'\n" + PRELUDE + script);
    }

    /** A machine with the point as the base of its second disk, as one would look into a backup. */
    private void assertSameInAGuest(ServedRepository served) {
        GuestDisk disk = GuestDisk.overlay("look", folder.resolve("look.qcow2"), served.uri(selector(1)), "raw");
        try (Guest guest = Guest.tiny(folder.resolve("g")).disk(disk).start().awaitReady()) {
            String sum = guest.run("sha256sum /dev/vdb");
            assertEquals(ServedRepository.sha256(reference(1)), sum.substring(0, sum.indexOf(' ')));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void allAtOnce(List<Runnable> clients) throws InterruptedException {
        try (ExecutorService threads = Executors.newFixedThreadPool(clients.size())) {
            List<Future<?>> running = new ArrayList<>();
            clients.forEach(client -> running.add(threads.submit(client)));
            for (Future<?> each : running) {
                try {
                    each.get();
                } catch (ExecutionException e) {
                    throw new AssertionError(e.getCause());
                }
            }
        }
    }

    @Test
    void aFlippedBitSpoilsItsChunkAlone() throws Exception {
        try (ServedRepository served = ServedRepository.start(afterimage, folder)) {
            Path pack = largestPack();
            long at = Files.size(pack) / 3;
            try (RandomAccessFile file = new RandomAccessFile(pack.toFile(), "rw")) {
                file.seek(at);
                int was = file.read();
                file.seek(at);
                file.write(was ^ 1);
            }
            for (int i = 0; i < POINTS; i++) {
                List<Integer> bad = unreadable(served, i);
                assertTrue(bad.size() <= 1, "of point " + i + " cannot be read " + bad);
                assertTrue(i > 0 || bad.size() == 1, "the first point has all of the pack");
            }
            long named = served.log().lines()
                    .filter(line -> line.contains("Chunk " + pack.getFileName() + "+"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll(".*Chunk [0-9a-f]+\\+(\\d+).*", "$1")))
                    .map(unit -> unit * 256)
                    .peek(offset -> assertTrue(offset <= at && at < offset + 2 * CHUNK, offset + " is not at " + at))
                    .count();
            assertTrue(named > 0, served::log);
        }
    }

    @Test
    void aTruncatedPackSpoilsWhatIsCutOffAlone() throws Exception {
        Path pack = largestPack();
        long size = Files.size(pack);
        try (RandomAccessFile file = new RandomAccessFile(pack.toFile(), "rw")) {
            file.setLength(size / 2);
        }
        try (ServedRepository served = ServedRepository.start(afterimage, folder)) {
            int bad = unreadable(served, 0).size();
            long lost = size / 2 / CHUNK;
            assertTrue(bad >= lost - 2 && bad <= lost + 2, bad + " chunks cannot be read, of which " + lost + " were in the pack");
            assertTrue(served.log().contains("Chunk " + pack.getFileName() + "+"), served::log);
        }
    }

    /** Reads a point chunk by chunk, and in requests of many chunks, too: the numbers of those that end with EIO; all others are right. */
    private static List<Integer> unreadable(ServedRepository served, int point) {
        String bad = nbdsh(served, point, """
                bad = []
                for o in range(0, size, 65536):
                    try:
                        assert h.pread(min(65536, size - o), o) == ref[o:o+65536], o
                    except nbd.Error as e:
                        assert e.errno == 'EIO', e
                        bad.append(o // 65536)
                for o in range(0, size, 1 << 20):
                    n = min(1 << 20, size - o)
                    try:
                        assert h.pread(n, o) == ref[o:o+n], o
                        assert not any(o <= b * 65536 < o + n for b in bad), o
                    except nbd.Error as e:
                        assert any(o <= b * 65536 < o + n for b in bad), o
                print(' '.join(map(str, bad)))
                """).strip();
        return bad.isEmpty() ? List.of() : Stream.of(bad.split(" ", -1)).map(Integer::valueOf).toList();
    }

    private Path largestPack() throws IOException {
        try (Stream<Path> files = Files.walk(afterimage.repository().resolve("packs"))) {
            return files.filter(Files::isRegularFile).max(Comparator.comparingLong(file -> file.toFile().length())).orElseThrow();
        }
    }

    @Test
    void pointsThatAppearAreThereAtOnce() throws Exception {
        try (ServedRepository served = ServedRepository.start(afterimage, folder)) {
            served.assertExact(reference(3), "web/vda@latest");
            Path image = afterimage.image("next.raw", 1_000_448, filled(0x5a, 100_000));
            String point = afterimage.run("backup", "web", "--image", "vda=" + image, "--json").json().path("point").asString();
            assertTrue(Tool.run("nbdinfo", "--list", served.uri("")).orFail().text().contains("web/vda@" + point));
            served.assertExact(image, "web/vda@latest");
            afterimage.run("backup", "mail", "--image", "vda=" + image).orFail();
            served.assertExact(image, "mail/vda@latest");
            served.assertExact(reference(3), selector(3));
        }
    }

    /** Oldest, middle, newest: by deletions only, and whoever reads a point that goes reads it to its end. */
    @Test
    void deletingAPointLeavesAllOthersExact() throws Exception {
        try (ServedRepository served = ServedRepository.start(afterimage, folder)) {
            List<Integer> left = new ArrayList<>(List.of(0, 1, 2, 3));
            for (int victim : List.of(0, 2, 3)) {
                Path halfWay = folder.resolve("half" + victim);
                Path deleted = folder.resolve("deleted" + victim);
                Path said = folder.resolve("reader" + victim);
                Process reader = Tool.start(nbdshCommand(served, victim, "HALF_WAY = '" + halfWay + "'\nDELETED = '" + deleted + "'\n" + """
                        import os, time
                        half = size // 2
                        assert h.pread(1000000, half) == ref[half:half+1000000]
                        open(HALF_WAY, 'w').close()
                        while not os.path.exists(DELETED): time.sleep(0.02)
                        for o in range(0, size, 1 << 20):
                            assert h.pread(min(1 << 20, size - o), o) == ref[o:o + (1 << 20)], o
                        """), said);
                Deadline.in(Duration.ofSeconds(30)).await(() -> Files.exists(halfWay) || !reader.isAlive(), () -> text(said));
                Files.delete(afterimage.repository().resolve("points/web/" + POINT_IDS.get(victim) + ".json"));
                Files.delete(manifest(victim));
                Files.createFile(deleted);
                assertEquals(0, reader.waitFor(), () -> text(said));
                left.remove(Integer.valueOf(victim));

                assertEquals(left.size(), afterimage.run("list", "--json").json().size());
                for (int point : left) {
                    served.assertExact(reference(point), selector(point));
                }
                served.assertExact(reference(left.getLast()), "web/vda@latest");
                assertTrue(Tool.run("nbdinfo", served.uri(selector(victim))).exit() != 0, "a deleted point is still offered");
            }
            // What is left is a parent like any other.
            afterimage.run("backup", "web", "--image", "vda=" + reference(3)).orFail();
            served.assertExact(reference(3), "web/vda@latest");
            Path restored = folder.resolve("restored.raw");
            afterimage.run("restore", selector(1), "--to", restored.toString()).orFail();
            assertEquals(ServedRepository.sha256(reference(1)), ServedRepository.sha256(restored));
        }
    }

    private Path manifest(int point) throws IOException {
        try (Stream<Path> files = Files.list(afterimage.repository().resolve("manifests/web"))) {
            return files.filter(file -> file.getFileName().toString().contains(POINT_IDS.get(point))).findFirst().orElseThrow();
        }
    }

    @Test
    void sigtermEndsItWhileAClientIsConnected() throws Exception {
        try (ServedRepository served = ServedRepository.start(afterimage, folder)) {
            Path connected = folder.resolve("connected");
            Path said = folder.resolve("client");
            Process client = Tool.start(nbdshCommand(served, 0,
                    "import time\nopen('" + connected + "', 'w').close()\ntime.sleep(100)"), said);
            try {
                Deadline.in(Duration.ofSeconds(30)).await(() -> Files.exists(connected) || !client.isAlive(), () -> text(said));
                int exit = served.terminate();
                assertTrue(exit == 0 || exit == 143, exit + ": " + served.log());
                assertFalse(Files.exists(served.socket()));
                assertFalse(served.log().contains("Exception"), served::log);
            } finally {
                client.destroyForcibly();
            }
        }
    }

    /** A client that reconnects reads on as if nothing had been: no request is refused, none is lost. */
    @Test
    void aRestartWithASilentStopIsRiddenOut() throws Exception {
        List<String> command = new ArrayList<>(List.of("stdbuf", "-oL", "qemu-io", "-r", "--image-opts"));
        for (int i = 0; i < 40; i++) {
            command.addAll(List.of("-c", "read -P 0xa5 " + (PATTERN_AT + i * 1000) + " 65536", "-c", "sleep 200"));
        }
        Path said = folder.resolve("reader");
        try (ServedRepository first = ServedRepository.start(afterimage, folder, "--silent-stop")) {
            command.add("driver=nbd,server.type=unix,server.path=" + first.socket() + ",export=" + selector(2) + ",reconnect-delay=60");
            Process reader = Tool.start(command, said);
            Deadline.in(Duration.ofSeconds(30)).await(() -> text(said).contains("read 65536") || !reader.isAlive(), () -> text(said));
            first.terminate();
            assertTrue(reader.isAlive(), () -> "it had ended before the restart: " + text(said));
            try (ServedRepository _ = ServedRepository.start(afterimage, folder, "--silent-stop")) {
                assertEquals(0, reader.waitFor(), () -> text(said));
            }
        }
        assertEquals(40, text(said).lines().filter(line -> line.startsWith("read 65536/65536")).count(), text(said));
        assertFalse(text(said).contains("fail"), text(said));
    }

    private static String text(Path file) {
        try {
            return Files.exists(file) ? Files.readString(file) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
