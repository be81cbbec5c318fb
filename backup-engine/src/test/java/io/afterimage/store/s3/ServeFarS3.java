package io.afterimage.store.s3;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;

/** An object store for measurements, its objects in memory: each request takes so many milliseconds more. {@code MILLISECONDS}; prints its endpoint. */
public final class ServeFarS3 {

    private ServeFarS3() {}

    public static void main(String... arguments) throws IOException, InterruptedException {
        try (EmbeddedS3 store = EmbeddedS3.start();
                FaultyProxy way = new FaultyProxy(store.port(), Duration.ofMillis(Integer.parseInt(arguments[0])))) {
            for (String bucket : new String[] {"near", "far"}) {
                new S3TestBucket(store.endpoint(), EmbeddedS3.ACCESS_KEY, EmbeddedS3.SECRET_KEY, bucket).create();
            }
            System.out.println(store.endpoint() + " " + way.endpoint());
            new CountDownLatch(1).await();
        }
    }
}
