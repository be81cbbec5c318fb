package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.afterimage.lab.Alone;
import io.afterimage.lab.Deadline;
import io.afterimage.lab.LibvirtGuest;
import io.afterimage.lab.LibvirtHost;
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

/** A machine of libvirt's with all that one may have: UEFI, a TPM, a network, a pool, and a guest with QEMU's agent. */
@Alone
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class LibvirtMachineIT {

    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final String FIRMWARE = "/usr/share/OVMF/OVMF_CODE_4M.fd";
    private static final Path TPM = Path.of("tpm2/tpm2-00.permall");

    private Path folder;
    private Path nvram;
    private Program afterimage;
    private LibvirtHost host;
    private LibvirtGuest guest;

    @BeforeAll
    void boot(@TempDir Path temporary) throws IOException {
        assumeTrue(System.getProperty("user.name").equals("root"), "SKIPPED: only root's libvirt keeps TPMs where they are looked for");
        assumeTrue(Files.exists(Path.of(FIRMWARE)), "SKIPPED: install the package ovmf");
        assumeTrue(Files.exists(Path.of("/usr/bin/swtpm")), "SKIPPED: install the packages swtpm and swtpm-tools");
        folder = temporary;
        host = LibvirtHost.start(folder);
        afterimage = new Program(folder).behind(host.withTpmsInPlace());
        afterimage.run("init").orFail();
        Path pool = Files.createDirectory(folder.resolve("pool"));
        Tool.run("qemu-img", "create", "-q", "-f", "qcow2", pool.resolve("more.qcow2").toString(), "1M").orFail();
        host.virsh("pool-create-as", "stock room", "dir", "--target", pool.toString()).orFail();
        host.virsh("net-create", Files.writeString(folder.resolve("net.xml"),
                "<network><name>lan</name><bridge name='virbr77'/></network>").toString()).orFail();
        Path data = folder.resolve("data.qcow2");
        Tool.run("qemu-img", "create", "-q", "-f", "qcow2", data.toString(), "16M").orFail();
        nvram = folder.resolve("g/VARS.fd");
        guest = LibvirtGuest.define(host, "web", folder.resolve("g"), Map.of("vdb", data), """
                <loader readonly='yes' type='pflash'>%s</loader><nvram template='%s'>%s</nvram>"""
                .formatted(FIRMWARE, FIRMWARE.replace("CODE", "VARS"), nvram), """
                <disk type='volume' device='disk'><driver name='qemu' type='qcow2'/><source pool='stock room' volume='more.qcow2'/>
                  <target dev='vdc' bus='virtio'/></disk>
                <interface type='network'><source network='lan'/><model type='virtio'/></interface>
                <tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>
                <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>""").boot();
        awaitAgent();
    }

    @AfterAll
    void end() throws IOException {
        if (guest != null) {
            guest.close();
        }
        if (host != null) {
            host.close();
        }
    }

    private void awaitAgent() {
        Deadline.in(PATIENCE).await(() -> host.virsh("guestinfo", "web", "--hostname").exit() == 0,
                () -> "the agent does not answer: " + host.virsh("guestinfo", "web").text());
    }

    @Test
    void libvirtHasTheGuestFrozenForTheCut() {
        int before = hooks().size();
        JsonNode point = backUp("--quiesce", "required").json();
        assertEquals("file_system", point.path("consistency").path("level").asString(), point.toString());
        assertEquals(List.of("freeze", "thaw"), hooks().subList(before, hooks().size()));
        guest.run("diary the guest goes on && sync");
        JsonNode unasked = backUp().json();
        assertTrue(unasked.path("consistency").isMissingNode() || unasked.path("consistency").isNull(), unasked.toString());
    }

    @Test
    void theGuestIsThawedWhenTheBackupIsKilledWithItsWatchdogOrWithout() throws IOException {
        Process backup = stoppedWhileFrozen();
        backup.destroyForcibly();
        awaitThaw();
        awaitNoScratch();

        backup = stoppedWhileFrozen();
        backup.descendants().toList().forEach(ProcessHandle::destroyForcibly);
        backup.destroyForcibly();
        Process dead = backup;
        Deadline.in(PATIENCE).await(() -> !dead.isAlive(), () -> "the backup does not die");
        assertEquals("freeze", hooks().getLast());
        backUp().orFail();
        awaitThaw();
        guest.run("diary after the kills && sync");
    }

    @Test
    void theGuestIsThawedInTimeThoughTheBackupStandsStill() throws IOException {
        Process backup = stoppedWhileFrozen("--quiesce-limit", "15s");
        awaitThaw();
        Tripwire.goOn(backup);
        Deadline.in(PATIENCE).await(() -> !backup.isAlive(), () -> "the backup does not end");
        String said = Files.readString(folder.resolve("stopped.log"));
        assertEquals(ExitCode.SOURCE.number(), backup.exitValue(), said);
        assertTrue(said.contains("thawed after 15 s"), said);
    }

    @Test
    void withoutAnAgentThePointIsCrashConsistentOrNone() {
        guest.run("kill -STOP $(pidof qemu-ga)");
        try {
            Program.Result refused = backUp("--quiesce", "required", "--quiesce-limit", "5s");
            assertEquals(ExitCode.SOURCE.number(), refused.exit(), refused.err());
            assertTrue(refused.err().contains("The guest of 'web' was not frozen, since"), refused.err());
            JsonNode point = backUp("--quiesce", "preferred", "--quiesce-limit", "5s").json();
            assertEquals("crash", point.path("consistency").path("level").asString(), point.toString());
        } finally {
            guest.run("kill -CONT $(pidof qemu-ga)");
        }
        awaitAgent();
        guest.run("diary never frozen && sync");
        assertFalse(!hooks().isEmpty() && hooks().getLast().equals("freeze"), "frozen by a late agent");
    }

    /** Networks, pools, firmware, TPM and what the agent tells: shown, written out, and put back where all of it was lost. */
    @Test
    @Order(Integer.MAX_VALUE)
    void theMachineIsKeptBesideItsDisks() throws IOException {
        Path tpm = tpmOf(host.virsh("domuuid", "web").orFail().text().strip());
        backUp().orFail();
        byte[] variables = Files.readAllBytes(nvram);
        byte[] sealed = Files.readAllBytes(tpm);
        String shown = afterimage.run("show", "web").orFail().out();
        for (String fact : List.of(
                "256 MiB, 1 CPU, pc-q35-", FIRMWARE + " with its variables", "libvirt/network-lan.xml", "libvirt/pool-stock_20room.xml", "libvirt/tpm/" + TPM)) {
            assertTrue(shown.contains(fact), shown);
        }
        assertTrue(afterimage.run("show", "web", "--definition", "libvirt/network-lan.xml").orFail().out().contains("virbr77"));
        JsonNode told = afterimage.run("show", "web", "--definition", "libvirt/guest-info.json").json();
        assertEquals(guest.run("hostname").strip(), told.path("hostname").asString(), told.toString());
        assertEquals("ext4", told.path("fs.0.fstype").asString(), told.toString());
        assertEquals("x86_64", told.path("os.machine").asString(), told.toString());
        assertEquals(ExitCode.NOT_FOUND.number(), afterimage.run("show", "web", "--definition", "libvirt/network-wan.xml").exit());

        Path image = folder.resolve("g/restored.qcow2");
        Path out = folder.resolve("definition");
        afterimage.run("restore", "web", "--to", image.toString(), "--definition", out.toString()).orFail();
        host.virsh("destroy", "web").orFail();
        host.virsh("undefine", "web", "--nvram", "--checkpoints-metadata").orFail();
        Tool.run("rm", "-rf", nvram.toString(), tpm.getParent().getParent().toString()).orFail();

        Files.copy(out.resolve("libvirt/nvram.fd"), nvram);
        Files.createDirectories(tpm.getParent());
        Files.copy(out.resolve("libvirt/tpm").resolve(TPM), tpm);
        Tool.run("chown", "-R", "tss:", tpm.getParent().getParent().toString()).orFail();
        host.virsh("define", out.resolve("libvirt/domain-inactive.xml").toString()).orFail();
        assertTrue(host.virsh("domblklist", "web").orFail().text().contains(image.toString()));
        host.virsh("start", "web", "--paused").orFail();
        assertEquals("16777216", host.virsh("domblkinfo", "web", "vdb").orFail().text().lines()
                .filter(line -> line.startsWith("Capacity:")).map(line -> line.substring("Capacity:".length()).strip()).findFirst().orElseThrow());
        assertArrayEquals(variables, Files.readAllBytes(nvram));
        assertArrayEquals(sealed, Files.readAllBytes(tpm));
    }

    /** Where the test sees what the daemon has below /var/lib/libvirt. */
    private Path tpmOf(String uuid) {
        return folder.resolve("l/var/swtpm").resolve(uuid).resolve(TPM);
    }

    private Program.Result backUp(String... options) {
        return afterimage.run(words(options).toArray(String[]::new));
    }

    private List<String> words(String... options) {
        List<String> words = new ArrayList<>(List.of(
                "backup", "web", "--libvirt", host.uri(), "--scratch", scratch().toString(), "--disk", "vdb", "--json"));
        words.addAll(List.of(options));
        return words;
    }

    private Path scratch() {
        return folder.resolve("s");
    }

    /** A backup that stands still right after the guest has been frozen. */
    private Process stoppedWhileFrozen(String... options) throws IOException {
        awaitNoScratch();
        Tripwire tripwire = Tripwire.at(Side.BEFORE, Call.WRITE, 1, "<domainbackup");
        List<String> words = words(options);
        words.addAll(List.of("--quiesce", "required"));
        Process backup = afterimage.start(tripwire.environment(), folder.resolve("stopped.log"), words.toArray(String[]::new));
        tripwire.awaitStop(backup);
        assertEquals("freeze", hooks().getLast());
        return backup;
    }

    private void awaitThaw() {
        Deadline.in(PATIENCE).await(() -> hooks().getLast().equals("thaw"), () -> "nobody thaws the guest: " + hooks());
    }

    private void awaitNoScratch() {
        Deadline.in(PATIENCE).await(() -> {
            try (Stream<Path> left = Files.list(scratch())) {
                return left.findAny().isEmpty();
            } catch (IOException e) {
                return true;
            }
        }, () -> "an earlier backup is not gone");
    }

    /** What the agent's hook was called with. */
    private List<String> hooks() {
        return guest.run("cat /run/fsfreeze.log 2>/dev/null; true").lines().map(line -> line.substring(0, line.indexOf(' '))).toList();
    }
}
