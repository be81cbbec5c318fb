package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.afterimage.lab.Tool;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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

    private void assertComesBack(String source) {
        afterimage.run("backup", "web", "--image", "vda=" + source).orFail();
        Path restored = folder.resolve("restored.raw");
        afterimage.run("restore", "web", "--to", restored.toString()).orFail();
        Tool.run("cmp", raw.toString(), restored.toString()).orFail();
        assertEquals(SIZE, Tool.run("stat", "-c", "%s", restored.toString()).orFail().text().strip());
    }
}
