package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Alone;
import io.afterimage.lab.Deadline;
import io.afterimage.lab.Guest;
import io.afterimage.lab.Tool;
import io.afterimage.lab.Tripwire;
import io.afterimage.lab.Tripwire.Call;
import io.afterimage.lab.Tripwire.Side;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** A real guest with QEMU's agent, whose hook notes in memory when it freezes and thaws. */
@Alone
class QuiesceIT {

    private static final Duration PATIENCE = Duration.ofMinutes(2);

    /** Where the tiny guest's file system begins. */
    private static final String PARTITION = "?offset=1048576";

    @TempDir
    static Path folder;

    private static Program afterimage;
    private static Guest guest;

    @BeforeAll
    static void boot() throws IOException {
        afterimage = new Program(folder);
        afterimage.run("init").orFail();
        guest = Guest.tiny(folder.resolve("g")).start().awaitReady();
        afterimage.run("backup", "web", "--qmp", guest.qmpSocket().toString()).orFail();
    }

    @AfterAll
    static void end() throws IOException {
        guest.close();
    }

    @Test
    void aFrozenGuestsFileSystemIsClean() {
        guest.run("diary before the freeze");
        int before = log().size();
        JsonNode point = backup("--quiesce", "required").json();
        assertEquals("file_system", point.path("consistency").path("level").asString());
        assertEquals(List.of("freeze", "thaw"), log().subList(before, log().size()));
        JsonNode told = afterimage.run("show", "web", "--definition", "guest-info.json").json();
        assertEquals(guest.run("hostname").strip(), told.path("host-name").path("host-name").asString(), told.toString());
        assertEquals("ext4", told.path("fsinfo").path(0).path("type").asString(), told.toString());
        Path image = folder.resolve("frozen.raw");
        afterimage.run("restore", "web/root@" + point.path("point").asString(), "--to", image.toString()).orFail();
        String header = Tool.run("dumpe2fs", "-h", image + PARTITION).orFail().text();
        assertFalse(header.contains("needs_recovery"), header);
        assertTrue(header.matches("(?s).*Filesystem state:\\s+clean.*"), header);
        assertEquals("bitmap", point.path("disks").path(0).path("change").asString());
        guest.run("diary the guest goes on && sync");
    }

    @Test
    void theGuestIsThawedWhenTheBackupIsKilled() throws IOException {
        Process backup = stoppedWhileFrozen("--quiesce", "required");
        backup.destroyForcibly();
        awaitThaw();
        guest.run("diary after the kill && sync");
        Deadline.in(PATIENCE).await(() -> scratchIsEmpty(), () -> "the watchdog leaves the scratch");
        assertEquals("bitmap", backup("--quiesce", "required").json().path("disks").path(0).path("change").asString());
    }

    @Test
    void theNextBackupThawsWhatBackupAndWatchdogLeftFrozen() throws IOException {
        Process backup = stoppedWhileFrozen("--quiesce", "required");
        backup.descendants().toList().forEach(ProcessHandle::destroyForcibly);
        backup.destroyForcibly();
        Deadline.in(PATIENCE).await(() -> !backup.isAlive(), () -> "the backup does not die");
        assertEquals("freeze", log().getLast());
        afterimage.run("backup", "web", "--qmp", guest.qmpSocket().toString()).orFail();
        awaitThaw();
        guest.run("diary after the next backup && sync");
    }

    @Test
    void theGuestIsThawedInTimeThoughTheBackupStandsStill() throws IOException {
        Process backup = stoppedWhileFrozen("--quiesce", "required", "--quiesce-limit", "2s");
        awaitThaw();
        guest.run("diary while the backup stands still && sync");
        Tripwire.goOn(backup);
        Deadline.in(PATIENCE).await(() -> !backup.isAlive(), () -> "the backup does not end");
        String said = Files.readString(folder.resolve("stopped.log"));
        assertEquals(ExitCode.SOURCE.number(), backup.exitValue(), said);
        assertTrue(said.contains("thawed after 2 s"), said);
    }

