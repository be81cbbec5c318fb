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
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** What keeps a machine of libvirt's from being backed up is told in a sentence, and the machine, and others' work, are left alone. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LibvirtTroubleIT {

    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final String FIRMWARE = "/usr/share/seabios/bios-256k.bin";
    private static final String NVRAM = "what the firmware keeps";

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
        Path more = Files.createDirectory(folder.resolve("pool"));
        Tool.run("qemu-img", "create", "-q", "-f", "qcow2", more.resolve("more.qcow2").toString(), "1M").orFail();
        host.virsh("pool-create-as", "stock", "dir", "--target", more.toString()).orFail();
        host.virsh("net-create", Files.writeString(folder.resolve("net.xml"),
                "<network><name>lan</name><bridge name='virbr77'/></network>").toString()).orFail();
        Files.write(folder.resolve("web_VARS.fd"), Arrays.copyOf(NVRAM.getBytes(StandardCharsets.UTF_8), 128 << 10));
        Path data = folder.resolve("data.qcow2");
        Tool.run("qemu-img", "create", "-q", "-f", "qcow2", data.toString(), "16M").orFail();
        guest = LibvirtGuest.define(host, "web", folder.resolve("g"), Map.of("vdb", data), """
                <loader readonly='yes' type='pflash'>%s</loader><nvram>%s</nvram>""".formatted(FIRMWARE, folder.resolve("web_VARS.fd")), """
                <disk type='volume' device='disk'><driver name='qemu' type='qcow2'/><source pool='stock' volume='more.qcow2'/>
                  <target dev='vdc' bus='virtio'/></disk>
                <interface type='network'><source network='lan'/><model type='virtio'/></interface>""").boot();
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
                guest.run("dd if=/dev/zero of=/dev/vdb bs=1M count=8; sync");
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

    /** Networks, pools and firmware: shown, written out, and fit to be defined anew. */
    @Test
    void theMachineIsKeptBesideItsDisks() throws IOException {
        afterimage.run("backup", "web", "--libvirt", host.uri(), "--scratch", folder.resolve("big").toString(), "--disk", "vdb").orFail();
        String shown = afterimage.run("show", "web").orFail().out();
        for (String fact : List.of("256 MiB, 1 CPU, pc-q35-", FIRMWARE + " with its variables", "libvirt/network-lan.xml", "libvirt/pool-stock.xml")) {
            assertTrue(shown.contains(fact), shown);
        }
        assertTrue(afterimage.run("show", "web", "--definition", "libvirt/network-lan.xml").orFail().out().contains("virbr77"));
        assertEquals(ExitCode.NOT_FOUND.number(), afterimage.run("show", "web", "--definition", "libvirt/network-wan.xml").exit());

        Path raw = folder.resolve("vdb.raw");
        Path out = folder.resolve("definition");
        afterimage.run("restore", "web", "--to", raw.toString(), "--definition", out.toString()).orFail();
        assertTrue(Files.readString(out.resolve("libvirt/nvram.fd"), StandardCharsets.ISO_8859_1).startsWith(NVRAM));
        Path domain = out.resolve("libvirt/domain-inactive.xml");
        Files.writeString(domain, Files.readString(domain).replaceFirst("<name>web</name>", "<name>again</name>").replaceFirst("<uuid>[^<]*</uuid>", ""));
        host.virsh("define", domain.toString()).orFail();
        assertTrue(host.virsh("domblklist", "again").orFail().text().contains(raw.toString()));
    }
}
