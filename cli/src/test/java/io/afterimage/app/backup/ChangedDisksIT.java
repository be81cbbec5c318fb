package io.afterimage.app.backup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointDisk;
import io.afterimage.catalog.PointDisk.Change;
import io.afterimage.catalog.PointKind;
import io.afterimage.lab.Tool;
import io.afterimage.manifest.DiskName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What becomes of a machine's disks and bitmaps between two backups. Each point is compared with the images; a disk whose bitmap cannot be
 * trusted is read whole inside the chain, what it has in common with it is not stored again, and the point says why.
 */
class ChangedDisksIT {

    private static final int CHUNK = 64 << 10;

    /** No multiple of a chunk. */
    private static final long SIZE = (2 << 20) + 512;

    @TempDir
    private Path folder;

    private StillMachine machine;

    @BeforeEach
    void start() throws IOException {
        machine = new StillMachine(folder);
        machine.disk("data", machine.image("data.qcow2", "qcow2", SIZE), "qcow2");
        machine.disk("logs", machine.image("logs.qcow2", "qcow2", SIZE), "qcow2");
        machine.start();
        assertEquals(PointKind.FULL, machine.backUp().kind());
    }

    @AfterEach
    void end() throws IOException {
        machine.close();
    }

    @Test
    void aDiskThatIsTakenOutComesBack() throws IOException {
        StillMachine.Disk logs = machine.disk("logs");
        machine.quit();
        machine.remove("logs");
        machine.start().io("data", "write -P 1 0 64k");
        assertBitmap(backUp(1), "data");
        machine.quit();
        Tool.run("qemu-io", "-f", "qcow2", "-c", "write -P 2 1M 64k", logs.file().toString()).orFail();
        machine.disk("logs", logs).start().io("data", "write -P 3 64k 64k");
        Point point = backUp(2);
        assertBitmap(point, "data");
        assertWhole("the point it builds on does not have it", point, "logs");
        assertEverythingByBitmap();
    }

    @Test
    void aRenamedDiskIsTheSameAsLongAsItsDeviceOrItsNodeIs() throws IOException {
        Path file = machine.disk("data").file();
        machine.quit();
        machine.disk("data", new StillMachine.Disk(file, "qcow2", "dev-data", "other-node")).start().io("data", "write -P 1 0 64k");
        assertBitmap(backUp(1), "data");
        machine.quit();
        machine.disk("data", new StillMachine.Disk(file, "qcow2", "other-device", "data")).start().io("data", "write -P 2 0 64k");
        assertBitmap(backUp(1), "data");

        // Neither: it is another disk, for all that can be known, and its old bitmap is of no use to anybody.
        machine.quit();
        machine.remove("data");
        machine.remove("logs");
        machine.disk("store", file, "qcow2").disk("logs", folder.resolve("logs.qcow2"), "qcow2").start().io("store", "write -P 3 64k 64k");
        Point point = backUp(1);
        assertWhole("the point it builds on does not have it", point, "store");
        assertBitmap(point, "logs");
        assertTrue(machine.bitmap("store").endsWith(point.id().hex() + "-store"), machine.bitmap("store"));
        assertEverythingByBitmap();
    }

    @Test
    void theFormatChangesUnderTheSameName() throws IOException {
        machine.quit();
        Path raw = machine.converted(machine.disk("data").file(), "qcow2", "data.raw", "raw");
        machine.disk("data", raw, "raw").start().io("data", "write -P 1 0 64k");
        assertWhole("no checkpoint", backUp(1), "data");
        machine.io("data", "write -P 2 0 64k");
        assertBitmap(backUp(1), "data");
        // A raw image does not keep its bitmap.
        machine.quit();
        machine.start();
        assertWhole("no checkpoint", backUp(0), "data");

        machine.quit();
        Path qcow2 = machine.converted(raw, "raw", "again.qcow2", "qcow2");
        machine.disk("data", qcow2, "qcow2").start().io("data", "write -P 3 0 64k");
        assertWhole("no checkpoint", backUp(1), "data");
        assertEverythingByBitmap();
    }

    @Test
    void aDiskGrowsAndShrinks() throws IOException {
        machine.execute("block_resize", "{\"node-name\":\"data\",\"size\":" + (SIZE + CHUNK) + "}");
        machine.io("data", "write -P 1 " + SIZE + " 32k");
        Point grown = backUp(2);
        assertWhole("it was resized from " + SIZE + " to " + (SIZE + CHUNK), grown, "data");
        assertBitmap(grown, "logs");
        machine.quit();
        Tool.run("qemu-img", "resize", "-q", "--shrink", "-f", "qcow2", machine.disk("data").file().toString(), "" + (1 << 20)).orFail();
        machine.start();
        assertWhole("it was resized from " + (SIZE + CHUNK) + " to " + (1 << 20), backUp(0), "data");
        assertEverythingByBitmap();
    }

