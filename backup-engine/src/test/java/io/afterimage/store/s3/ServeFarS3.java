package io.afterimage.store.s3;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/**
 * An object store for measurements, its objects in memory: each request takes so many milliseconds more. {@code MILLISECONDS [LOG|- [BYTES_PER_SECOND]...]}; prints its
 * endpoint, that of the long way to it, and those of ways as long that carry so many bytes a second. Each request that comes over one of the long ways becomes a line in the log when it has been
 * answered: method, path, range or {@code -}, and the bytes of the answer.
 */
public final class ServeFarS3 {

    private ServeFarS3() {}

    public static void main(String... arguments) throws IOException, InterruptedException {
        Duration latency = Duration.ofMillis(Integer.parseInt(arguments[0]));
        List<Link> links = new ArrayList<>(List.of(Link.unbounded()));
        for (int i = 2; i < arguments.length; i++) {
            links.add(Link.of(Long.parseLong(arguments[i])));
        }
        try (EmbeddedS3 store = EmbeddedS3.start();
                PrintStream log = log(arguments)) {
            for (String bucket : new String[] {"near", "far"}) {
                new S3TestBucket(store.endpoint(), EmbeddedS3.ACCESS_KEY, EmbeddedS3.SECRET_KEY, bucket).create();
            }
            StringBuilder endpoints = new StringBuilder(store.endpoint().toString());
            for (Link link : links) {
                FaultyProxy way = new FaultyProxy(store.port(), latency, (line, range, bytes) -> tell(log, line, range, bytes), link);
                endpoints.append(' ').append(way.endpoint());
            }
            System.out.println(endpoints);
            // Until it is killed.
            new CountDownLatch(1).await();
        }
    }

    private static PrintStream log(String... arguments) throws IOException {
        return arguments.length < 2 || arguments[1].equals("-")
                ? new PrintStream(PrintStream.nullOutputStream(), false, StandardCharsets.UTF_8)
                : new PrintStream(
                        Files.newOutputStream(Path.of(arguments[1]), StandardOpenOption.CREATE, StandardOpenOption.APPEND), true, StandardCharsets.UTF_8);
    }

    private static void tell(PrintStream log, String line, String range, long bytes) {
        String request = line.substring(0, Math.max(0, line.lastIndexOf(' ')));
        // One write: lines of many threads stay whole.
        log.print(request + " " + (range.isEmpty() ? "-" : range) + " " + bytes + "\n");
    }
}
