package io.afterimage.capture.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** When a bitmap may be believed. */
class ChangesTest {

    private static final String BASE = "b".repeat(32);
    private static final Checkpoint NEW = new Checkpoint("0a1b2c3d", "a".repeat(32));
    private static final String NAME = NEW.at(BASE).on("data").name();

    private static Changes.Source find(long sizeThen, DirtyBitmap... bitmaps) {
        var disk = new QemuDisk("data", "", "dev-data", "data", "data", "qcow2", "/data.qcow2", 1 << 20, true, List.of(bitmaps), List.of());
        return Changes.find(disk, Optional.of(new CutPlan.Base(BASE, "data", sizeThen)), NEW);
    }

    private static DirtyBitmap bitmap(String name, boolean recording, boolean inconsistent, boolean busy) {
        return new DirtyBitmap(name, recording, true, inconsistent, busy, 65_536, 0);
    }

    @Test
    void aRecordingBitmapOfTheBaseIsUsed() {
        Changes.Source source = find(1 << 20, bitmap("other", true, false, false), bitmap(NAME, true, false, false));
        assertTrue(source.isRecorded());
        assertEquals(NAME, source.bitmap());
    }

    @Test
    void everyDoubtHasItsReason() {
        assertReason("no checkpoint of point " + BASE, find(1 << 20, bitmap(NEW.on("data").name(), true, false, false)));
        assertReason("inconsistent", find(1 << 20, bitmap(NAME, false, true, false)));
        assertReason("resized from 524288 to 1048576", find(1 << 19, bitmap(NAME, true, false, false)));
        assertReason("disabled", find(1 << 20, bitmap(NAME, false, false, false)));
        assertReason("in use", find(1 << 20, bitmap(NAME, true, false, true)));
    }

    /** Its name does not say which disk it is of: the image must be the one that libvirt had the disk in. */
    @Test
    void aBitmapOfLibvirtsIsUsedOnItsImageOnly() {
        var disk = new QemuDisk("data", "", "dev-data", "data", "data", "qcow2", "/data.qcow2", 1 << 20, true,
                List.of(bitmap(NEW.at(BASE).byLibvirt().name(), true, false, false)), List.of());
        for (String image : List.of("/data.qcow2", "/logs.qcow2")) {
            var base = new CutPlan.Base(BASE, "data", 1 << 20, 0, Optional.of(image));
            assertEquals(image.equals(disk.file()), Changes.find(disk, Optional.of(base), NEW).isRecorded());
        }
        assertReason("no checkpoint", Changes.find(disk, Optional.of(new CutPlan.Base(BASE, "data", 1 << 20)), NEW));
    }

    @Test
    void ofNamesakesTheOneOnTheLowestImageTellsAll() {
        var below = new QemuDisk.Backing("qcow2", "/data.qcow2", "below", 1 << 20, List.of(bitmap(NAME, true, false, false)));
        var disk = new QemuDisk("data", "", "dev-data", "over", "over", "qcow2", "/over.qcow2", 1 << 20, true,
                List.of(bitmap(NAME, true, false, false)), List.of(below));
        Changes.Source source = Changes.find(disk, Optional.of(new CutPlan.Base(BASE, "data", 1 << 20)), NEW);
        assertEquals(new Changes.Source("below", NAME, 1, ""), source);
    }

    private static void assertReason(String part, Changes.Source source) {
        assertFalse(source.isRecorded());
        assertTrue(source.reason().contains(part), source.reason());
    }
}