    /** QEMU's bitmap then knows nothing of the zeros where data were. */
    @Test
    void aDiskIsMadeSmallerAndGrowsBackToItsSize() throws IOException {
        machine.io("data", "write -P 1 0 2M");
        assertBitmap(backUp(1), "data");
        for (long size : new long[] {1 << 20, SIZE}) {
            machine.execute("block_resize", "{\"node-name\":\"data\",\"size\":" + size + "}");
        }
        machine.io("data", "write -P 2 1536k 64k");
        Point point = backUp(2);
        assertWhole("it differs at byte ", point, "data");
        assertBitmap(point, "logs");
        machine.quit();
        for (long size : new long[] {1 << 20, SIZE}) {
            Tool.run("qemu-img", "resize", "-q", "--shrink", "-f", "qcow2", machine.disk("data").file().toString(), "" + size).orFail();
        }
        machine.start();
        assertWhole("it differs at byte ", backUp(1), "data");
        assertEverythingByBitmap();
    }

    /** Both images have the bitmap of the newest point, each for the other's content. */
    @Test
    void twoDisksChangePlaces() throws IOException {
        StillMachine.Disk data = machine.disk("data");
        StillMachine.Disk logs = machine.disk("logs");
        machine.quit();
        machine.disk("data", logs.file(), "qcow2").disk("logs", data.file(), "qcow2").start();
        Point swapped = backUp(0);
        assertWhole("no checkpoint", swapped, "data");
        assertWhole("no checkpoint", swapped, "logs");
        assertEverythingByBitmap();

        // And by their files' names.
        machine.quit();
        Path aside = folder.resolve("aside");
        Files.move(logs.file(), aside);
        Files.move(data.file(), logs.file());
        Files.move(aside, data.file());
        machine.start();
        assertWhole("no checkpoint", backUp(0), "data");
        assertEverythingByBitmap();
    }

    @Test
    void theBitmapIsInACopyAndInAnotherDisksImageToo() throws IOException {
        Point first = backUp(0);
        machine.quit();
        Path copy = folder.resolve("copy.qcow2");
        Files.copy(machine.disk("data").file(), copy);
        machine.disk("copy", copy, "qcow2").start();
        machine.io("data", "write -P 1 0 64k");
        machine.io("copy", "write -P 2 64k 64k");
        Point point = backUp(2);
        assertBitmap(point, "data");
        assertBitmap(point, "logs");
        assertWhole("the point it builds on does not have it", point, "copy");
        assertEverythingByBitmap();

        // An image that was restored as one disk becomes another.
        machine.quit();
        Path restored = folder.resolve("restored.qcow2");
        machine.restore(point, "data", restored);
        machine.disk("logs", restored, "qcow2").start();
        assertWhole("no checkpoint", backUp(0), "logs");
        machine.quit();
        machine.restore(first, "data", restored);
        machine.disk("data", restored, "qcow2");
        machine.remove("logs");
        machine.remove("copy");
        machine.start().io("data", "write -P 5 64k 64k");
        Point reverted = backUp(1);
        assertBitmap(reverted, "data");
        assertEquals(first.id(), reverted.parent().orElseThrow());
    }

    /** As libvirt does: each bitmap has a namesake on the overlay, which counts from the snapshot on. */
    @Test
    void aSnapshotHasBitmapsOfTheSameNames() throws IOException {
        machine.io("data", "write -P 1 0 64k");
        String bitmap = machine.bitmap("data");
        Path overlay = folder.resolve("overlay.qcow2");
        Tool.run("qemu-img", "create", "-q", "-f", "qcow2", "-b", machine.disk("data").file().toString(), "-F", "qcow2", overlay.toString()).orFail();
        machine.execute("blockdev-add", "{\"driver\":\"qcow2\",\"node-name\":\"overlay\",\"discard\":\"unmap\",\"backing\":null,"
                + "\"file\":{\"driver\":\"file\",\"filename\":\"" + overlay + "\",\"discard\":\"unmap\"}}");
        machine.execute("transaction", "{\"actions\":["
                + "{\"type\":\"block-dirty-bitmap-add\",\"data\":{\"node\":\"overlay\",\"name\":\"" + bitmap + "\",\"persistent\":true}},"
                + "{\"type\":\"blockdev-snapshot\",\"data\":{\"node\":\"data\",\"overlay\":\"overlay\"}}]}");
        machine.disk("data", new StillMachine.Disk(overlay, "qcow2", "dev-data", "overlay"));
        machine.io("data", "write -P 2 128k 64k");
        Point point = backUp(2);
        assertBitmap(point, "data");
        assertEquals(2 * CHUNK, disk(point, "data").bytes().read());
        assertEverythingByBitmap();
    }

