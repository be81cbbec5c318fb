package io.afterimage.chunk;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentLinkedDeque;

/**
 * zstd with contexts that are kept: making one costs more than compressing a chunk. They are pooled, not bound to threads,
 * since readers may be virtual threads without number. Thread-safe.
 */
final class Zstandard {

    private final int level;
    private final ConcurrentLinkedDeque<Compressor> compressors = new ConcurrentLinkedDeque<>();
    private final ConcurrentLinkedDeque<ZstdDecompressCtx> decompressors = new ConcurrentLinkedDeque<>();

    Zstandard(int level) {
        this.level = level;
    }

    private static final class Compressor {

        private final ZstdCompressCtx context = new ZstdCompressCtx();
        private byte[] target = {};
    }

    /** The compressed bytes; empty when there would be more than {@code limit} of them. */
    byte[] compress(byte[] source, int offset, int length, int limit) {
        Compressor compressor = compressors.poll();
        if (compressor == null) {
            compressor = new Compressor();
            compressor.context.setLevel(level);
        }
        int bound = Math.toIntExact(Zstd.compressBound(length));
        if (compressor.target.length < bound) {
            compressor.target = new byte[bound];
        }
        int size = compressor.context.compressByteArray(compressor.target, 0, bound, source, offset, length);
        byte[] compressed = size > limit ? new byte[0] : Arrays.copyOf(compressor.target, size);
        compressors.push(compressor);
        return compressed;
    }

    /** The number of bytes put into {@code target}; empty if the source is not zstd, or of more than {@code room} bytes. */
    OptionalInt decompress(byte[] source, int offset, int length, byte[] target, int room) {
        ZstdDecompressCtx context = decompressors.poll();
        if (context == null) {
            context = new ZstdDecompressCtx();
        }
        try {
            return OptionalInt.of(context.decompressByteArray(target, 0, room, source, offset, length));
        } catch (ZstdException e) {
            return OptionalInt.empty();
        } finally {
            context.reset();
            decompressors.push(context);
        }
    }
}
