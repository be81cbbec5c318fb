package io.afterimage.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.catalog.Point;
import io.afterimage.catalog.Selector;
import io.afterimage.fetch.FetchSettings;
import io.afterimage.manifest.CorruptManifestException;
import io.afterimage.manifest.ManifestObjects;
import io.afterimage.repository.Repository;
import io.afterimage.store.CountingStore;
import io.afterimage.store.ForwardingStore;
import io.afterimage.store.MemoryObjectStore;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectStore;
import io.afterimage.store.StoreException;
import io.afterimage.store.StoreStatistics;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An opening waits for descriptor and manifest at once, and believes the one only for the other's word. */
@Timeout(120)
final class ManifestAheadTest {

    private static final int DATA = 20 << 16;

    @TempDir
    private Path folder;

    private final byte[] reference = new byte[DATA];
    private final MemoryObjectStore bottom = new MemoryObjectStore();
    private final CountingStore store = new CountingStore(new DescriptorLast(bottom));
    private CapturedDisk disk;

    @BeforeEach
    void create() throws IOException {
        new Random(1).nextBytes(reference);
        disk = new CapturedDisk(bottom, false, folder);
    }

    @AfterEach
    void close() throws IOException {
        disk.close();
    }

    /** Answers no GET of a descriptor before a manifest has been asked for. */
    private static final class DescriptorLast extends ForwardingStore {

        private final CountDownLatch manifestAsked = new CountDownLatch(1);

        DescriptorLast(ObjectStore store) {
            super(store);
        }

        @Override
        public byte[] getWhole(ObjectKey key, int maxBytes) throws StoreException {
            if (ManifestObjects.name(key).isPresent()) {
                manifestAsked.countDown();
            } else if (key.value().startsWith("points/")) {
                try {
                    manifestAsked.await();
                } catch (InterruptedException e) {
                    throw new AssertionError("no manifest was asked for", e);
                }
            }
            return super.getWhole(key, maxBytes);
        }
    }

    private ImageLibrary library(Repository repository) {
        return CapturedDisk.library(repository, 64 << 20, Optional.empty(), FetchSettings.DEFAULT);
    }

    private PointInTimeImage open(Repository repository, ImageLibrary images) throws IOException {
        try (ManifestAhead ahead = images.ahead()) {
            Point point = repository.catalog().resolve(Selector.parse("web@latest"), ahead::expect);
            return images.open(point, CapturedDisk.VDA, ahead);
        }
    }

    private void assertReads(PointInTimeImage image) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(DATA);
        image.read(0, bytes);
        assertArrayEquals(reference, bytes.array());
    }

    @Test
    void comesWhileItsDescriptorIsOnItsWay() throws IOException {
        disk.capture(reference, DATA);
        try (Repository repository = disk.reopen(store);
                ImageLibrary images = library(repository)) {
            StoreStatistics before = store.statistics();
            assertReads(open(repository, images));
            // The listing, the descriptor, the manifest, the chunks: no more than without.
            assertEquals(4, store.statistics().since(before).requests());
            StoreStatistics between = store.statistics();
            open(repository, images).close();
            assertEquals(1, store.statistics().since(between).requests(), "what is open is at hand");
        }
    }

    @Test
    void isNotBelievedUnlessItIsThePoints() throws IOException {
        Point other = disk.capture(reference, DATA);
        reference[5] ^= 1;
        Point point = disk.capture(reference, DATA);
        byte[] others = bottom.getWhole(ManifestObjects.key(other.machine(), other.id()), ManifestObjects.LARGEST);
        bottom.put(ManifestObjects.key(point.machine(), point.id()), ByteBuffer.wrap(others));
        try (Repository repository = disk.reopen(store);
                ImageLibrary images = library(repository)) {
            IOException refused = assertThrows(CorruptManifestException.class, () -> open(repository, images));
            assertTrue(refused.getMessage().contains("does not match its hash"), refused.getMessage());
        }
    }

    @Test
    void whatCannotBeHadAheadIsAskedForAgain() throws IOException {
        Point point = disk.capture(reference, DATA);
        bottom.delete(ManifestObjects.key(point.machine(), point.id()));
        try (Repository repository = disk.reopen(store);
                ImageLibrary images = library(repository)) {
            IOException refused = assertThrows(CorruptManifestException.class, () -> open(repository, images));
            assertTrue(refused.getMessage().contains("has lost it"), refused.getMessage());
        }
    }

    @Test
    void anotherThanTheOneExpectedIsOpenedAllTheSame() throws IOException {
        Point expected = disk.capture(new byte[DATA], DATA);
        Point point = disk.capture(reference, DATA);
        try (Repository repository = disk.reopen(bottom);
                ImageLibrary images = library(repository);
                ManifestAhead ahead = images.ahead()) {
            ahead.expect(new ManifestObjects.Name(expected.machine(), expected.id()));
            assertReads(images.open(point, CapturedDisk.VDA, ahead));
        }
    }
}
