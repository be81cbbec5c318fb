package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.MemoryDevice;
import io.afterimage.lab.Guest;
import io.afterimage.lab.GuestAnswer;
import io.afterimage.lab.Tool;
import io.afterimage.nbd.protocol.ExportSummary;
import io.afterimage.nbd.protocol.NbdUri;
import io.afterimage.nbd.server.Client;
import io.afterimage.nbd.server.Export;
import io.afterimage.nbd.server.Exports;
import io.afterimage.nbd.server.NbdServer;
import io.afterimage.nbd.server.ServerSettings;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Linux kernel's own NBD client, attached by nbd-client and by qemu-nbd in a Debian machine that reaches the host's loopback. */
class KernelClientsIT {

    private static final String HOST = "10.0.2.2";
    private static final int SIZE = 64 << 20;
    private static final int SMALL_FILES = 300;

    @TempDir
    static Path folder;

    private static Program afterimage;
    private static Path image;
    private static ServedRepository served;
    private static Guest guest;

    @BeforeAll
    static void bootAndServe() throws IOException {
        afterimage = new Program(folder);
        image = fileSystem();
        afterimage.run("init").orFail();
        afterimage.run("backup", "web", "--image", "vda=" + image).orFail();
        served = ServedRepository.start(afterimage, folder, "--nbd", "tcp:127.0.0.1:0");
        guest = Guest.debian(folder.resolve("g")).options("-netdev", "user,id=n0", "-device", "virtio-net-pci,netdev=n0").start().awaitReady();
        guest.run("modprobe nbd max_part=8 nbds_max=4");
    }

    @AfterAll
    static void end() throws IOException {
        if (guest != null) {
            guest.close();
        }
        if (served != null) {
            served.close();
        }
    }

    /** An ext4 file system with files of all sizes, and a list of their hashes among them. */
    private static Path fileSystem() throws IOException {
        Path content = Files.createDirectories(folder.resolve("content/files"));
        Random random = new Random(1);
        byte[] bytes = new byte[20_000_001];
        random.nextBytes(bytes);
        Files.write(content.resolve("large"), bytes);
        for (int i = 0; i < SMALL_FILES; i++) {
            byte[] small = new byte[random.nextInt(40_000)];
            random.nextBytes(small);
            Files.write(content.resolve("small" + i), small);
        }
        Tool.run("sh", "-c", "cd " + content.getParent() + " && sha256sum files/* > sums").orFail();
        Path file = folder.resolve("vda.raw");
        Tool.run("mke2fs", "-q", "-t", "ext4", "-d", content.getParent().toString(), file.toString(), "64M").orFail();
        return file;
    }

    /** Mounts, compares all files and the device itself, unmounts. */
    private static void assertReads(String device) {
        assertEquals("1\n" + SIZE + "\n", guest.run("blockdev --getro " + device + "; blockdev --getsize64 " + device));
        guest.run("mount -t ext4 -o ro,noload " + device + " /mnt");
        String checked = guest.run("cd /mnt && sha256sum -c sums");
        assertEquals(SMALL_FILES + 1, checked.lines().filter(line -> line.endsWith(": OK")).count(), checked);
        guest.run("umount /mnt");
        String sum = guest.run("sha256sum " + device);
        assertEquals(ServedRepository.sha256(image), sum.substring(0, sum.indexOf(' ')));
        assertFalse(guest.run("dmesg").contains("I/O error, dev nbd"), "errors in the kernel's log");
    }

    @Test
    void nbdClientMountsAPoint() {
        String list = guest.run("nbd-client -l " + HOST + " " + served.port());
        assertTrue(list.contains("web/vda@"), list);
        guest.run(connect("/dev/nbd0", served.port(), "web/vda@latest") + " -readonly");
        assertReads("/dev/nbd0");
        guest.run("nbd-client -d /dev/nbd0");
    }

    @Test
    void fourConnectionsShareTheDisk() {
        guest.run(connect("/dev/nbd1", served.port(), "web/vda@latest") + " -readonly -C 4");
        assertEquals("4", guest.run("ss -tnH state established dport = :" + served.port() + " | wc -l").strip());
        guest.run("fio --name=r --filename=/dev/nbd1 --readonly --rw=randread --bs=4k --iodepth=16 --ioengine=libaio --direct=1"
                + " --numjobs=4 --io_size=8m");
        assertReads("/dev/nbd1");
        guest.run("nbd-client -d /dev/nbd1");
    }

    @Test
    void qemuNbdConnectsADevice() {
        guest.run("qemu-nbd --read-only --format=raw --connect=/dev/nbd2 nbd://" + HOST + ":" + served.port() + "/web/vda@latest");
        assertReads("/dev/nbd2");
        guest.run("qemu-nbd --disconnect /dev/nbd2");
    }

    @Test
    void aNameThatIsNotThereIsRefused() {
        GuestAnswer answer = guest.tryRun(connect("/dev/nbd3", served.port(), "mail/vda"));
        assertTrue(answer.exit() != 0, answer::text);
    }

    /** The guest makes a file system, fills it and goes; what is left on our side is whole. */
    @Test
    void theKernelWritesThroughAllConnections() throws IOException {
        MemoryDevice device = new MemoryDevice(SIZE);
        try (NbdServer server = NbdServer.start(ServerSettings.on(new NbdUri.Tcp("127.0.0.1", 0)), only("disk", device))) {
            int port = ((NbdUri.Tcp) server.addresses().getFirst()).port();
            guest.run(connect("/dev/nbd3", port, "disk") + " -C 4");
            guest.run("mkfs.ext4 -q -E nodiscard /dev/nbd3 && mount /dev/nbd3 /mnt");
            String sum = guest.run("head -c 9000001 /dev/urandom > /mnt/file; for i in $(seq 50); do echo $i > /mnt/$i; done;"
                    + " rm /mnt/7; fstrim /mnt; sha256sum < /mnt/file");
            guest.run("umount /mnt && nbd-client -d /dev/nbd3");
            Path left = folder.resolve("left.raw");
            ByteBuffer bytes = ByteBuffer.allocate(SIZE);
            device.read(0, bytes);
            try (FileChannel file = FileChannel.open(left, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                file.write(bytes.flip());
            }
            Tool.run("e2fsck", "-fn", left.toString()).orFail();
            assertEquals("50\n", Tool.run("sh", "-c", "debugfs -R 'cat 50' " + left + " 2>/dev/null").orFail().text());
            assertEquals(sum, Tool.run("sh", "-c", "debugfs -R 'cat file' " + left + " 2>/dev/null | sha256sum").orFail().text());
        }
    }

    private static String connect(String device, int port, String export) {
        return "nbd-client " + HOST + " " + port + " " + device + " -N " + export + " -timeout 30";
    }

    private static Exports only(String name, MemoryDevice device) {
        return new Exports() {
            @Override
            public Iterable<ExportSummary> list(Client client) {
                return List.of(new ExportSummary(name, ""));
            }

            @Override
            public boolean admits(Client client, String asked) {
                return asked.equals(name);
            }

            @Override
            public Optional<Export> open(String asked) {
                return Optional.of(new Export(device, ""));
            }
        };
    }
}
