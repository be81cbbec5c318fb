package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Mounts;
import io.afterimage.lab.Tool;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A disk with ext4, XFS and Btrfs in three partitions, backed up and mounted: everything that the kernel and its tools read is as it was. */
class MountedFilesIT {

    private static final int FILES = 150;
    private static final int READERS = 32;
    private static final int CHUNK = 64 * 1024;
    private static final long SECONDS = Long.getLong("afterimage.fuzz.seconds", 4);

    @TempDir
    private static Path folder;

    private static Mounts mounts;
    private static Path disk;
    private static Path sums;
    private static MountedProgram mounted;
    private static Path point;

    @BeforeAll
    static void backUp() throws IOException {
        mounts = new Mounts(folder);
        Path content = content();
        disk = folder.resolve("disk.raw");
        Tool.run("truncate", "--size=560M", disk.toString()).orFail();
        shell("printf 'label: gpt\\n,64M\\n,320M\\n,128M\\n' | sfdisk -q " + disk);
        Path ext4 = folder.resolve("ext4.img");
        Tool.run("mke2fs", "-q", "-t", "ext4", "-d", content.toString(), ext4.toString(), "64M").orFail();
        Path xfs = folder.resolve("xfs.img");
        shell("truncate --size=320M " + xfs + " && mkfs.xfs -q " + xfs);
        shell("cp -a " + content + "/. " + mounts.loop(xfs, "fill", "rw"));
        Tool.run("umount", folder.resolve("fill").toString()).orFail();
        Path btrfs = folder.resolve("btrfs.img");
        shell("truncate --size=128M " + btrfs + " && mkfs.btrfs -q --rootdir " + content + " " + btrfs);
        int mib = 1;
        for (Path image : List.of(ext4, xfs, btrfs)) {
            Tool.run("dd", "if=" + image, "of=" + disk, "bs=1M", "seek=" + mib, "conv=sparse,notrunc").orFail();
            mib += (int) (Files.size(image) >> 20);
        }
        Program afterimage = new Program(folder);
        afterimage.run("init").orFail();
        afterimage.run("backup", "web", "--image", "vda=" + disk).orFail();
        Path at = Files.createDirectory(folder.resolve("past"));
        mounted = MountedProgram.mount(afterimage, at);
        point = at.resolve("web/latest");
    }

    @AfterAll
    static void unmount() {
        mounts.close();
    }

    private static String shell(String line) {
        return Tool.run("sh", "-c", line).orFail().text();
    }

    private static Path content() throws IOException {
        Random random = new Random(1);
        Path content = Files.createDirectory(folder.resolve("content"));
        for (int number = 0; number < FILES; number++) {
            byte[] bytes = new byte[random.nextInt(1 << random.nextInt(19))];
            random.nextBytes(bytes);
            Path below = Files.createDirectories(content.resolve("folder " + number % 7 + "/" + number % 3));
            Files.write(below.resolve("file " + number), bytes);
        }
        Files.createSymbolicLink(content.resolve("link"), Path.of("folder 1"));
        sums = folder.resolve("sums");
        shell("cd '" + content + "' && find . -type f -exec sha256sum {} + > " + sums);
        return content;
    }

    private void assertSameFiles(Path root) {
        String checked = shell("cd '" + root + "' && sha256sum --check --quiet --strict " + sums + " && find . -type f | wc -l && readlink link");
        assertEquals(FILES + "\nfolder 1\n", checked);
    }

    @Test
    void ext4ByALoopMount() throws IOException {
        Tool.run("e2fsck", "-fn", point.resolve("vda.p1").toString()).orFail();
        assertSameFiles(mounts.loop(point.resolve("vda.p1"), "ext4", "ro,noload"));
    }

    @Test
    void xfsByALoopMount() throws IOException {
        Tool.run("xfs_repair", "-n", "-f", point.resolve("vda.p2").toString()).orFail();
        assertSameFiles(mounts.loop(point.resolve("vda.p2"), "xfs", "ro,norecovery"));
    }

    @Test
    void btrfsByALoopMount() throws IOException {
        Tool.run("btrfs", "check", "--readonly", point.resolve("vda.p3").toString()).orFail();
        assertSameFiles(mounts.loop(point.resolve("vda.p3"), "btrfs", "ro"));
    }

    @Test
    void manyReadersAtOnceFindTheDisksBytes() throws Exception {
        try (RandomReaders readers = new RandomReaders(READERS, point.resolve("vda.raw"), disk, Files.size(disk), false)) {
            readers.awaitBegin();
            TimeUnit.SECONDS.sleep(SECONDS);
            readers.stop();
            assertEquals(Collections.nCopies(READERS, null), readers.results());
            assertTrue(readers.reads() >= READERS);
        }
        Tool.run("cmp", disk.toString(), point.resolve("vda.raw").toString()).orFail();
    }

    @Test
    void aDiskTakesTheChunksThatAreNotZeros() throws IOException {
        long chunks = 0;
        byte[] zeros = new byte[CHUNK];
        try (InputStream image = Files.newInputStream(disk)) {
            for (byte[] chunk = image.readNBytes(CHUNK); chunk.length > 0; chunk = image.readNBytes(CHUNK)) {
                chunks += Arrays.equals(chunk, zeros) ? 0 : 1;
            }
        }
        assertEquals(chunks * CHUNK / 512 + "\n", shell("stat -L -c %b " + point.resolve("vda.raw")));
    }

    @Test
    void nothingCanBeChanged() {
        for (String line : List.of("touch " + point + "/new", "rm " + point + "/vda.raw", "sh -c 'echo > " + point + "/vda.raw'", "mkdir " + mounted.folder() + "/db")) {
            assertTrue(Tool.run("sh", "-c", line).text().contains("Read-only file system"), line);
        }
    }
}
