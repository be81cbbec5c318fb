package io.afterimage.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.FrameCodec;
import io.afterimage.chunk.PackId;
import io.afterimage.chunk.PackSeal;
import io.afterimage.index.ChunkIndex;
import io.afterimage.pack.PackBuilder;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A pack that is not stored must keep the point from being committed, whatever the reason. */
class PackUploadsTest {

    private final FrameCodec codec = new FrameCodec(new ChunkSize(4096), PackSeal.clear(), Repository.DEFAULT_LEVEL);

    @TempDir
    private Path folder;

    private PackBuilder pack() {
        PackBuilder pack = new PackBuilder(PackId.random(new SecureRandom()), codec);
        byte[] chunk = new byte[4096];
        chunk[0] = 1;
        pack.add(codec.encode(codec.id(chunk, 0), chunk, 0));
        return pack;
    }

    private Throwable failure(PackUploads.Put put) throws IOException {
        try (ChunkIndex index = ChunkIndex.open(folder);
                PackUploads uploads = new PackUploads(put, index, _ -> {})) {
            Throwable thrown = assertThrows(Throwable.class, () -> {
                uploads.put(pack());
                uploads.await();
            });
            assertEquals(Set.of(), uploads.stored());
            return thrown;
        }
    }

    @Test
    void aStoreThatFails() throws IOException {
        IOException full = new IOException("full");
        assertSame(full, failure((_, _) -> {
            throw full;
        }));
    }

    @Test
    void aDefect() throws IOException {
        IllegalStateException defect = new IllegalStateException();
        assertSame(defect, failure((_, _) -> {
            throw defect;
        }).getCause());
    }

    @Test
    void aProcessThatIsOutOfMemory() throws IOException {
        OutOfMemoryError error = new OutOfMemoryError();
        assertSame(error, failure((_, _) -> {
            throw error;
        }));
    }
}
