package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Deadline;
import io.afterimage.lab.LibvirtGuest;
import io.afterimage.lab.LibvirtHost;
import io.afterimage.lab.Tool;
import io.afterimage.lab.Tripwire;
import io.afterimage.lab.Tripwire.Call;
import io.afterimage.lab.Tripwire.Side;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Backups of a machine that a real libvirtd looks after, and that QEMU's own user runs. The guest writes all the time; each backup begins
 * while it stands still and its disks are copied, so that every point is compared with the disks at its very instant.
 */
class LibvirtIT {

    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final long QCOW2_SIZE = 24_000_512;
    private static final long RAW_SIZE = 9_000_448;

    @TempDir
    Path folder;

    private final Map<String, Path> disks = new LinkedHashMap<>();
    private final List<String> points = new ArrayList<>();
    private Program afterimage;
    private LibvirtHost host;
    private LibvirtGuest guest;
    private int torturers;

    @BeforeEach
    void boot() {
        afterimage = new Program(folder);
        afterimage.run("init").orFail();
        host = LibvirtHost.start(folder);
        disks.put("vdb", image("data.qcow2", QCOW2_SIZE));
        disks.put("vdc", image("logs.raw", RAW_SIZE));
        guest = LibvirtGuest.define(host, "web", folder.resolve("g"), disks, "", "").boot();
        disks.keySet().forEach(this::torture);
    }

    @AfterEach
    void end() throws IOException {
        if (guest != null) {
            guest.close();
        }
        if (host != null) {
            host.close();
        }
    }

    /** The ordinary life: increments are exact, and so is what follows when a bitmap cannot be trusted, or is not there. */
    @Test
    void everyPointIsExactWhateverBecomesOfCheckpoints() throws IOException {
        beginForeignCheckpoint();
        assertChanges("vdb whole, vdc whole", backUpExactly());
        assertChanges("vdb bitmap, vdc whole", backUpExactly());
        assertAllWaysSeeTheSame();
        assertChanges("vdb bitmap, vdc whole", backUpExactly());

        // Checkpoints outlive an orderly end.
        guest.destroyGracefully();
        bootAgain();
        assertChanges("vdb bitmap, vdc whole", backUpExactly());

        // A new disk, and one that has grown, are read whole inside the chain.
        disks.put("vdd", image("more.qcow2", QCOW2_SIZE / 2));
        guest.attach("vdd", disks.get("vdd"));
        torture("vdd");
        host.virsh("blockresize", "web", "vdb", (QCOW2_SIZE + (1 << 20)) + "B").orFail();
        JsonNode grown = backUpExactly();
        assertChanges("vdb whole, vdc whole, vdd whole", grown);
        assertTrue(grown.path("disks").path(0).path("reason").asString().contains("it was resized"), grown.toString());
        assertChanges("vdb bitmap, vdc whole, vdd bitmap", backUpExactly());

        // After a crash of QEMU bitmaps are broken, or gone with it, the foreign one as well.
        guest.kill();
        disks.remove("vdd");
        bootAgain();
        JsonNode healed = backUpExactly();
        assertChanges("vdb whole, vdc whole", healed);
        assertTrue(healed.path("disks").path(0).path("reason").asString().contains("did not end cleanly"), healed.toString());
        assertChanges("vdb bitmap, vdc whole", backUpExactly());
    }

    /** Its machines are read at limits that may change, are yielded to, and doubted, as others are. */
    @Test
    void limitsHoldHereToo() throws IOException {
        Path limits = Files.writeString(folder.resolve("limits"), "rate 1\n");
        Process backup = cut(Map.of("AFTERIMAGE_LOG", "DEBUG"), "--limits-file", limits.toString(), "--yield", "1.5", "--least-rate", "2");
        Deadline.in(PATIENCE).await(
                () -> log().contains("the backup may move 2 bytes/s") || !backup.isAlive(), () -> "the guest is not yielded to: " + log());
        Files.writeString(limits, "rate 1T\n");
        // Whoever does nothing need not be yielded to.
        guest.pause();
        assertEquals(0, exit(backup), this::log);
        guest.resume();
        assertOneMore();
        assertClean();
        assertChanges("vdb bitmap, vdc whole", backUpExactly("--check-unchanged", "100%"));
    }