    @Test
    void foreignBitmapsWithNamesLikeOursAreNotMinded() throws IOException {
        String ours = machine.bitmap("data");
        String otherRepository = (ours.contains("-0") ? "afterimage-ffffffff" : "afterimage-00000000") + ours.substring(ours.indexOf('-', 11));
        var foreign = new TreeSet<>(List.of("afterimage", "afterimage-data", ours + "/x", otherRepository, "libvirt-1"));
        foreign.forEach(name -> machine.execute("block-dirty-bitmap-add", "{\"node\":\"data\",\"name\":\"" + name + "\"}"));
        machine.io("data", "write -P 1 0 64k");
        Point point = backUp(1);
        assertBitmap(point, "data");
        foreign.add(ours.replaceAll("-[0-9a-f]{32}-", "-" + point.id().hex() + "-"));
        assertEquals(foreign, machine.bitmaps("data"));
    }

    @Test
    void aBitmapIsLost() throws IOException {
        machine.execute("block-dirty-bitmap-remove", "{\"node\":\"data\",\"name\":\"" + machine.bitmap("data") + "\"}");
        machine.io("data", "write -P 1 0 64k");
        Point point = backUp(1);
        assertWhole("no checkpoint", point, "data");
        assertBitmap(point, "logs");
        assertEverythingByBitmap();
    }

    @Test
    void qemuIsKilled() throws IOException {
        // These bitmaps are in the file, and in use: the crash makes them inconsistent.
        machine.quit();
        machine.start().io("data", "write -P 1 0 64k");
        machine.io("data", "flush");
        machine.kill();
        machine.start();
        Point inconsistent = backUp(1);
        assertWhole("inconsistent", inconsistent, "data");
        assertWhole("inconsistent", inconsistent, "logs");
        // These never were: the crash has them lost.
        machine.io("data", "write -P 2 0 64k");
        machine.io("data", "flush");
        machine.kill();
        machine.start();
        assertWhole("no checkpoint", backUp(1), "data");
        assertEverythingByBitmap();
    }

    /** As a snapshot of the host's storage does: the bitmap in the copy is of an earlier point than the other disk's. */
    @Test
    void theImageIsPutBackToAnOlderCopy() throws IOException {
        machine.quit();
        Path file = machine.disk("data").file();
        Files.copy(file, folder.resolve("older"));
        machine.start().io("data", "write -P 1 0 64k");
        assertBitmap(backUp(1), "data");
        machine.quit();
        Files.copy(folder.resolve("older"), file, StandardCopyOption.REPLACE_EXISTING);
        machine.start().io("data", "write -P 2 64k 64k");
        Point point = backUp(1);
        assertWhole("no checkpoint", point, "data");
        assertBitmap(point, "logs");
        assertEverythingByBitmap();
    }

    /** @param differences how many chunks may be stored at most; of one byte each, or zeros, they compress well */
    private Point backUp(int differences) throws IOException {
        Point point = machine.backUp();
        assertEquals(PointKind.INCREMENTAL, point.kind());
        assertTrue(point.bytes().stored() <= differences * (long) CHUNK + 4096, point::toString);
        return point;
    }

    private void assertEverythingByBitmap() throws IOException {
        Point point = backUp(0);
        point.disks().forEach(disk -> assertEquals(Change.BITMAP, disk.change(), point::toString));
        assertEquals(0, point.bytes().read(), point::toString);
    }

    private static void assertBitmap(Point point, String disk) {
        assertEquals(Change.BITMAP, disk(point, disk).change(), point::toString);
    }

    private static void assertWhole(String reason, Point point, String disk) {
        assertEquals(Change.WHOLE, disk(point, disk).change(), point::toString);
        assertTrue(disk(point, disk).reason().orElse("").contains(reason), point::toString);
    }

    private static PointDisk disk(Point point, String disk) {
        return point.disk(new DiskName(disk)).orElseThrow();
    }
}
