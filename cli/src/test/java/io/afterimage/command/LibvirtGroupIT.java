package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Alone;
import io.afterimage.lab.Deadline;
import io.afterimage.lab.LibvirtGuest;
import io.afterimage.lab.LibvirtHost;
import io.afterimage.lab.Tool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Two machines of libvirt's that are backed up as one. */
@Alone
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class LibvirtGroupIT {

    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final String AGENT =
            "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>";

    private Path folder;
    private Path scratch;
    private Program afterimage;
    private LibvirtHost host;
    private final List<LibvirtGuest> guests = new ArrayList<>();

    @BeforeAll
    void boot(@TempDir Path temporary) throws IOException {
        folder = temporary;
        scratch = folder.resolve("s");
        afterimage = new Program(folder);
        afterimage.run("init").orFail();
        host = LibvirtHost.start(folder);
        for (String name : List.of("web", "db")) {
            Path data = folder.resolve(name + ".qcow2");
            Tool.run("qemu-img", "create", "-q", "-f", "qcow2", data.toString(), "8M").orFail();
            guests.add(LibvirtGuest.define(host, name, folder.resolve(name), Map.of("vdb", data), "", AGENT).boot());
            awaitAgent(name);
        }
    }

    @AfterAll
    void end() throws IOException {
        for (LibvirtGuest guest : guests) {
            guest.close();
        }
        if (host != null) {
            host.close();
        }
    }

    private void awaitAgent(String name) {
        Deadline.in(PATIENCE).await(() -> host.virsh("guestinfo", name, "--hostname").exit() == 0, () -> "the agent of " + name + " does not answer");
    }

    @Test
    @Order(1)
    void allAreFrozenCutAndThawedTogether() throws IOException {
        JsonNode points = backUp("web", "db").json();
        JsonNode group = points.path(0).path("group");
        assertEquals(group, points.path(1).path("group"));
        assertEquals("[\"web\",\"db\"]", group.path("members").toString());
        assertTrue(group.path("spreadNanos").asLong() > 0, group::toString);
        System.out.println("LibvirtGroupIT: cut within " + group.path("spreadNanos").asLong() / 1_000_000 + " ms");
        assertTrue(noScratch(), () -> "scratch is left in " + scratch);
        points.forEach(point -> assertEquals("file_system", point.path("consistency").path("level").asString(), point::toString));
        for (LibvirtGuest guest : guests) {
            assertEquals(List.of("freeze", "thaw"), hooks(guest));
            guest.run("echo " + guest.name() + " > /dev/vdb; sync");
        }
        backUp("web", "db").json().forEach(point -> assertEquals("incremental", point.path("kind").asString(), point::toString));
        Path restored = folder.resolve("restored");
        afterimage.run("restore", "--group", "shop@latest", "--to-folder", restored.toString()).orFail();
        for (LibvirtGuest guest : guests) {
            assertTrue(Files.readString(restored.resolve(guest.name()).resolve("vdb.raw")).startsWith(guest.name()));
        }
    }

    @Test
    @Order(2)
    void whenOneCannotBeFrozenNoneIsCut() {
        guests.getLast().run("kill -STOP $(pidof qemu-ga)");
        try {
            assertRefused("The guest of 'db' was not frozen", "--quiesce-limit", "5s");
        } finally {
            guests.getLast().run("kill -CONT $(pidof qemu-ga)");
        }
        awaitAgent("db");
    }

    /** QEMU has one NBD server, which somebody else has started here when all is prepared. */
    @Test
    @Order(3)
    void whenOneCannotBeCutAllGoOnAndNothingIsLeft() throws IOException {
        Path start = Files.writeString(folder.resolve("start.sh"), "virsh -q -c '%s' qemu-monitor-command db '%s'\n".formatted(host.uri(),
                "{\"execute\":\"nbd-server-start\",\"arguments\":{\"addr\":{\"type\":\"unix\",\"data\":{\"path\":\"%s/n.sock\"}}}}"
                        .formatted(folder.resolve("db"))));
        assertRefused("db", "--pre", "sh " + start);
        guests.getLast().qmp("nbd-server-stop");
        backUp("web", "db").json().forEach(point -> assertEquals("incremental", point.path("kind").asString(), point::toString));
    }

    @Test
    @Order(4)
    void membersOverQmpAndDomainsOfOtherNamesMayBeAmongThem() {
        JsonNode points = afterimage.run("backup", "--group", "mixed", "--libvirt", host.uri(), "--scratch", scratch.toString(), "--json",
                "--member", "db=" + guests.getLast().qmpSocket(), "--member", "front=domain:web").json();
        assertEquals("[\"db\",\"front\"]", points.path(0).path("group").path("members").toString());
        assertEquals(points.path(0).path("group"), points.path(1).path("group"));
        assertTrue(afterimage.run("show", "front").orFail().out().contains("libvirt/domain.xml"), "the domain's definition is in the point");
        Program.Result twice = afterimage.run("backup", "--group", "mixed", "--libvirt", host.uri(), "web", "--member", "front=domain:web");
        assertTrue(twice.err().contains("is in the group twice"), twice.err());
        Program.Result nowhere = afterimage.run("backup", "--group", "mixed", "web");
        assertEquals(ExitCode.USAGE.number(), nowhere.exit(), nowhere.err());
        assertTrue(nowhere.err().contains("add --libvirt"), nowhere.err());
    }

    /** No point, and each guest is thawed, has no job, no more checkpoints than before, and no scratch. */
    private void assertRefused(String words, String... options) {
        int points = afterimage.run("list", "--json").json().size();
        String checkpoints = checkpoints();
        Program.Result refused = backUp(Stream.concat(Stream.of("web", "db"), Stream.of(options)).toArray(String[]::new));
        assertEquals(ExitCode.SOURCE.number(), refused.exit(), refused.err());
        assertTrue(refused.err().contains(words), refused.err());
        assertEquals(points, afterimage.run("list", "--json").json().size());
        assertEquals(checkpoints, checkpoints());
        for (LibvirtGuest guest : guests) {
            guest.run("diary goes on && sync");
            assertTrue(hooks(guest).isEmpty() || hooks(guest).getLast().equals("thaw"), () -> guest.name() + ": " + hooks(guest));
            assertTrue(host.virsh("backup-dumpxml", guest.name()).exit() != 0, "a job is left in " + guest.name());
        }
        Deadline.in(PATIENCE).await(this::noScratch, () -> "scratch is left in " + scratch);
    }

    private boolean noScratch() {
        try (Stream<Path> left = Files.list(scratch)) {
            return left.findAny().isEmpty();
        } catch (IOException e) {
            return true;
        }
    }

    private String checkpoints() {
        return host.virsh("checkpoint-list", "web", "--name").orFail().text() + host.virsh("checkpoint-list", "db", "--name").orFail().text();
    }

    private Program.Result backUp(String... machinesAndOptions) {
        List<String> words = new ArrayList<>(List.of("backup", "--group", "shop"));
        words.addAll(List.of(machinesAndOptions));
        words.addAll(List.of("--libvirt", host.uri(), "--scratch", scratch.toString(), "--quiesce", "required", "--json"));
        return afterimage.run(words.toArray(String[]::new));
    }

    /** What the agent's hook was called with. */
    private static List<String> hooks(LibvirtGuest guest) {
        return guest.run("cat /run/fsfreeze.log 2>/dev/null; true").lines().map(line -> line.substring(0, line.indexOf(' '))).toList();
    }
}
