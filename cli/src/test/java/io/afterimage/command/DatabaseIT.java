package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Deadline;
import io.afterimage.lab.Guest;
import io.afterimage.lab.GuestDisk;
import io.afterimage.lab.GuestPlan;
import io.afterimage.lab.Lab;
import io.afterimage.lab.Tool;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/**
 * A Debian machine with three databases, two of SQLite's and PostgreSQL's, on ext4 on a volume that is striped over a qcow2 and a raw disk, so that
 * hardly anything is written to one disk alone. It commits all the time, and says so on its console. Every point is booted from the backup, with the
 * root disk of the same instant. A snapshot that the guest makes of the volume is a source, too. {@code -Dafterimage.points=N} makes more points.
 */
class DatabaseIT {

    private static final int POINTS = Integer.getInteger("afterimage.points", 3);
    private static final String SIZE = "160M";
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final int MORE = 15;
    private static final Pattern COMMITTED = Pattern.compile("committed (wal|delete|post) (\\d+)");
    private static final Pattern FOUND = Pattern.compile("(?m)^(wal|delete|post) (\\d+)$");
    private static final Pattern FORWARD = Pattern.compile("HOST_FORWARD\\]\\s+\\d+\\s+127\\.0\\.0\\.1\\s+(\\d+)\\s");
    private static final List<List<String>> WAYS = List.of(
            List.of("--mode", "pull"),
            List.of("--mode", "push"),
            List.of("--mode", "pull", "--quiesce", "required", "--quiesce-limit", "2m"),
            List.of("--mode", "pull"));

    private static final Map<String, Long> NONE = Map.of("wal", 0L, "delete", 0L, "post", 0L);

    @TempDir
    Path folder;

    /** @param told the last transaction by database that was safe before the cut, as the guest has said by then */
    private record Moment(String point, boolean quiesced, Map<String, Long> told) {}

    @Test
    void everyPointHasAllThatWasCommitted() throws Exception {
        Program afterimage = new Program(folder);
        afterimage.run("init").orFail();
        List<Moment> moments = new ArrayList<>();
        try (Guest guest = machine()) {
            guest.run("ledger make /dev/vdb /dev/vdc");
            guest.run("setsid ledger keep > /run/ledger.log 2>&1 < /dev/null &");
            Map<String, Long> before = NONE;
            while (moments.size() < POINTS) {
                awaitMore(guest, before);
                Moment moment = backUp(afterimage, guest, WAYS.get(moments.size() % WAYS.size()));
                before = moment.told();
                moments.add(moment);
            }
            awaitMore(guest, before);
            backUpSnapshot(afterimage, guest);
            guest.kill();
        }
        try (ServedRepository served = ServedRepository.start(afterimage, folder)) {
            assertInOrder(moments, found(served, moments));
        }
    }

    /** What the databases hold at each moment. Two guests at a time: each has one processor. */
    private List<Map<String, Long>> found(ServedRepository served, List<Moment> moments) throws Exception {
        List<Future<Map<String, Long>>> found;
        try (ExecutorService pair = Executors.newFixedThreadPool(2)) {
            found = pair.invokeAll(moments.stream().map(moment -> (Callable<Map<String, Long>>) () -> found(served, moment)).toList());
        }
        List<Map<String, Long>> all = new ArrayList<>();
        for (Future<Map<String, Long>> one : found) {
            all.add(one.get());
        }
        return all;
    }

    private static void assertInOrder(List<Moment> moments, List<Map<String, Long>> found) {
        Map<String, Long> before = NONE;
        for (int i = 0; i < moments.size(); i++) {
            Moment moment = moments.get(i);
            Map<String, Long> now = found.get(i);
            for (String database : NONE.keySet()) {
                long last = now.get(database);
                assertTrue(last >= moment.told().get(database), () -> moment + ", but " + now);
                assertTrue(last > before.get(database), "not after " + before + ": " + now);
            }
            before = now;
        }
    }

