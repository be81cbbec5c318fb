import io.afterimage.assembly.Assembly;
import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.CaptureBytes;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointDisk;
import io.afterimage.catalog.PointKind;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.BlockMapEditor;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.ManifestEditor;
import io.afterimage.manifest.PointId;
import io.afterimage.repository.KeySource;
import io.afterimage.repository.PointWriter;
import io.afterimage.repository.Repository;
import io.afterimage.settings.RepositoryLocation;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;

/**
 * Makes a machine with a disk of 1 TiB and so many points. In the last two no chunk of the disk is zeros: what lies in it is 1280 MiB of chunks in disk order, and behind them the same
 * in runs of sixteen at random, so that the map is as large as that of a full, old disk while the store need not hold a TiB. The points before them have one chunk each; between two lies an hour.
 * Prints the ids of the last two.
 *
 *   BigDisk REPOSITORY CACHE POINTS
 */
final class BigDisk {

    private static final long DISK = 1L << 40;
    private static final int CHUNK = 65536;
    private static final int DISTINCT = (1280 << 20) / CHUNK;
    private static final int RUN = 16;
    private static final MachineName MACHINE = new MachineName("big");
    private static final DiskName VDA = new DiskName("vda");

    public static void main(String... arguments) throws IOException {
        Assembly assembly = new Assembly(Map.of("AFTERIMAGE_CACHE", arguments[1]));
        Random random = new Random(1);
        try (Repository repository = assembly.open(RepositoryLocation.parse(arguments[0]), KeySource.NONE);
                ChunkIndex index = assembly.index(repository);
                BackupLease lease = BackupLease.acquire(repository.store(), InstantSource.system(), MACHINE);
                PointWriter writer = new PointWriter(repository, lease, index, Optional.empty(), assembly.random())) {
            List<ChunkAddress> addresses = new ArrayList<>();
            for (int i = 0; i < DISTINCT; i++) {
                // Half of a chunk at least does not compress, so that frames differ in length.
                byte[] chunk = new byte[CHUNK];
                random.nextBytes(chunk);
                Arrays.fill(chunk, CHUNK / 2 + random.nextInt(CHUNK / 2), CHUNK, (byte) 7);
                ChunkId id = writer.id(chunk, 0);
                addresses.add(writer.add(writer.encode(id, chunk, 0)));
            }
            writer.finishPacks();
            Optional<Manifest> parent = Optional.empty();
            int points = Integer.parseInt(arguments[2]);
            for (int i = 0; i < points; i++) {
                ManifestEditor editor = new ManifestEditor(repository.chunkSize(), parent);
                BlockMapEditor disk = editor.disk(VDA, DISK);
                if (i == points - 2) {
                    fill(disk, addresses, random);
                } else {
                    disk.put(i, addresses.get(i % DISTINCT));
                }
                Instant time = Instant.now().minus(Duration.ofHours(points - 1 - i));
                parent = Optional.of(commit(writer, editor, assembly, time, parent.map(Manifest::point)));
                if (i >= points - 2) {
                    System.out.println(parent.get().point());
                }
            }
        }
    }

    private static void fill(BlockMapEditor disk, List<ChunkAddress> addresses, Random random) {
        int from = 0;
        for (long chunk = 0; chunk < DISK / CHUNK; chunk++) {
            if (chunk >= DISTINCT && chunk % RUN == 0) {
                from = random.nextInt(DISTINCT - RUN);
            }
            disk.put(chunk, addresses.get(chunk < DISTINCT ? (int) chunk : from + (int) (chunk % RUN)));
        }
    }

    private static Manifest commit(PointWriter writer, ManifestEditor editor, Assembly assembly, Instant now, Optional<PointId> parent) throws IOException {
        Manifest manifest = editor.finish(PointId.at(now, assembly.random()), MACHINE, new TreeMap<>());
        Point.Seal seal = writer.seal(manifest);
        PointDisk disk = new PointDisk(VDA, DISK, PointDisk.Change.WHOLE, Optional.empty(), CaptureBytes.NONE);
        writer.commit(new Point(
                manifest.point(),
                MACHINE,
                now,
                parent.isPresent() ? PointKind.INCREMENTAL : PointKind.FULL,
                parent,
                List.of(disk),
                CaptureBytes.NONE,
                seal,
                Optional.empty()));
        return manifest;
    }
}
