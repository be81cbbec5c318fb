package io.afterimage.capture.libvirt;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the format asks of an image; that QEMU takes it is shown by every backup of a domain. */
final class ScratchImageTest {

    private static final int CLUSTER = 65536;

    @ParameterizedTest
    @CsvSource({
        "512, 1, 4",
        "536870912, 1, 4",
        "536870913, 2, 4",
        "4398046511104, 8192, 4", // 4 TiB: a table of the first level that fills its cluster
        "4398046511105, 8193, 5",
        "1125899906842624, 2097152, 259",
    })
    void theTableOfTheFirstLevelReachesToTheEnd(long size, int entries, int clusters) {
        ScratchImage image = new ScratchImage(size);
        ByteBuffer head = image.head();
        assertEquals((long) clusters * CLUSTER, image.length());
        assertEquals(entries, head.getInt(36));
        assertEquals(3 * CLUSTER, head.getLong(40));
        for (int i = 0; i <= clusters; i++) {
            assertEquals(i < clusters ? 1 : 0, head.getShort(2 * CLUSTER + 2 * i), "references to cluster " + i);
        }
    }

    @Test
    void aDiskOfPartOfASectorHasAllOfIt() {
        assertEquals(1024, new ScratchImage(513).head().getLong(24));
        assertEquals(1024, new ScratchImage(1024).head().getLong(24));
    }
}
