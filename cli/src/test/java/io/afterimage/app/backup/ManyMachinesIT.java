package io.afterimage.app.backup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.capture.Progress;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointDisk;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.index.ChunkIndex;
import io.afterimage.lab.Tool;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.repository.Repository;
import io.afterimage.settings.ImageSource;
import io.afterimage.store.KeyPrefix;
import io.afterimage.store.Listing;
import io.afterimage.store.MemoryObjectStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many machines launched from one base image take what the base and their changes take. {@code perf/run tree} does it with a thousand. */
class ManyMachinesIT {

    private static final int MACHINES = 40;
    private static final long BASE = 8L << 20;
    private static final int CHANGED = 512 << 10;
    private static final double BUDGET = 1.05;

    @TempDir
    private Path folder;

    private Path base;

    @BeforeEach
    void makeTheBase() throws IOException {
        base = folder.resolve("base.raw");
        Files.write(base, randomBytes(new Random(1), (int) BASE));
    }

    private static byte[] randomBytes(Random random, int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }

    @Test
    void theyTakeWhatTheBaseAndTheirChangesTake() throws IOException {
        try (Repository repository = Repository.create(new MemoryObjectStore(), ChunkSize.DEFAULT, new SecureRandom());
                ChunkIndex index = ChunkIndex.open(folder.resolve("index"))) {
            Path seen = folder.resolve("seen");
            BackUpImages backUp = new BackUpImages(repository, index, seen, InstantSource.system(), new SecureRandom());
            Point root = backUp.run(
                    new BackUpImages.Request(new MachineName("base"), List.of(ImageSource.parse("disk=" + base)), Optional.empty()), Progress.NONE);
            Random random = new Random(2);
            Path own = folder.resolve("own");
            Path overlay = folder.resolve("overlay.qcow2");
            for (int machine = 0; machine < MACHINES; machine++) {
                Files.write(own, randomBytes(random, CHANGED));
                Tool.run("qemu-img", "create", "-q", "-f", "qcow2", "-b", base.toString(), "-F", "raw", overlay.toString()).orFail();
                Tool.run("qemu-io", "-f", "qcow2", "-c", "write -s " + own + " " + (machine % 8) * (1 << 20) + " " + CHANGED, overlay.toString()).orFail();
                Point point = backUp.run(
                        new BackUpImages.Request(
                                new MachineName("m" + machine),
                                List.of(ImageSource.parse("vda=" + overlay)),
                                Optional.of(new BaseImage(repository, index, seen, root, Optional.empty())),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty()),
                        Progress.NONE);
                assertEquals(PointDisk.Change.BITMAP, point.disk(new DiskName("vda")).orElseThrow().change(), point::toString);
                assertEquals(CHANGED, point.bytes().read(), point::toString);
            }
            long stored = stored(repository);
            assertTrue(stored <= BUDGET * (BASE + (long) MACHINES * CHANGED), stored + " bytes");
        }
    }

    private static long stored(Repository repository) throws IOException {
        long bytes = 0;
        for (Listing listing = repository.store().list(KeyPrefix.ALL); listing.hasNext();) {
            bytes += listing.next().size();
        }
        return bytes;
    }
}
