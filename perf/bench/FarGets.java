import io.afterimage.assembly.Assembly;
import io.afterimage.catalog.Selector;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.manifest.BlockMap;
import io.afterimage.manifest.DiskName;
import io.afterimage.pack.PackObjects;
import io.afterimage.repository.KeySource;
import io.afterimage.repository.Repository;
import io.afterimage.settings.RepositoryLocation;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;

/**
 * What a store gives to parallel ranged GETs: fetches the packed bytes behind the first so many chunks of a disk in ranges of up to 4 MiB, 16 at a time, and does nothing with them. Twice,
 * since a JVM is slow at first; prints the seconds of the second time.
 *
 *   FarGets REPOSITORY CACHE SELECTOR CHUNKS
 */
final class FarGets {

    private static final int RANGE = 4 << 20;
    private static final int AT_ONCE = 16;

    private record Range(ChunkAddress first, int length) {}

    public static void main(String... arguments) throws Exception {
        Assembly assembly = new Assembly(Map.of("AFTERIMAGE_CACHE", arguments[1]));
        try (Repository repository = assembly.open(RepositoryLocation.parse(arguments[0]), KeySource.NONE)) {
            BlockMap map = repository.manifest(repository.catalog().resolve(Selector.parse(arguments[2])))
                    .disk(new DiskName("vda")).orElseThrow().map();
            List<Range> ranges = ranges(map, Integer.parseInt(arguments[3]));
            fetch(repository, ranges);
            long begin = System.nanoTime();
            fetch(repository, ranges);
            System.out.println((System.nanoTime() - begin) / 1e9);
        }
    }

    private static List<Range> ranges(BlockMap map, int chunks) {
        List<Range> ranges = new ArrayList<>();
        for (int chunk = 0; chunk < chunks; ) {
            ChunkAddress first = map.address(chunk);
            long begin = first.byteOffset(map.chunkSize());
            long end = begin;
            while (chunk < chunks
                    && map.address(chunk).pack().equals(first.pack())
                    && map.address(chunk).byteOffset(map.chunkSize()) == (end == begin ? begin : end)
                    && end - begin < RANGE) {
                end += map.address(chunk).byteLength(map.chunkSize());
                chunk++;
            }
            ranges.add(new Range(first, (int) (end - begin)));
        }
        return ranges;
    }

    private static void fetch(Repository repository, List<Range> ranges) throws Exception {
        Semaphore free = new Semaphore(AT_ONCE);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> fetched = new ArrayList<>();
            for (Range range : ranges) {
                free.acquire();
                fetched.add(threads.submit(() -> {
                    try {
                        repository.store().get(
                                PackObjects.key(range.first().pack()),
                                range.first().byteOffset(repository.chunkSize()),
                                ByteBuffer.allocate(range.length()));
                    } finally {
                        free.release();
                    }
                    return null;
                }));
            }
            for (Future<?> each : fetched) {
                each.get();
            }
        }
    }
}