    /** What LVM shows of one instant, though the volume is written to. */
    private void backUpSnapshot(Program afterimage, Guest guest) {
        String digest = guest.run("ledger snap before 64M").strip();
        afterimage.run("backup", "volume", "--image", "all=nbd://127.0.0.1:" + port(guest)).orFail();
        Path restored = folder.resolve("volume.raw");
        afterimage.run("restore", "volume", "--to", restored.toString()).orFail();
        assertEquals(digest, Tool.run("sha256sum", restored.toString()).orFail().text().split(" ", 2)[0]);
    }

    /** Of this host, behind which the guest's server is: the kernel has chosen it. */
    private static int port(Guest guest) {
        String told = guest.qmp().monitor("info usernet");
        Matcher forward = FORWARD.matcher(told);
        assertTrue(forward.find(), told);
        return Integer.parseInt(forward.group(1));
    }

    private Guest machine() {
        Path raw = folder.resolve("logs.raw");
        Tool.run("truncate", "--size", SIZE, raw.toString()).orFail();
        Path qcow2 = folder.resolve("data.qcow2");
        Tool.run("qemu-img", "create", "-q", "-f", "qcow2", qcow2.toString(), SIZE).orFail();
        return Guest.debian(folder.resolve("g")).disk(GuestDisk.qcow2("data", qcow2)).disk(GuestDisk.raw("logs", raw)).program(Lab.newerQemu())
                .options("-nic", "user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:0-:10809").start().awaitReady();
    }

    private static void awaitMore(Guest guest, Map<String, Long> than) {
        Deadline.in(PATIENCE).await(
                () -> committed(guest.serial()).entrySet().stream().filter(told -> told.getValue() >= than.get(told.getKey()) + MORE).count() == NONE.size(),
                () -> "the databases stand still after " + than + ": " + guest.run("cat /run/ledger.log"));
    }

    private Moment backUp(Program afterimage, Guest guest, List<String> way) throws IOException {
        Path told = folder.resolve("told");
        List<String> words = new ArrayList<>(List.of("backup", "web", "--json", "--qmp", guest.qmpSocket().toString(), "--pre",
                "cp " + folder.resolve("g/serial.log") + " " + told));
        words.addAll(way);
        boolean quiesced = way.contains("--quiesce");
        if (quiesced) {
            words.addAll(List.of("--agent", guest.agentSocket().toString()));
        }
        JsonNode point = afterimage.run(words.toArray(String[]::new)).json();
        assertEquals(quiesced ? "file_system" : "", point.path("consistency").path("level").asString(""), point::toString);
        return new Moment(point.path("point").asString(), quiesced, committed(Files.readString(told, StandardCharsets.ISO_8859_1)));
    }

    /** Boots the point and returns what its databases hold. */
    private Map<String, Long> found(ServedRepository served, Moment moment) throws IOException {
        Path overlays = folder.resolve(moment.point());
        Files.createDirectories(overlays);
        GuestPlan plan = Guest.in(overlays).memoryMiB(512);
        for (String disk : List.of("root", "data", "logs")) {
            plan.disk(GuestDisk.overlay(disk, overlays.resolve(disk + ".qcow2"), served.uri("web/" + disk + "@" + moment.point()), "raw"));
        }
        try (Guest guest = plan.start().awaitReady()) {
            guest.run("ledger open");
            if (moment.quiesced()) {
                assertFalse(guest.run("dumpe2fs -h /dev/ledger/all 2>&1").contains("needs_recovery"), "the frozen file system is not clean");
            }
            String said = guest.run("ledger check");
            Map<String, Long> found = numbers(FOUND, said);
            assertEquals(NONE.keySet(), found.keySet(), said);
            System.out.println("DatabaseIT: committed before the cut " + moment.told() + ", found " + found);
            return found;
        }
    }

    private static Map<String, Long> committed(String console) {
        return numbers(COMMITTED, console);
    }

    /** The last number of each name. */
    private static Map<String, Long> numbers(Pattern pattern, String text) {
        Map<String, Long> numbers = new TreeMap<>();
        pattern.matcher(text).results().forEach(match -> numbers.put(match.group(1), Long.valueOf(match.group(2))));
        return numbers;
    }
}