    /** Whoever is killed, the guest goes on, nothing is left behind for long, and no change is forgotten. */
    @Test
    void killsInTheMiddleLoseNothing() throws IOException {
        assertChanges("vdb whole, vdc whole", backUpExactly());

        // We, and the watchdog clears up.
        Process backup = backUpTo(Tripwire.at(Side.BEFORE, Call.RENAME, 1, "/repository/packs/"));
        backup.destroyForcibly();
        Deadline.in(PATIENCE).await(() -> !hasJob() && ownCheckpoints().size() == 1 && scratch().isEmpty(),
                () -> "left: " + ownCheckpoints() + scratch());
        assertChanges("vdb bitmap, vdc whole", backUpExactly());

        // We and our watchdog, and the next backup clears up.
        backup = backUpTo(Tripwire.at(Side.BEFORE, Call.RENAME, 1, "/repository/packs/"));
        backup.children().forEach(ProcessHandle::destroyForcibly);
        backup.destroyForcibly();
        exit(backup);
        assertTrue(hasJob() && ownCheckpoints().size() == 2, () -> "who cleared up? " + ownCheckpoints());
        assertChanges("vdb bitmap, vdc whole", backUpExactly());

        // In the commit: the point is there, and its checkpoint stays.
        backup = backUpTo(Tripwire.at(Side.AFTER, Call.RENAME, 1, "/repository/points/"));
        backup.destroyForcibly();
        exit(backup);
        assertOneMore();
        assertChanges("vdb bitmap, vdc whole", backUpExactly());

        // libvirtd, which comes back.
        Tripwire tripwire = Tripwire.at(Side.BEFORE, Call.RENAME, 1, "/repository/packs/");
        backup = backUpTo(tripwire);
        host.killDaemon();
        Tripwire.goOn(backup);
        assertEquals(0, exit(backup), this::log);
        assertOneMore();
        assertClean();

        // The machine.
        backup = backUpTo(Tripwire.at(Side.BEFORE, Call.RENAME, 1, "/repository/packs/"));
        guest.kill();
        Tripwire.goOn(backup);
        assertFails("crashed during the backup", backup);
        bootAgain();
        assertChanges("vdb whole, vdc whole", backUpExactly());
    }

    private Path image(String name, long size) {
        Path image = folder.resolve(name);
        Tool.run("qemu-img", "create", "-q", "-f", name.endsWith(".raw") ? "raw" : "qcow2", image.toString(), Long.toString(size)).orFail();
        return image;
    }

    private void torture(String disk) {
        // One that was attached just now takes the guest a moment to see.
        Deadline.in(PATIENCE).await(() -> guest.run("ls /dev").contains(disk), () -> "the guest does not see " + disk);
        guest.run("torture /dev/" + disk + " --seed " + torturers++ + " > /run/torture." + disk + ".log 2>&1 &");
        awaitWrites(disk);
    }

    private void awaitWrites(String disk) {
        long wanted = writes(disk) + 50;
        Deadline.in(PATIENCE).await(() -> writes(disk) > wanted, () -> "no writes: " + guest.run("cat /run/torture." + disk + ".log"));
    }

    private long writes(String disk) {
        return Long.parseLong(guest.run("cat /sys/block/" + disk + "/stat").strip().split("\\s+", -1)[4]);
    }

    private void bootAgain() {
        guest.boot();
        disks.keySet().forEach(this::torture);
    }

    private void beginForeignCheckpoint() throws IOException {
        Path checkpoint = Files.writeString(folder.resolve("foreign.xml"), """
                <domaincheckpoint><name>foreign</name><disks><disk name='vda' checkpoint='no'/>\
                <disk name='vdb' checkpoint='bitmap'/><disk name='vdc' checkpoint='no'/></disks></domaincheckpoint>""");
        host.virsh("checkpoint-create", "web", checkpoint.toString()).orFail();
    }

    private Process start(Map<String, String> environment, String... more) throws IOException {
        guest.pause();
        disks.forEach((disk, file) -> Tool.run("qemu-img", "convert", "-U", "-f", file.toString().endsWith(".raw") ? "raw" : "qcow2",
                "-O", "raw", file.toString(), reference(disk).toString()).orFail());
        Files.deleteIfExists(folder.resolve("backup.log"));
        List<String> words = new ArrayList<>(List.of("backup", "web", "--libvirt", host.uri(), "--scratch", scratchFolder().toString(), "--json"));
        disks.keySet().forEach(disk -> words.addAll(List.of("--disk", disk)));
        words.addAll(List.of(more));
        return afterimage.start(environment, folder.resolve("backup.log"), words.toArray(String[]::new));
    }

    /** Lets the guest go on when the cut is made, and returns when the backup stands still at the tripwire. */
    private Process backUpTo(Tripwire tripwire) throws IOException {
        Process backup = start(tripwire.environment());
        tripwire.awaitStop(backup);
        guest.resume();
        disks.keySet().forEach(this::awaitWrites);
        return backup;
    }

    /** The guest goes on when its disks are cut. */
    private Process cut(Map<String, String> environment, String... more) throws IOException {
        // libvirt lists job and checkpoint before the disks are cut; exports come after.
        List<String> stale = guest.exports();
        Process backup = start(environment, more);
        Deadline.in(PATIENCE).await(() -> !backup.isAlive() || hasOthersThan(stale), this::log);
        guest.resume();
        return backup;
    }

    private JsonNode backUpExactly(String... more) throws IOException {
        Process backup = cut(Map.of(), more);
        assertEquals(0, exit(backup), this::log);
        assertOneMore();
        assertClean();
        JsonNode point = new JsonMapper().readTree(log().substring(log().indexOf('{')));
        assertEquals(points.getLast(), point.path("point").asString());
        return point;
    }

