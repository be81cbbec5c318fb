import io.afterimage.assembly.Assembly;
import io.afterimage.catalog.Selector;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.manifest.BlockMap;
import io.afterimage.manifest.DiskName;
import io.afterimage.repository.ChunkReader;
import io.afterimage.repository.FrameLocation;
import io.afterimage.repository.FrameRun;
import io.afterimage.repository.KeySource;
import io.afterimage.repository.Repository;
import io.afterimage.settings.RepositoryLocation;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.stream.IntStream;

/**
 * What a store gives to parallel ranged GETs: fetches the frames of the first so many chunks of a disk in ranges of up to 4 MiB, 16 at a time, and does nothing with them; or makes chunks of them, with all
 * that is checked then, and drops those. Twice, since a JVM is slow at first; prints the seconds of the second time.
 *
 *   FarGets REPOSITORY CACHE SELECTOR CHUNKS fetched|decoded
 */
final class FarGets {

    private static final int AT_ONCE = 16;

    public static void main(String... arguments) throws Exception {
        Assembly assembly = new Assembly(Map.of("AFTERIMAGE_CACHE", arguments[1]));
        try (Repository repository = assembly.open(RepositoryLocation.parse(arguments[0]), KeySource.NONE)) {
            BlockMap map = repository.manifest(repository.catalog().resolve(Selector.parse(arguments[2])))
                    .disk(new DiskName("vda")).orElseThrow().map();
            ChunkReader reader = new ChunkReader(repository);
            List<FrameRun> runs = FrameRun.of(
                    IntStream.range(0, Integer.parseInt(arguments[3])).mapToObj(chunk -> reader.locate(map.address(chunk))).toList(), repository.chunkSize());
            boolean decoded = arguments[4].equals("decoded");
            fetch(reader, repository.chunkSize(), runs, decoded);
            long begin = System.nanoTime();
            fetch(reader, repository.chunkSize(), runs, decoded);
            System.out.println((System.nanoTime() - begin) / 1e9);
        }
    }

    private static void fetch(ChunkReader reader, ChunkSize chunkSize, List<FrameRun> runs, boolean decoded) throws Exception {
        Semaphore free = new Semaphore(AT_ONCE);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> fetched = new ArrayList<>();
            for (FrameRun run : runs) {
                free.acquire();
                fetched.add(threads.submit(() -> {
                    try {
                        byte[] frames = reader.fetch(run);
                        if (decoded) {
                            decode(reader, chunkSize, run, frames);
                        }
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

    private static void decode(ChunkReader reader, ChunkSize chunkSize, FrameRun run, byte[] frames) throws IOException {
        byte[] chunk = new byte[chunkSize.bytes()];
        for (FrameLocation frame : run.frames()) {
            reader.decode(frames, run.offset(frame, chunkSize), frame, chunk);
        }
    }
}
