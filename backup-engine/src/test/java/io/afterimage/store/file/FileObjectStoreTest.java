package io.afterimage.store.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.store.KeyPrefix;
import io.afterimage.store.ObjectStore;
import io.afterimage.store.ObjectStoreContract;
import io.afterimage.store.Problem;
import io.afterimage.store.StoreException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FileObjectStoreTest extends ObjectStoreContract {

    @TempDir
    private Path folder;

    private Path root() {
        return folder.resolve("above/repository");
    }

    @Override
    protected ObjectStore open() throws IOException {
        return FileObjectStore.create(root());
    }

    @Override
    protected ObjectStore openAnother() throws IOException {
        return FileObjectStore.open(root());
    }

    /** Each PUT waits for the disk. */
    @Override
    protected int moreThanAPage() {
        return ObjectStore.PAGE + 17;
    }

    @Test
    void aFolderThatIsNotThereIsNoStore() {
        StoreException e = assertProblem(Problem.STORE_MISSING, () -> FileObjectStore.open(folder.resolve("missing")));
        assertTrue(e.getMessage().contains(folder.resolve("missing").toString()), e.getMessage());
    }

    @Test
    void aFileIsNoStore() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        assertProblem(Problem.FOREIGN, () -> FileObjectStore.open(file));
        assertProblem(Problem.FOREIGN, () -> FileObjectStore.create(file));
        assertProblem(Problem.FOREIGN, () -> FileObjectStore.create(file.resolve("below")));
    }

    @Test
    void aFolderThatVanishesIsNotAnEmptyStore() throws IOException {
        store().put(key("packs/00/a"), ByteBuffer.allocate(1));
        Path aside = folder.resolve("aside");
        Files.move(root(), aside);
        assertAllMissing();
        // What an unmounted file system leaves: its empty mount point.
        Files.createDirectory(root());
        assertAllMissing();
        try (Stream<Path> left = Files.list(root())) {
            assertEquals(0, left.count(), "something was written to the folder behind the mount");
        }
        Files.delete(root());
        Files.move(aside, root());
        assertEquals(List.of("packs/00/a"), keys(KeyPrefix.ALL));
    }

    private void assertAllMissing() {
        assertProblem(Problem.STORE_MISSING, () -> store().list(KeyPrefix.ALL, Optional.empty()));
        assertProblem(Problem.STORE_MISSING, () -> store().getWhole(key("packs/00/a"), 10));
        assertProblem(Problem.STORE_MISSING, () -> store().get(key("packs/00/a"), 0, ByteBuffer.allocate(1)));
        assertProblem(Problem.STORE_MISSING, () -> store().put(key("packs/00/b"), ByteBuffer.allocate(1)));
        assertProblem(Problem.STORE_MISSING, () -> store().delete(key("packs/00/a")));
    }

    @Test
    void foldersMayVanishAndComeBack() throws IOException {
        store().put(key("packs/00/a"), ByteBuffer.allocate(1));
        removeTree(root().resolve("packs"));
        assertEquals(List.of(), keys(KeyPrefix.ALL));
        store().put(key("packs/00/b"), ByteBuffer.allocate(1));
        assertEquals(List.of("packs/00/b"), keys(KeyPrefix.ALL));
    }

    @Test
    void onlyTheOwnerMayRead() throws IOException {
        store().put(key("packs/00/a"), ByteBuffer.allocate(1));
        for (String path : List.of("", "packs", "packs/00", "packs/00/a")) {
            String permissions = PosixFilePermissions.toString(Files.getPosixFilePermissions(root().resolve(path)));
            assertTrue(permissions.endsWith("------"), path + " is " + permissions);
        }
    }

    @Test
    void linksAreNotFollowed() throws IOException {
        Path outside = Files.createDirectories(folder.resolve("outside/00"));
        Files.write(outside.resolve("a"), new byte[10]);
        Files.createSymbolicLink(root().resolve("packs"), outside.getParent());
        Files.createSymbolicLink(root().resolve("link"), outside.resolve("a"));
        for (KeyPrefix prefix : List.of(KeyPrefix.ALL, KeyPrefix.folder("packs"), KeyPrefix.folder("packs", "00"), new KeyPrefix("pac"))) {
            StoreException e = assertProblem(Problem.FOREIGN, () -> keys(prefix));
            assertTrue(e.getMessage().contains(prefix.equals(KeyPrefix.ALL) ? "LIST link " : "LIST packs "), e.getMessage());
        }
        assertEquals(List.of(), keys(KeyPrefix.folder("points")));
        for (String key : List.of("packs/00/a", "link")) {
            assertProblem(Problem.FOREIGN, () -> store().getWhole(key(key), 100));
            assertProblem(Problem.FOREIGN, () -> store().put(key(key), ByteBuffer.allocate(1)));
            assertProblem(Problem.FOREIGN, () -> store().delete(key(key)));
        }
        assertProblem(Problem.FOREIGN, () -> store().put(key("packs/00/new"), ByteBuffer.allocate(1)));
        assertArrayEquals(new byte[10], Files.readAllBytes(outside.resolve("a")));
        assertFalse(Files.exists(outside.resolve("new")));
    }

    @Test
    void aFolderIsNoObject() throws IOException {
        store().put(key("packs/00/a"), ByteBuffer.allocate(1));
        assertProblem(Problem.FOREIGN, () -> store().put(key("packs/00"), ByteBuffer.allocate(1)));
        assertProblem(Problem.FOREIGN, () -> store().put(key("packs/00/a/b"), ByteBuffer.allocate(1)));
        Files.createDirectory(root().resolve("empty"));
        assertProblem(Problem.FOREIGN, () -> store().delete(key("empty")));
        assertTrue(Files.isDirectory(root().resolve("empty")));
    }

    @Test
    void foreignFilesAreNotListed() throws IOException {
        store().put(key("packs/00/a"), ByteBuffer.allocate(1));
        Files.createFile(root().resolve("packs/00/b.~1~"));
        Files.createFile(root().resolve("packs/with space"));
        Files.createDirectory(root().resolve("lost+found"));
        assertEquals(List.of("packs/00/a"), keys(KeyPrefix.ALL));
    }

    @Test
    void leftoversOfTheDeadAreHiddenAndRemoved() throws IOException {
        store().put(key("packs/00/a"), ByteBuffer.allocate(1));
        Instant now = Instant.now();
        Path dead = leftover("packs/00/~00112233aabbccdd", now.minusSeconds(7200));
        Path deadAtTheTop = leftover("~ffffffffffffffff", now.minusSeconds(7200));
        Path living = leftover("packs/00/~0011223344556677", now);
        Path foreign = leftover("packs/00/~note", now.minusSeconds(7200));
        assertEquals(List.of("packs/00/a"), keys(KeyPrefix.ALL));
        store().removeLeftovers(now.minusSeconds(3600));
        assertEquals(List.of(false, false, true, true), Stream.of(dead, deadAtTheTop, living, foreign).map(Files::exists).toList());
        assertEquals(List.of("packs/00/a"), keys(KeyPrefix.ALL));
    }

    private Path leftover(String name, Instant modified) throws IOException {
        Path path = Files.createFile(root().resolve(name));
        Files.setLastModifiedTime(path, FileTime.from(modified));
        return path;
    }

    @Test
    void aPutThatFailsLeavesNothing() throws IOException {
        Thread.currentThread().interrupt();
        assertProblem(Problem.INTERRUPTED, () -> store().put(key("packs/00/a"), ByteBuffer.allocate(1)));
        assertTrue(Thread.interrupted());
        try (Stream<Path> files = Files.walk(root())) {
            assertEquals(List.of(), files.filter(Files::isRegularFile).toList());
        }
    }

    @Test
    void farMoreObjectsAreReadThanFilesKeptOpen() throws IOException {
        for (int i = 0; i < 300; i++) {
            store().put(key("k/" + i), ByteBuffer.allocate(4).putInt(0, i));
        }
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < 300; i++) {
                ByteBuffer target = ByteBuffer.allocate(4);
                store().get(key("k/" + i), 0, target);
                assertEquals(i, target.getInt(0));
            }
        }
        assertTrue(openFilesBelow(root()) <= 128, "too many files are kept open");
        store().close();
        assertEquals(0, openFilesBelow(root()));
    }

    @Test
    void aDeletedObjectIsNotKeptOpen() throws IOException {
        store().put(key("a"), ByteBuffer.allocate(4));
        store().get(key("a"), 0, ByteBuffer.allocate(4));
        assertEquals(1, openFilesBelow(root()));
        store().put(key("a"), ByteBuffer.allocate(5));
        assertEquals(0, openFilesBelow(root()));
        store().get(key("a"), 0, ByteBuffer.allocate(5));
        store().delete(key("a"));
        assertEquals(0, openFilesBelow(root()));
    }

    /** Memory that begins where a page does goes to the disk without the page cache between them, as far as it is whole blocks. */
    @Test
    void whateverMemoryALongObjectComesFromItIsWhole() throws IOException {
        Random random = new Random(3);
        ByteBuffer memory = ByteBuffer.allocateDirect((3 << 20) + 4096).alignedSlice(4096);
        byte[] bytes = new byte[3 << 20];
        random.nextBytes(bytes);
        memory.put(0, bytes);
        for (int length : new int[] {1 << 20, (1 << 20) - 1, (1 << 20) + 1, (2 << 20) - 1, (2 << 20) + 4096 + 17}) {
            for (int begin : new int[] {0, 1, 512, 4096}) {
                ByteBuffer content = memory.slice(0, begin + length).position(begin);
                ByteBuffer more = ByteBuffer.wrap(bytes, 7, 1000);
                store().put(key("packs/00/a"), content, more);
                assertEquals(begin, content.position());
                assertEquals(begin + length, content.limit());
                byte[] expected = Arrays.copyOf(Arrays.copyOfRange(bytes, begin, begin + length), length + 1000);
                System.arraycopy(bytes, 7, expected, length, 1000);
                assertArrayEquals(expected, store().getWhole(key("packs/00/a"), bytes.length));
            }
        }
    }

    private static long openFilesBelow(Path root) throws IOException {
        List<Path> open = new ArrayList<>();
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            for (Path descriptor : descriptors.toList()) {
                if (Files.isSymbolicLink(descriptor)) {
                    open.add(Files.readSymbolicLink(descriptor));
                }
            }
        }
        return open.stream().filter(path -> path.startsWith(root)).count();
    }

    @Test
    void messagesAreOneSentenceForTheUser() {
        StoreException e = assertThrows(StoreException.class, () -> store().getWhole(key("repository.json"), 10));
        assertEquals("GET repository.json in " + root() + ": there is no such object", e.getMessage());
    }

    private static void removeTree(Path tree) throws IOException {
        try (Stream<Path> paths = Files.walk(tree)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