    private boolean hasOthersThan(List<String> stale) {
        List<String> exports = guest.exports();
        return !exports.isEmpty() && (stale.isEmpty() || !exports.equals(stale));
    }

    private int exit(Process backup) {
        try {
            assertTrue(backup.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS), this::log);
            return backup.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    private void assertFails(String words, Process backup) {
        assertEquals(ExitCode.SOURCE.number(), exit(backup), this::log);
        assertTrue(log().startsWith("afterimage backup: ") && log().contains(words) && log().strip().lines().count() == 1, this::log);
        assertEquals(points, listed());
    }

    private void assertOneMore() {
        List<String> listed = listed();
        assertEquals(points.size() + 1, listed.size(), this::log);
        points.add(listed.getLast());
        assertEquals(points, listed);
        disks.keySet().forEach(disk -> assertExact("web/" + disk + "@" + points.getLast(), disk));
    }

    private void assertExact(String selector, String disk) {
        Path restored = folder.resolve("restored.raw");
        afterimage.run("restore", selector, "--to", restored.toString(), "--force").orFail();
        Tool.run("cmp", reference(disk).toString(), restored.toString()).orFail();
    }

    private static void assertChanges(String expected, JsonNode point) {
        assertEquals(expected, point.path("disks").valueStream()
                .map(disk -> disk.path("name").asString() + " " + disk.path("change").asString())
                .collect(Collectors.joining(", ")));
    }

    /** Nothing in libvirt but the last point's checkpoint, and those of others. */
    private void assertClean() {
        assertFalse(hasJob());
        assertEquals(Set.of(), scratch());
        Set<String> own = ownCheckpoints();
        assertTrue(own.size() == 1 && own.iterator().next().endsWith(points.getLast()), own::toString);
        assertEquals("running", guest.state().split(" ", 2)[0]);
    }

    /** The same state of the guest, in one chain, by each way after each other: equal maps, and nobody takes away what another one needs. */
    private void assertAllWaysSeeTheSame() throws IOException {
        guest.pause();
        backUpBy("vdb bitmap, vdc whole", "--libvirt", host.uri());
        String qmp = guest.qmpSocket().toString();
        backUpBy("vdb bitmap, vdc whole", "--qmp", qmp);
        backUpBy("vdb bitmap, vdc bitmap", "--qmp", qmp);
        backUpBy("vdb whole, vdc whole", "--qmp", qmp, "--full");
        backUpBy("vdb bitmap, vdc whole", "--libvirt", host.uri());
        // libvirt's point is newer, but of a raw disk it knows nothing.
        backUpBy("vdb bitmap, vdc bitmap", "--qmp", qmp);
        for (int i = points.size() - 5; i < points.size(); i++) {
            JsonNode differences = afterimage.run("diff", "web@" + points.get(i - 1), "web@" + points.get(i), "--json").json();
            assertEquals(2, differences.size());
            differences.forEach(disk -> assertEquals(0, disk.path("bytes").asLong(-1), disk::toString));
        }
        for (JsonNode node : guest.qmp("query-named-block-nodes")) {
            List<String> ours = node.path("dirty-bitmaps").valueStream().map(bitmap -> bitmap.path("name").asString(""))
                    .filter(name -> name.startsWith("afterimage-")).toList();
            assertTrue(ours.size() <= 2, ours::toString);
        }
        guest.resume();
    }

    private void backUpBy(String expected, String... way) {
        List<String> words = new ArrayList<>(List.of("backup", "web", "--scratch", scratchFolder().toString(), "--json"));
        words.addAll(List.of(way));
        disks.keySet().forEach(disk -> words.addAll(List.of("--disk", disk)));
        JsonNode point = afterimage.run(words.toArray(String[]::new)).json();
        points.add(point.path("point").asString());
        assertChanges(expected, point);
    }

    private boolean hasJob() {
        return host.virsh("backup-dumpxml", "web").exit() == 0;
    }

    private Set<String> ownCheckpoints() {
        Set<String> all = host.virsh("checkpoint-list", "web", "--name").orFail().text().lines()
                .map(String::strip).filter(name -> !name.isEmpty()).collect(Collectors.toCollection(TreeSet::new));
        all.removeIf(name -> !name.startsWith("afterimage-"));
        return all;
    }

    private Path scratchFolder() {
        return folder.resolve("s");
    }

    private Set<String> scratch() {
        if (!Files.exists(scratchFolder())) {
            return Set.of();
        }
        try (Stream<Path> left = Files.list(scratchFolder())) {
            return left.map(Path::toString).collect(Collectors.toSet());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path reference(String disk) {
        return folder.resolve("reference-" + disk + ".raw");
    }

    private List<String> listed() {
        return afterimage.run("list", "web", "--json").json().valueStream().map(point -> point.path("point").asString()).toList();
    }

    private String log() {
        try {
            Path log = folder.resolve("backup.log");
            return Files.exists(log) ? new String(Files.readAllBytes(log), StandardCharsets.UTF_8) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
