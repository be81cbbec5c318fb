package io.afterimage.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.capture.Progress;
import io.afterimage.posix.HostFolder;
import io.afterimage.posix.PosixException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Copying out of trees, honest and hostile. */
class ExtractionTest {

    private final MemoryTree tree = new MemoryTree();

    @TempDir
    Path folder;

    private Path target;

    @BeforeEach
    void makeTarget() throws IOException {
        target = Files.createDirectory(folder.resolve("target"));
    }

    private ExtractionReport extract(String path) throws IOException {
        try (HostFolder into = HostFolder.open(target)) {
            return new Extraction(tree, false, Progress.NONE).run(FilePath.parse(path), into);
        }
    }

    @Test
    void aFolderComesWithItsContentModesAndTimes() throws IOException {
        tree.folder("/etc");
        tree.file("/etc/hosts", "127.0.0.1 localhost");
        tree.link("/etc/mtab", "../proc/mounts");
        ExtractionReport report = extract("/etc");
        assertEquals(1, report.folders());
        assertEquals(2, report.files());
        assertEquals(19, report.bytes());
        Path hosts = target.resolve("etc/hosts");
        assertEquals("127.0.0.1 localhost", Files.readString(hosts));
        assertEquals(MemoryTree.TIME, Files.getLastModifiedTime(hosts).toInstant());
        assertEquals(MemoryTree.TIME, Files.getLastModifiedTime(target.resolve("etc")).toInstant());
        assertEquals("rw-r-----", PosixFilePermissions.toString(Files.getPosixFilePermissions(hosts)));
        assertEquals("rwxr-x---", PosixFilePermissions.toString(Files.getPosixFilePermissions(target.resolve("etc"))));
        assertEquals(Path.of("../proc/mounts"), Files.readSymbolicLink(target.resolve("etc/mtab")));
    }

    @Test
    void aLinkIsNoWayOut() throws IOException {
        // The folder's name is first a link that leads out, then a folder with a file.
        Path outside = Files.createDirectory(folder.resolve("outside"));
        tree.link("/way", outside.toString());
        tree.folder("/way");
        tree.file("/way/planted", "x");
        ExtractionReport report = extract("/");
        assertEquals(List.of("/way"), report.problems().stream().map(problem -> problem.path().toString()).toList());
        assertFalse(Files.exists(outside.resolve("planted")));
    }

    @Test
    void aLinkIsNotWrittenThrough() throws IOException {
        Path victim = Files.writeString(folder.resolve("victim"), "mine");
        tree.link("/file", victim.toString());
        tree.file("/file", "yours");
        assertEquals(1, extract("/").problems().size());
        assertEquals("mine", Files.readString(victim));
    }

    @Test
    void unreadableFilesAreListedAndTheOthersComeOut() throws IOException {
        tree.folder("/broken");
        tree.file("/a", "a");
        tree.file("/b", "b");
        tree.file("/c", "c");
        tree.unreadable("/b");
        tree.unreadable("/broken");
        ExtractionReport report = extract("/");
        assertEquals(List.of("/broken: Input/output error", "/b: Input/output error"),
                report.problems().stream().map(problem -> problem.path() + ": " + problem.reason()).toList());
        assertFalse(Files.exists(target.resolve("b")), "half a file is there");
        assertEquals("a", Files.readString(target.resolve("a")));
        assertEquals("c", Files.readString(target.resolve("c")));
    }

    @Test
    void aFileThatEndsEarlyIsUnreadable() throws IOException {
        tree.file("/a", "abc");
        FileStatus honest = tree.status(FilePath.parse("/a"));
        tree.put("/longer", new FileStatus(honest.kind(), 1, 7, 1, 0, 5, 5, honest.changed(), honest.attributes(), honest.target()));
        MemoryTree shorter = tree;
        FileTree lying = new FileTree() {
            @Override
            public FileStatus status(FilePath path) throws IOException {
                return shorter.status(path);
            }

            @Override
            public Listing list(FilePath path) throws IOException {
                return shorter.list(path);
            }

            @Override
            public byte[] read(FilePath file, long offset, int length) throws IOException {
                return shorter.read(FilePath.parse("/a"), Math.min(offset, 3), length);
            }
        };
        try (HostFolder into = HostFolder.open(target)) {
            assertEquals(1, new Extraction(lying, false, Progress.NONE).run(FilePath.ROOT, into).problems().size());
        }
    }

    @Test
    void aFolderInsideItselfEnds() throws IOException {
        tree.folder("/a", 50);
        tree.folder("/a/a", 50);
        assertEquals(List.of("/a/a"), extract("/").problems().stream().map(problem -> problem.path().toString()).toList());
    }

    @Test
    void zerosOfASparseFileBecomeAHole() throws IOException {
        tree.sparse("/sparse", "begin", 3_000_001);
        ExtractionReport report = extract("/sparse");
        Path file = target.resolve("sparse");
        assertEquals(4096, report.bytes());
        assertEquals(3_000_001, Files.size(file));
        assertTrue(Files.readString(file).startsWith("begin\0"));
    }

    @Test
    void devicesAreLeftOut() throws IOException {
        tree.device("/sda");
        assertEquals(1, extract("/").losses().get("device nodes are left out"));
        assertFalse(Files.exists(target.resolve("sda"), LinkOption.NOFOLLOW_LINKS));
    }

    @Test
    void whatIsThereStays() throws IOException {
        tree.file("/a", "theirs");
        Files.writeString(target.resolve("a"), "mine");
        assertTrue(assertThrows(PosixException.class, () -> extract("/a")).isThereAlready());
        assertEquals("mine", Files.readString(target.resolve("a")));
        try (Stream<Path> all = Files.list(target)) {
            assertEquals(1, all.count());
        }
    }
}
