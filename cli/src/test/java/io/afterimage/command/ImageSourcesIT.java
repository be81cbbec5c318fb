package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Deadline;
import io.afterimage.lab.Tool;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Whatever a disk is read from, and whatever it is restored to, the bytes are the same. */
class ImageSourcesIT {

    private static final String SIZE = "5000192";

    @TempDir
    Path folder;

    private Program afterimage;
    private Path raw;

    @BeforeEach
    void makeDisk() {
        afterimage = new Program(folder);
        afterimage.run("init").orFail();
        raw = afterimage.image("disk.raw", Long.parseLong(SIZE), "the first bytes".getBytes(StandardCharsets.UTF_8));
        Tool.run("dd", "if=/dev/urandom", "of=" + raw, "bs=64k", "seek=5", "count=20", "conv=notrunc").orFail();
    }

    @Test
    void aRawFile() {
        assertComesBack(raw.toString());
    }

    @Test
    void aQcow2File() {
        Path qcow2 = folder.resolve("disk.qcow2");
        Tool.run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw.toString(), qcow2.toString()).orFail();
        assertComesBack(qcow2.toString());
    }

    @Test
    void aBlockDevice() {
        String device = Tool.run("losetup", "--show", "--read-only", "-f", raw.toString()).orFail().text().strip();
        try {
            assertComesBack(device);
        } finally {
            Tool.run("losetup", "-d", device).orFail();
        }
    }

    @Test
    void aBlockDeviceAsTarget() {
        afterimage.run("backup", "web", "--image", "vda=" + raw).orFail();
        Path target = folder.resolve("target.raw");
        Tool.run("dd", "if=/dev/urandom", "of=" + target, "bs=" + SIZE, "count=1").orFail();
        String device = Tool.run("losetup", "--show", "-f", target.toString()).orFail().text().strip();
        try {
            afterimage.run("restore", "web", "--to", device).orFail();
        } finally {
            Tool.run("losetup", "-d", device).orFail();
        }
        Tool.run("cmp", raw.toString(), target.toString()).orFail();
    }

    @Test
    void aFileThatNobodyHasWrittenToIsNotReadAgain() {
        rest();
        assertEquals("whole", backUp().path("change").asString());
        for (int i = 0; i < 2; i++) {
            JsonNode again = backUp();
            assertEquals("bitmap", again.path("change").asString(), again.toString());
            assertEquals(0, again.path("bytes").path("read").asLong(-1), again.toString());
        }
        Tool.run("dd", "if=/dev/urandom", "of=" + raw, "bs=4k", "seek=9", "count=1", "conv=notrunc").orFail();
        assertEquals("whole", backUp().path("change").asString());
        // What was just written to proves nothing, and may have to be read once more.
        rest();
        backUp();
        assertEquals("bitmap", backUp().path("change").asString());
        // A whole reading of what is said not to have changed finds nothing, and what the last points show is the file.
        backUp("--check-unchanged", "100%");
        Path restored = folder.resolve("restored.raw");
        afterimage.run("restore", "web", "--to", restored.toString()).orFail();
        Tool.run("cmp", raw.toString(), restored.toString()).orFail();
    }

    @Test
    void allDisksOfAMachineAreRestoredTogether() {
        Path more = afterimage.image("more.raw", 1 << 20, "more bytes".getBytes(StandardCharsets.UTF_8));
        afterimage.run("backup", "web", "--image", "vda=" + raw, "--image", "vdb=" + more).orFail();
        Path to = folder.resolve("all/of/it");
        afterimage.run("restore", "web", "--to-folder", to.toString()).orFail();
        Tool.run("cmp", raw.toString(), to.resolve("vda.raw").toString()).orFail();
        Tool.run("cmp", more.toString(), to.resolve("vdb.raw").toString()).orFail();
        assertEquals(ExitCode.TARGET.number(), afterimage.run("restore", "web", "--to-folder", to.toString()).exit());
        assertEquals(ExitCode.USAGE.number(), afterimage.run("restore", "web", "--to-folder", to.toString(), "--to", "x.raw").exit());
        afterimage.run("restore", "web/vdb", "--to-folder", to.toString(), "--force").orFail();
    }

    /** What was read would be no state that the disk ever had. */
    @Test
    void aRawFileThatIsWrittenToMeanwhileMakesNoPoint() throws InterruptedException {
        Tool.run("truncate", "-s", "64M", raw.toString()).orFail();
        Process writer = Tool.start(
                List.of("sh", "-c", "while sleep 0.01; do dd if=/dev/urandom of=\"$0\" bs=4k seek=7 count=1 conv=notrunc; done", raw.toString()),
                folder.resolve("writer.log"));
        try {
            Program.Result refused = afterimage.run("backup", "web", "--image", "vda=" + raw);
            assertEquals(ExitCode.SOURCE.number(), refused.exit(), refused.err());
            assertTrue(refused.err().contains(raw + " was written to while it was read: "), refused.err());
        } finally {
            writer.destroy();
            writer.waitFor();
        }
        assertEquals(0, afterimage.run("list", "--json").json().size());
        assertComesBack(raw.toString(), 64 << 20);
    }

    /** Its times tell nothing of what is written to the other file. */
    @Test
    void aQcow2FileWhoseDataLieInAnotherIsReadEachTime() {
        Path image = folder.resolve("split.qcow2");
        Path data = folder.resolve("split.data");
        Tool.run("qemu-img", "create", "-q", "-f", "qcow2", "-o", "data_file=" + data + ",data_file_raw=on", image.toString(), SIZE).orFail();
        Tool.run("qemu-img", "convert", "-n", "-f", "raw", "-O", "qcow2", raw.toString(), image.toString()).orFail();
        raw = data;
        rest();
        assertEquals("whole", backUpFrom(image).path("change").asString());
        Tool.run("qemu-io", "-f", "qcow2", "-c", "write -P 7 64k 64k", image.toString()).orFail();
        raw = folder.resolve("reference.raw");
        Tool.run("qemu-img", "convert", "-f", "qcow2", "-O", "raw", image.toString(), raw.toString()).orFail();
        assertComesBack(image.toString());
    }

    private JsonNode backUp(String... more) {
        return backUpFrom(raw, more);
    }

    private JsonNode backUpFrom(Path image, String... more) {
        List<String> words = new ArrayList<>(List.of("backup", "web", "--image", "vda=" + image, "--json"));
        words.addAll(List.of(more));
        return afterimage.run(words.toArray(String[]::new)).json().path("disks").path(0);
    }

    /** Until the file's last write is so far back that another one would show in its times. */
    private void rest() {
        Deadline.in(Duration.ofMinutes(1)).await(() -> raw.toFile().lastModified() < System.currentTimeMillis() - 3000, () -> "still young");
    }

    private void assertComesBack(String source) {
        assertComesBack(source, Long.parseLong(SIZE));
    }

    private void assertComesBack(String source, long size) {
        afterimage.run("backup", "web", "--image", "vda=" + source).orFail();
        Path restored = folder.resolve("restored.raw");
        afterimage.run("restore", "web", "--to", restored.toString()).orFail();
        Tool.run("cmp", raw.toString(), restored.toString()).orFail();
        assertEquals(Long.toString(size), Tool.run("stat", "-c", "%s", restored.toString()).orFail().text().strip());
    }
}
