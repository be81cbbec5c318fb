package io.afterimage.app.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.app.TargetException;
import io.afterimage.app.backup.BackUpImages;
import io.afterimage.assembly.Assembly;
import io.afterimage.capture.Progress;
import io.afterimage.catalog.Point;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.files.ExtractionReport;
import io.afterimage.files.UnreadableFileException;
import io.afterimage.guestfs.GuestException;
import io.afterimage.guestfs.Volume;
import io.afterimage.image.ImageLibrary;
import io.afterimage.index.ChunkIndex;
import io.afterimage.lab.Lab;
import io.afterimage.lab.Tool;
import io.afterimage.manifest.MachineName;
import io.afterimage.repository.Repository;
import io.afterimage.settings.Accelerator;
import io.afterimage.settings.ImageSource;
import io.afterimage.settings.RepositoryLocation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What comes out of every kind of file system is what went in, by an appliance that has three disks of one point. */
class GuestFilesIT {

    /** Everything that a file has, but for the sizes of folders, which are their file system's own affair. */
    private static final String DESCRIBE = """
            cd "$1" && find . -mindepth 1 -name lost+found -prune -o -mindepth 1 \\( -type d -printf '%P|d|%m|%U|%G|%T@\\0' -o \
            -printf '%P|%y|%m|%U|%G|%T@|%s|%n|%l\\0' \\) | sort -z | tr '\\0' '\\n'
            find . -name lost+found -prune -o -type f -size -100M -print0 | sort -z | xargs -0 sha256sum
            find . -mindepth 1 -name lost+found -prune -o -mindepth 1 -print0 | sort -z | xargs -0 getfattr --no-dereference --dump --match=- 2>/dev/null
            cmp special/sparse "$2/special/sparse" && stat -c 'node %t %T' special/null
            """;

    @TempDir
    static Path folder;

    private static Path known;
    private static Repository repository;
    private static ImageLibrary images;
    private static GuestFiles guest;

    @BeforeAll
    static void backUp() throws IOException {
        known = Lab.fileSystems();
        Assembly assembly = new Assembly(Map.of("AFTERIMAGE_CACHE", folder.resolve("cache").toString()));
        repository = assembly.create(
                RepositoryLocation.parse(folder.resolve("repository").toString()), ChunkSize.DEFAULT, Optional.empty());
        List<ImageSource> disks =
                Stream.of("vda", "vdb", "vdc").map(disk -> ImageSource.parse(disk + "=" + known.resolve(disk + ".raw"))).toList();
        Point point;
        try (ChunkIndex index = assembly.index(repository)) {
            point = assembly.backUpImages(repository, index)
                    .run(new BackUpImages.Request(new MachineName("web"), disks, Optional.empty()), Progress.NONE);
        }
        images = assembly.images(repository);
        guest = GuestFiles.open(repository.catalog(), images, point, Optional.empty(),
                new GuestFiles.Settings(Accelerator.of(System.getenv()), Duration.ofMinutes(5)));
    }

    @AfterAll
    static void close() throws IOException {
        if (guest != null) {
            guest.close();
        }
        images.close();
        repository.close();
    }

    @Test
    void allVolumesAreFound() throws IOException {
        assertEquals(
                List.of("vda.p1 ext4 root", "vda.p2 xfs srv", "vda.p3 vfat EFI", "vda.p4 ntfs windows", "vda.p5 btrfs home",
                        "vdb LVM2_member ", "vdc LVM2_member ", "data/spread ext4 spread"),
                guest.volumes().stream()
                        .map(volume -> volume.name() + " " + volume.content().orElse("") + " " + volume.label().orElse(""))
                        .toList());
        assertTrue(guest.volumes().stream().filter(Volume::mountable).allMatch(volume -> volume.uuid().isPresent()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"vda.p1", "vda.p2", "vda.p5", "data/spread"})
    void everythingComesOutAsItWentIn(String volume) throws IOException {
        Path target = folder.resolve(volume.replace('/', '-'));
        ExtractionReport report = extract(volume, target);
        assertEquals(List.of(), report.problems());
        assertEquals(Map.of(), report.losses());
        assertEquals(describe(known.resolve("tree")), describe(target));
        String blocks = Tool.run("stat", "--format=%b", target.resolve("special/sparse").toString()).orFail().text().strip();
        assertTrue(Long.parseLong(blocks) < 2048, "the sparse file takes " + blocks + " blocks");
    }

    @ParameterizedTest
    @ValueSource(strings = {"vda.p3", "vda.p4"})
    void contentComesOutWhereThereIsNothingElse(String volume) throws IOException {
        Path target = folder.resolve(volume);
        assertEquals(List.of(), extract(volume, target).problems());
        Tool.run("diff", "--recursive", known.resolve("plain").toString(), target.toString()).orFail();
    }

    @Test
    void devicesAreLeftOutUnlessAskedFor() throws IOException {
        GuestFiles.Place place = guest.find("vda.p1/special/null");
        Path target = folder.resolve("devices");
        ExtractionReport report = ExtractFiles.run(guest.tree(place.volume()), place.path(), target, false, Progress.NONE);
        assertEquals(Map.of("device nodes are left out", 1), report.losses());
        try (Stream<Path> made = Files.list(target)) {
            assertEquals(List.of(), made.toList());
        }
    }

    @Test
    void whatIsNotThereIsSaidToBeNotThere() throws IOException {
        GuestFiles.Place place = guest.find("vda.p1/no/such/file");
        var absent = assertThrows(UnreadableFileException.class, () -> guest.tree(place.volume()).status(place.path()));
        assertTrue(absent.isAbsent(), absent.getMessage());
        var volume = assertThrows(GuestException.class, () -> guest.find("vda.p9/etc"));
        assertEquals(GuestException.Reason.NOT_FOUND, volume.reason());
        GuestFiles.Place member = guest.find("vdb/x");
        var none = assertThrows(GuestException.class, () -> guest.tree(member.volume()));
        assertEquals(GuestException.Reason.NO_FILE_SYSTEM, none.reason());
    }

    @Test
    void nothingIsReplaced() throws IOException {
        GuestFiles.Place place = guest.find("vda.p1/text.txt");
        Path target = Files.createDirectory(folder.resolve("taken"));
        Files.writeString(target.resolve("text.txt"), "mine");
        assertThrows(TargetException.class,
                () -> ExtractFiles.run(guest.tree(place.volume()), place.path(), target, false, Progress.NONE));
        assertEquals("mine", Files.readString(target.resolve("text.txt")));
    }

    private static ExtractionReport extract(String volume, Path target) throws IOException {
        GuestFiles.Place place = guest.find(volume);
        return ExtractFiles.run(guest.tree(place.volume()), place.path(), target, true, Progress.NONE);
    }

    private static String describe(Path tree) {
        return Tool.run("bash", "-c", DESCRIBE, "describe", tree.toString(), known.resolve("tree").toString()).orFail().text();
    }
}
