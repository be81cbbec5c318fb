package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Deadline;
import io.afterimage.lab.GuestDisk;
import io.afterimage.lab.Tripwire;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A machine that never stops writing, backups of it that may be disturbed, and a server that shows its points all the time. Each backup begins
 * while the guest stands still and its disk is copied: so every point is compared with the disk at the point's very instant.
 */
final class Trial implements Closeable {

    static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final Duration CLEAN_WITHIN = Duration.ofSeconds(60);

    /** No multiple of a chunk, and more than one pack. */
    private static final long SIZE = 24_000_512;

    private final Program afterimage;
    private final Path folder;
    private final Path disk;
    private final Path reference;
    private final Path log;
    private final ServedRepository served;
    private final List<String> points = new ArrayList<>();
    private RestlessMachine machine;
    /** What a dead backup exports still, when the next one begins. */
    private Set<String> staleExports = Set.of();
    private int boots;

    private Trial(Program afterimage, Path folder) throws IOException {
        this.afterimage = afterimage;
        this.folder = folder;
        disk = folder.resolve("data.qcow2");
        reference = folder.resolve("reference.raw");
        log = folder.resolve("backup.log");
        GuestDisk.empty(RestlessMachine.DISK, disk, SIZE);
        afterimage.run("init").orFail();
        served = ServedRepository.start(afterimage, folder);
    }

    /** Makes the program's repository, boots the machine and makes the first point. */
    static Trial begin(Program afterimage, Path folder) throws IOException {
        Trial trial = new Trial(afterimage.thatMayBeKilled(), folder);
        try {
            trial.boot();
            trial.backUpExactly("whole");
            return trial;
        } catch (IOException | RuntimeException | AssertionError e) {
            trial.close();
            throw e;
        }
    }

    /** Starts the machine, again if it was started before, with the disk as it was left. */
    void boot() throws IOException {
        boots++;
        if (machine != null) {
            machine.close();
        }
        machine = RestlessMachine.boot(folder.resolve("g" + boots), disk, boots);
    }

    /** The newest point. */
    String newest() {
        return points.getLast();
    }

    RestlessMachine machine() {
        return machine;
    }

    /** Copies the disk while the guest stands still, and starts a backup; the caller lets the guest go on when {@link #isCut}. */
    Process startPaused(Optional<Tripwire> tripwire) throws IOException {
        machine.pauseAndCopy(reference);
        staleExports = machine.exports();
        Files.deleteIfExists(log);
        return afterimage.start(tripwire.map(Tripwire::environment).orElse(Map.of()), log, "backup", "web",
                "--qmp", machine.guest().qmpSocket().toString(), "--disk", RestlessMachine.DISK, "--json");
    }

    /** Whether the backup that was started last has made its cut. */
    boolean isCut() {
        return !staleExports.containsAll(machine.exports());
    }

    /** As {@link #startPaused}, and the guest goes on at the cut; when this returns the backup stands still at the tripwire. */
    Process startUpTo(Tripwire tripwire) throws IOException {
        Process backup = startPaused(Optional.of(tripwire));
        Deadline.in(PATIENCE).await(() -> tripwire.hasGoneOff() || isCut() || !backup.isAlive(), this::log);
        machine.guest().resume();
        tripwire.awaitStop(backup);
        return backup;
    }

    /** Makes a point, and fails unless it is exact and QEMU is clean at once. */
    JsonNode backUpExactly(String change) throws IOException {
        return backUpExactly(change, points.isEmpty() ? null : points.getLast(), 1);
    }

    /** The same where the parent is not the newest point, or a disk has more than one checkpoint. */
    JsonNode backUpExactly(String change, String parent, int checkpointsLeft) throws IOException {
        Process backup = startPaused(Optional.empty());
        Deadline.in(PATIENCE).await(() -> isCut() || !backup.isAlive(), this::log);
        machine.guest().resume();
        assertEquals(0, exit(backup), this::log);
        assertEquals(Set.of(), traces());
        JsonNode point = new JsonMapper().readTree(log().substring(log().indexOf('{')));
        assertEquals(change, point.path("disks").path(0).path("change").asString(), point.toString());
        assertEquals(parent, point.path("parent").asString(null));
        String id = point.path("point").asString();
        points.add(id);
        Set<String> checkpoints = machine.checkpoints();
        assertTrue(checkpoints.size() == checkpointsLeft && checkpoints.stream().anyMatch(name -> name.contains(id)), checkpoints + " at " + id);
        served.assertExact(reference, selector(id));
        return point;
    }

    int exit(Process backup) {
        try {
            assertTrue(backup.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS), this::log);
            return backup.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    /** Fails unless the backup ends with that code, and with one sentence that contains the words. */
    void assertFails(ExitCode code, String words, Process backup) {
        assertEquals(code.number(), exit(backup), this::log);
        List<String> lines = log().strip().lines().toList();
        assertEquals(1, lines.size(), this::log);
        assertTrue(lines.getFirst().startsWith("afterimage") && lines.getFirst().contains(words), this::log);
    }

    /** Fails unless the guest runs and writes. */
    void assertUnharmed() {
        assertEquals("running", machine.guest().status());
        machine.awaitWrites(20);
    }

    /** Fails unless the list shows the points that it showed before. */
    void assertNothingNew() {
        assertEquals(points, listed());
    }

    /** Fails unless the list shows one more point than before, exact as of the last start of a backup. */
    void assertOneMore() {
        assertTrue(takeInOneMore(), () -> "no new point after " + points);
    }

    /** Looks whether the list shows one more point than before, and fails if that is not exact, or if anything else has changed. */
    boolean takeInOneMore() {
        List<String> listed = listed();
        boolean isNew = listed.size() == points.size() + 1;
        if (isNew) {
            points.add(listed.getLast());
            served.assertExact(reference, selector(listed.getLast()));
        }
        assertEquals(points, listed);
        return isNew;
    }

    private List<String> listed() {
        List<String> listed = new ArrayList<>();
        afterimage.run("list", "--json").json().forEach(point -> listed.add(point.path("point").asString()));
        return listed;
    }

    Set<String> traces() {
        return machine.traces(afterimage.scratch());
    }

    /** Waits until nothing is left of a dead backup but bitmaps. */
    void awaitClean(String when) {
        Deadline.in(CLEAN_WITHIN).await(() -> traces().isEmpty(), () -> when + " left " + traces());
    }

    void assertNotClean(String when) {
        assertFalse(traces().isEmpty(), () -> when + ": who cleared QEMU?");
    }

    private static String selector(String point) {
        return "web/" + RestlessMachine.DISK + "@" + point;
    }

    /** What the last backup has said. */
    String log() {
        try {
            return Files.exists(log) ? new String(Files.readAllBytes(log), StandardCharsets.UTF_8) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        served.close();
        if (machine != null) {
            machine.close();
        }
    }
}
