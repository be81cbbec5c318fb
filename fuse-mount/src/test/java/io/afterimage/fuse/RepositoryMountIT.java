package io.afterimage.fuse;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.MemoryDevice;
import io.afterimage.catalog.Point;
import io.afterimage.fuse.tree.SampleRepository;
import io.afterimage.fuse.tree.UnpluggedStore;
import io.afterimage.manifest.PointId;
import io.afterimage.store.MemoryObjectStore;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A repository in memory, through the real kernel. */
class RepositoryMountIT {

    private static final int SIZE = 8 << 20;
    private static final Instant TIME = Instant.parse("2026-03-01T04:00:00.123Z");

    @TempDir
    private Path folder;

    private final UnpluggedStore cable = new UnpluggedStore(new MemoryObjectStore());
    private final byte[] content = new byte[SIZE];
    private SampleRepository sample;
    private Point point;
    private Path past;
    private RepositoryMount mount;

    @BeforeEach
    void mount() throws IOException {
        sample = new SampleRepository(folder.resolve("index"), cable);
        new Random(1).nextBytes(content);
        MemoryDevice disk = new MemoryDevice(SIZE);
        disk.write(0, ByteBuffer.wrap(content));
        point = sample.backUp("web", TIME, Map.of("vda", disk), Map.of());
        past = Files.createDirectory(folder.resolve("past"));
        mount = RepositoryMount.start(MountSettings.at(past), sample.repository(), sample.images());
    }

    @AfterEach
    void unmount() throws Exception {
        mount.close();
        mount.awaitEnd();
        sample.close();
    }

    private Path raw() {
        return past.resolve("web/latest/vda.raw");
    }

    @Test
    void theBytesAreTheDisks() throws IOException {
        assertArrayEquals(content, Files.readAllBytes(raw()));
        assertEquals(SIZE, Files.size(raw()));
    }

    @Test
    void extendedAttributesAndLinks() throws IOException {
        UserDefinedFileAttributeView attributes = Files.getFileAttributeView(raw(), UserDefinedFileAttributeView.class);
        assertTrue(attributes.list().containsAll(List.of("afterimage.point", "afterimage.disk", "afterimage.changed_bytes")), attributes.list()::toString);
        ByteBuffer value = ByteBuffer.allocate(100);
        attributes.read("afterimage.point", value);
        assertEquals(point.id().hex(), StandardCharsets.UTF_8.decode(value.flip()).toString());
        assertEquals(past.resolve("web/20260301T040000.123Z"), past.resolve("web/by-id/" + point.id()).toRealPath());
        assertThrows(IOException.class, () -> attributes.write("afterimage.point", ByteBuffer.allocate(1)));
    }

    @Test
    void allOfTheSpaceIsUsedAndNoneIsFree() throws IOException {
        FileStore store = Files.getFileStore(past);
        assertTrue(store.getTotalSpace() > SIZE / 2, () -> store + ": " + describe(store));
        assertEquals(0, store.getUsableSpace());
        assertTrue(store.isReadOnly());
    }

    private static String describe(FileStore store) {
        try {
            return Long.toString(store.getTotalSpace());
        } catch (IOException e) {
            return e.toString();
        }
    }

    @Test
    void inodesStayAcrossMounts() throws Exception {
        Object before = Files.getAttribute(raw(), "unix:ino");
        mount.close();
        mount.awaitEnd();
        mount = RepositoryMount.start(MountSettings.at(past), sample.repository(), sample.images());
        assertEquals(before, Files.getAttribute(raw(), "unix:ino"));
    }

    @Test
    void tenThousandPointsAreListed() throws IOException {
        for (int minute = 1; minute < 10_000; minute++) {
            sample.list(point, new PointId(PointId.timeDigits(TIME.minusSeconds(60L * minute)) + String.format("%020x", minute)));
        }
        Set<String> names = new HashSet<>();
        try (Stream<Path> entries = Files.list(past.resolve("web"))) {
            entries.map(path -> path.getFileName().toString()).forEach(names::add);
        }
        assertEquals(10_002, names.size());
        assertTrue(Files.isDirectory(past.resolve("web").resolve("20260301T035900.123Z")));
    }

    @Test
    void whatTheStoreDoesNotGiveIsAnInputOutputError() throws IOException {
        Files.size(raw());
        try (InputStream open = Files.newInputStream(raw())) {
            cable.plug(false);
            IOException failure = assertThrows(IOException.class, open::readAllBytes);
            assertEquals("Input/output error", failure.getMessage());
            cable.plug(true);
        }
        assertArrayEquals(content, Files.readAllBytes(raw()));
    }

    @Test
    void threadsStayWithTheJvm() throws Exception {
        Set<Thread> before = answering();
        assertFalse(before.isEmpty());
        try (Stream<Integer> readers = Stream.iterate(0, number -> number + 1).limit(200).parallel()) {
            Set<Integer> sizes = ConcurrentHashMap.newKeySet();
            readers.forEach(_ -> sizes.add(read(raw()).length));
            assertEquals(Set.of(SIZE), sizes);
        }
        assertTrue(answering().containsAll(before));
    }

    private static byte[] read(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static Set<Thread> answering() {
        Set<Thread> threads = new HashSet<>();
        Thread.getAllStackTraces().keySet().stream().filter(thread -> thread.getName().startsWith("fuse-")).forEach(threads::add);
        return threads;
    }

    @Test
    void anotherMountAtTheSameFolderIsRefused() {
        IOException refusal =
                assertThrows(IOException.class, () -> RepositoryMount.start(MountSettings.at(past), sample.repository(), sample.images()));
        assertTrue(refusal.getMessage().contains("already"), refusal.getMessage());
    }
}