    @Test
    void withoutAnAgentThePointIsCrashConsistentOrNone() {
        guest.run("kill -STOP $(pidof qemu-ga)");
        try {
            int points = points();
            Program.Result refused = backup("--quiesce", "required", "--quiesce-limit", "2s");
            assertEquals(ExitCode.SOURCE.number(), refused.exit(), refused.err());
            assertTrue(refused.err().contains("The guest of 'web' was not frozen, since the guest agent on"), refused.err());
            assertEquals(points, points());
            JsonNode point = backup("--quiesce", "preferred", "--quiesce-limit", "2s").json();
            assertEquals("crash", point.path("consistency").path("level").asString());
            assertTrue(point.path("consistency").path("reason").asString().contains("does not answer in time"), point.toString());
            String shown = afterimage.run("show", "web@latest").orFail().out();
            assertTrue(shown.contains("crash-consistent: the guest agent on"), shown);
        } finally {
            guest.run("kill -CONT $(pidof qemu-ga)");
        }
        guest.run("diary never frozen && sync");
        assertFalse(log().getLast().equals("freeze"), "frozen by a late agent");
    }

    @Test
    void commandsOfTheUserRunAroundTheCut() throws IOException {
        Path order = folder.resolve("order");
        Program.Result done = backup("--pre", "echo pre >> " + order, "--post", "echo post >> " + order + "; echo said");
        assertEquals("file_system", done.json().path("consistency").path("level").asString());
        assertEquals(List.of("pre", "post"), Files.readAllLines(order));
        assertFalse(done.out().contains("said"), done.out());
        int points = points();
        Program.Result refused = backup("--pre", "exit 3", "--post", "echo undo >> " + order);
        assertEquals(ExitCode.SOURCE.number(), refused.exit(), refused.err());
        assertTrue(refused.err().contains("'exit 3' failed with exit code 3"), refused.err());
        Program.Result late = backup("--pre", "sleep 100", "--hook-limit", "1s");
        assertTrue(late.err().contains("'sleep 100' did not end within 1 s"), late.err());
        assertEquals(List.of("pre", "post", "undo"), Files.readAllLines(order));
        assertEquals(points, points());
        Process killed = stoppedWhileFrozen("--post", "echo watchdog >> " + order);
        killed.destroyForcibly();
        Deadline.in(PATIENCE).await(() -> lines(order).contains("watchdog"), () -> "the watchdog does not run what is owed");
        awaitThaw();
    }

    private static Program.Result backup(String... options) {
        return afterimage.run(arguments(options).toArray(String[]::new));
    }

    private static List<String> arguments(String... options) {
        List<String> words = new ArrayList<>(List.of(
                "backup", "web", "--json", "--qmp", guest.qmpSocket().toString(), "--agent", guest.agentSocket().toString()));
        words.addAll(List.of(options));
        return words;
    }

    /** A backup that stands still right before the cut, with the guest frozen. */
    private static Process stoppedWhileFrozen(String... options) throws IOException {
        Deadline.in(PATIENCE).await(QuiesceIT::scratchIsEmpty, () -> "an earlier backup is not gone");
        Tripwire tripwire = Tripwire.at(Side.BEFORE, Call.WRITE, 1, "\"execute\":\"transaction\"");
        Process backup = afterimage.start(tripwire.environment(), folder.resolve("stopped.log"), arguments(options).toArray(String[]::new));
        tripwire.awaitStop(backup);
        assertEquals("freeze", log().getLast());
        return backup;
    }

    private static void awaitThaw() {
        Deadline.in(PATIENCE).await(() -> log().getLast().equals("thaw"), () -> "nobody thaws the guest: " + log());
    }

    private static boolean scratchIsEmpty() {
        try (Stream<Path> left = Files.list(afterimage.scratch())) {
            return left.findAny().isEmpty();
        } catch (IOException e) {
            return true;
        }
    }

    /** What the agent's hook was called with. */
    private static List<String> log() {
        return guest.run("cat /run/fsfreeze.log 2>/dev/null; true").lines().map(line -> line.substring(0, line.indexOf(' '))).toList();
    }

    private static int points() {
        return afterimage.run("list", "web", "--json").json().size();
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            return List.of();
        }
    }
}
