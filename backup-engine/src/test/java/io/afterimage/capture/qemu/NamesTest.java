package io.afterimage.capture.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What Afterimage calls its things in QEMU, and what it does not take for its own. */
class NamesTest {

    private static final String POINT = "0123456789abcdef0123456789abcdef";

    @Test
    void aCheckpointIsFoundAgainByItsBitmap() {
        var checkpoint = new Checkpoint("0a1b2c3d", POINT);
        assertEquals("afterimage-0a1b2c3d-" + POINT, checkpoint.name());
        assertEquals(Optional.of(checkpoint), Checkpoint.parse(checkpoint.name()));
        for (CheckpointBitmap bitmap : List.of(checkpoint.byLibvirt(), checkpoint.on("data"), checkpoint.on("v.d-a_1"))) {
            assertEquals(Optional.of(bitmap), CheckpointBitmap.parse(bitmap.name()));
        }
        assertEquals(checkpoint.name(), checkpoint.byLibvirt().name());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "cp1", "afterimage", "afterimage-0a1b2c3d-", "afterimage-0a1b2c3d-0123", "afterimage-changes",
        "xafterimage-0a1b2c3d-0123456789abcdef0123456789abcdef", "afterimage-0A1B2C3D-0123456789abcdef0123456789abcdef"})
    void otherBitmapsAreForeign(String name) {
        assertEquals(Optional.empty(), Checkpoint.parse(name));
        assertEquals(Optional.empty(), CheckpointBitmap.parse(name));
        assertEquals(Optional.empty(), CheckpointBitmap.parse(name + "-x/y"));
    }

    @Test
    void aCheckpointChecksItsParts() {
        assertThrows(IllegalArgumentException.class, () -> new Checkpoint("0a1b2c3", POINT));
        assertThrows(IllegalArgumentException.class, () -> new Checkpoint("0a1b2c3d", POINT.substring(1)));
        assertThrows(IllegalArgumentException.class, () -> new Checkpoint("0a1b2c3d", POINT + "\n"));
    }

    @Test
    void aNodeNameFitsIntoQemusThirtyOneCharacters() {
        CutNames names = CutNames.of(POINT);
        for (String name : List.of(names.view(999), names.file(999), names.filter(999))) {
            assertTrue(name.length() <= 31, name);
        }
    }

    @Test
    void everyNameOfACutTellsTheCut() {
        CutNames names = CutNames.of(POINT);
        for (String name : List.of(
                names.view(0), names.file(1), names.filter(2), names.backupJob(3), names.createJob(4), names.export(5))) {
            assertTrue(names.own(name), name);
            assertFalse(CutNames.of("f".repeat(32)).own(name), name);
        }
        assertFalse(names.own("afterimage-0123456789ab"));
        assertFalse(names.own(new Checkpoint("0a1b2c3d", POINT).name()));
    }

    @ParameterizedTest
    @CsvSource({"vda,vda", "drive-virtio-disk0,drive-virtio-disk0", "device[0],device-0", "-x,x", "a b/c,a-b-c", "#block12,block12",
        "...,disk", "[],disk", "libvirt-1-format,libvirt-1-format"})
    void aDiskNameIsMadeOfHarmlessCharacters(String given, String name) {
        assertEquals(name, BlockDevices.sanitize(given));
    }
}
