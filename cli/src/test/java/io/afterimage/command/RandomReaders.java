package io.afterimage.command;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Threads that read one file all over, and hold each read against the same range of another file. All of them, or every second one, pass by the kernel's page
 * cache, so that it is not the kernel alone that answers: what it has cached it gives also when nobody is behind the mount any more.
 */
final class RandomReaders implements AutoCloseable {

    private static final int BLOCK = 4096;
    private static final int LONGEST = 64;
    private static final long PATIENCE_SECONDS = 120;

    private final Path file;
    private final Path expected;
    private final long size;
    private final ExecutorService threads;
    private final List<Future<IOException>> results = new ArrayList<>();
    private final CountDownLatch begun;
    private final AtomicLong reads = new AtomicLong();
    private volatile boolean stop;

    RandomReaders(int count, Path file, Path expected, long size, boolean allDirect) {
        this.file = file;
        this.expected = expected;
        this.size = size / BLOCK * BLOCK;
        begun = new CountDownLatch(count);
        threads = Executors.newFixedThreadPool(count, Thread.ofPlatform().daemon().factory());
        for (int number = 0; number < count; number++) {
            int seed = number;
            results.add(threads.submit(() -> read(seed, allDirect || seed % 2 == 1)));
        }
    }

    /** O_DIRECT, which javac warns of by its name. */
    private static OpenOption direct() throws ReflectiveOperationException {
        return (OpenOption) Class.forName("com.sun.nio.file.ExtendedOpenOption").getField("DIRECT").get(null);
    }

    private IOException read(int seed, boolean direct) throws ReflectiveOperationException {
        Set<OpenOption> options = direct ? Set.of(StandardOpenOption.READ, direct()) : Set.of(StandardOpenOption.READ);
        Random random = new Random(seed);
        ByteBuffer read = ByteBuffer.allocateDirect((LONGEST + 1) * BLOCK).alignedSlice(BLOCK);
        ByteBuffer truth = ByteBuffer.allocateDirect(LONGEST * BLOCK);
        try (FileChannel mounted = FileChannel.open(file, options);
                FileChannel raw = FileChannel.open(expected)) {
            while (!stop) {
                long offset = random.nextLong(size / BLOCK) * BLOCK;
                int length = (int) Math.min((1L + random.nextInt(LONGEST)) * BLOCK, size - offset);
                fill(mounted, read.clear().limit(length), offset);
                fill(raw, truth.clear().limit(length), offset);
                if (!read.flip().equals(truth.flip())) {
                    throw new AssertionError("other bytes in " + length + " at " + offset + " of " + file);
                }
                reads.incrementAndGet();
                begun.countDown();
            }
            return null;
        } catch (IOException e) {
            // Of the disk's own file it would be the same, and no test expects one then.
            return e;
        }
    }

    private static void fill(FileChannel from, ByteBuffer target, long offset) throws IOException {
        while (target.hasRemaining() && from.read(target, offset + target.position()) >= 0) {
            // A file's end ends it, too.
        }
    }

    /** Returns when all have read something. */
    void awaitBegin() throws InterruptedException {
        if (!begun.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError("they do not begin: " + results);
        }
    }

    /** Ends them. */
    void stop() {
        stop = true;
    }

    long reads() {
        return reads.get();
    }

    /** What ended each: null if it was {@link #stop}, or that the file could not be read any more. Fails if bytes differed, or if one hangs. */
    List<IOException> results() throws InterruptedException, ExecutionException, TimeoutException {
        List<IOException> failures = new ArrayList<>();
        for (Future<IOException> result : results) {
            failures.add(result.get(PATIENCE_SECONDS, TimeUnit.SECONDS));
        }
        return failures;
    }

    @Override
    public void close() {
        stop();
        threads.shutdownNow();
    }
}
