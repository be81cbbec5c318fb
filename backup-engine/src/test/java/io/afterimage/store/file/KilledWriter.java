package io.afterimage.store.file;

import io.afterimage.store.ObjectKey;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/** Puts objects from four threads until it is killed, and says of each when it is there. */
final class KilledWriter {

    private KilledWriter() {}

    /** What an object of that key holds. */
    static byte[] content(ObjectKey key) {
        Random random = new Random(key.value().hashCode());
        byte[] content = new byte[random.nextInt(300_000)];
        random.nextBytes(content);
        return content;
    }

    public static void main(String... arguments) throws IOException {
        FileObjectStore store = FileObjectStore.open(Path.of(arguments[0]));
        AtomicInteger next = new AtomicInteger();
        for (int thread = 0; thread < 4; thread++) {
            Thread.ofPlatform().start(() -> {
                try {
                    while (true) {
                        int number = next.getAndIncrement();
                        ObjectKey key = ObjectKey.of("packs", "%02x".formatted(number & 0xff), arguments[1] + "-" + number);
                        store.put(key, ByteBuffer.wrap(content(key)));
                        System.out.println(key + ".");
                    }
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
        }
    }
}
