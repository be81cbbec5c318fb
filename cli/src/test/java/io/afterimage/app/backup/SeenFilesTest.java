package io.afterimage.app.backup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.app.image.ImageLayer;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** When a file is taken for one that was read before. */
class SeenFilesTest {

    private static final DiskName DISK = new DiskName("disk");

    /** A file that nobody has written to for long enough to be known again. */
    private static final Path OLD = Path.of(System.getProperty("java.home"), "release");

    @TempDir
    private Path folder;

    private static final MachineName DEBIAN = new MachineName("debian");

    private static PointId point(char digit) {
        return new PointId(Character.toString(digit).repeat(32));
    }

    private static List<ImageLayer> layers(String format, Path file) throws IOException {
        return List.of(new ImageLayer(format, Optional.of(file), Files.size(file)));
    }

    @Test
    void aFileIsKnownAsTheDisksThatItWasFoundToBe() throws IOException {
        SeenFiles seen = new SeenFiles(folder.resolve("seen"));
        SeenFiles.Stamp stamp = SeenFiles.stamp(layers("raw", OLD)).orElseThrow();
        assertFalse(seen.contains(stamp, DEBIAN, point('a'), DISK));
        seen.add(stamp, DEBIAN, point('a'), DISK);
        seen.add(stamp, DEBIAN, point('b'), DISK);
        SeenFiles again = new SeenFiles(folder.resolve("seen"));
        assertTrue(again.contains(stamp, DEBIAN, point('a'), DISK) && again.contains(stamp, DEBIAN, point('b'), DISK));
        assertFalse(again.contains(stamp, DEBIAN, point('c'), DISK));
        assertFalse(again.contains(stamp, new MachineName("other"), point('a'), DISK));
        assertFalse(again.contains(stamp, DEBIAN, point('a'), new DiskName("vda")));
    }

    @Test
    void theSameBytesInAnotherFormatAreAnotherDisk() throws IOException {
        assertEquals(SeenFiles.stamp(layers("raw", OLD)), SeenFiles.stamp(layers("raw", OLD)));
        assertFalse(SeenFiles.stamp(layers("raw", OLD)).equals(SeenFiles.stamp(layers("qcow2", OLD))));
    }

    @Test
    void whatWasJustWrittenOrIsNoFileProvesNothing() throws IOException {
        Path young = Files.write(folder.resolve("young"), new byte[512]);
        assertEquals(Optional.empty(), SeenFiles.stamp(layers("raw", young)));
        assertEquals(Optional.empty(), SeenFiles.stamp(List.of(new ImageLayer("raw", Optional.empty(), 512))));
        assertEquals(Optional.empty(), SeenFiles.stamp(List.of(new ImageLayer("raw", Optional.of(folder), 512))));
    }
}
