package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.afterimage.capture.libvirt.LibvirtConnection;
import io.afterimage.capture.libvirt.LibvirtCut;
import io.afterimage.capture.libvirt.LibvirtCutPlan;
import io.afterimage.capture.libvirt.LibvirtDomain;
import io.afterimage.capture.libvirt.LibvirtException;
import io.afterimage.capture.libvirt.LibvirtMachine;
import io.afterimage.capture.qemu.Checkpoint;
import io.afterimage.lab.Deadline;
import io.afterimage.lab.LibvirtGuest;
import io.afterimage.lab.LibvirtHost;
import io.afterimage.lab.Tool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** What keeps a machine of libvirt's from being backed up is told in a sentence, and the machine, and others' work, are left alone. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LibvirtTroubleIT {

    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private Path folder;
    private Program afterimage;
    private Path scratch;
    private boolean mounted;
    private LibvirtHost host;
    private LibvirtGuest guest;

    @BeforeAll
    void boot(@TempDir Path temporary) throws IOException {
        folder = temporary;
        afterimage = new Program(folder);
        afterimage.run("init").orFail();
        scratch = Files.createDirectory(folder.resolve("s"));
        if (System.getProperty("user.name").equals("root")) {
            // Before the daemon starts, which has mounts of its own from then on.
            Tool.run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", scratch.toString()).orFail();
            mounted = true;
        }
        host = LibvirtHost.start(folder);
        Path data = folder.resolve("data.qcow2");
        Tool.run("qemu-img", "create", "-q", "-f", "qcow2", data.toString(), "16M").orFail();
        Path more = folder.resolve("more.qcow2");
        Tool.run("qemu-img", "create", "-q", "-f", "qcow2", more.toString(), "1M").orFail();
        Map<String, Path> disks = new TreeMap<>(Map.of("vdb", data, "vdc", more));
        guest = LibvirtGuest.define(host, "web", folder.resolve("g"), disks, "", "").boot();
    }

    @AfterAll
    void end() throws IOException {
        if (guest != null) {
            guest.close();
        }
        if (host != null) {
            host.close();
        }
        if (mounted) {
            Tool.run("umount", scratch.toString());
        }
    }

    @Test
    void aGuestThatAFullScratchHasStoppedGoesOn() throws IOException {
        assumeTrue(mounted, "SKIPPED: only root can mount the small file system for scratch");
        guest.run("dd if=/dev/urandom of=/dev/vdb bs=1M count=8; sync");
        try (LibvirtConnection connection = LibvirtConnection.open(host.uri())) {
            LibvirtDomain domain = connection.domain("web");
            LibvirtMachine machine = LibvirtMachine.inspect(domain, List.of("vdb"), Map.of());
            LibvirtCutPlan plan = new LibvirtCutPlan(
                    machine, new Checkpoint("0123abcd", "f".repeat(32)),
                    List.of(new LibvirtCutPlan.Disk(machine.disks().getFirst(), Optional.empty())), scratch, 0);
            try (LibvirtCut cut = LibvirtCut.begin(plan)) {
                assertEquals(cut.beforeNanos(), cut.afterNanos(), "QEMU tells of one disk one moment, and libvirt passes it on");
                guest.run("dd if=/dev/zero of=/dev/vdb bs=1M count=8; sync");
                assertTrue(cut.guestLoad().writes() > 0 && cut.guestLoad().waitNanos() > 0, "what libvirt counts, and what Linux does of the process with the domain's UUID");
                String loss = awaitLoss(cut);
                assertTrue(loss.contains("can keep") && loss.contains("it goes on now"), loss);
                assertThrows(LibvirtException.class, cut::committing);
            }
        }
        assertTrue(guest.state().startsWith("running"), guest::state);
        // The write that had to wait is done.
        assertEquals("0", guest.run("head -c 8388608 /dev/vdb | tr -d '\\000' | wc -c").strip());
        assertEquals("", host.virsh("checkpoint-list", "web", "--name").text().strip());
        try (var left = Files.list(scratch)) {
            assertEquals(List.of(), left.toList());
        }
    }

    private static String awaitLoss(LibvirtCut cut) {
        List<String> loss = new ArrayList<>();
        Deadline.in(PATIENCE).await(() -> {
            try {
                cut.requireIntact();
                return false;
            } catch (IOException e) {
                loss.add(e.getMessage());
                return true;
            }
        }, () -> "the scratch is not full");
        return loss.getFirst();
    }

    @Test
    void theBackupJobOfAnotherProgramIsLeftAlone() throws IOException {
        Path jobs = Files.createDirectory(folder.resolve("job"));
        Tool.run("chmod", "777", jobs.toString()).orFail();
        Path xml = Files.writeString(folder.resolve("job.xml"), """
                <domainbackup mode='pull'><server transport='unix' socket='%1$s/nbd'/><disks><disk name='vdb' backup='yes' type='file'>
                <driver type='qcow2'/><scratch file='%1$s/vdb.qcow2'/></disk></disks></domainbackup>""".formatted(jobs));
        host.virsh("backup-begin", "web", xml.toString()).orFail();
        String job = host.virsh("backup-dumpxml", "web").orFail().text();
        assertRefused("Another program has a backup of web under way", "web");
        assertEquals(job, host.virsh("backup-dumpxml", "web").orFail().text());
        host.virsh("domjobabort", "web").orFail();
    }

    @Test
    void whatIsNotThereIsNamed() {
        assertRefused("has no domain 'wob'", "web", "--domain", "wob");
        assertRefused("has no disk 'vdx': it has vda, vdb, vdc", "web", "--disk", "vdx");
        host.virsh("define", offline().toString()).orFail();
        assertRefused("The domain off does not run", "off");
    }

    private Path offline() {
        try {
            return Files.writeString(folder.resolve("off.xml"), """
                    <domain type='qemu'><name>off</name><memory unit='MiB'>64</memory><os><type arch='x86_64' machine='q35'>hvm</type></os></domain>""");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void assertRefused(String words, String machine, String... more) {
        List<String> command = new ArrayList<>(List.of("backup", machine, "--libvirt", host.uri(), "--scratch", folder.resolve("big").toString()));
        command.addAll(List.of(more));
        Program.Result result = afterimage.run(command.toArray(String[]::new));
        assertEquals(ExitCode.SOURCE.number(), result.exit(), result::err);
        assertTrue(result.err().contains(words) && result.err().strip().lines().count() == 1, result::err);
    }
}
