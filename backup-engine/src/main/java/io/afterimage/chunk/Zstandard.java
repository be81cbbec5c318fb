package io.afterimage.chunk;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.nio.ByteBuffer;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentLinkedDeque;

/**
 * zstd with contexts that are kept: making one costs more than compressing a chunk. They are pooled, not bound to threads,
 * since readers may be virtual threads without number. Thread-safe.
 */
final class Zstandard {

    private final int level;
    private final ConcurrentLinkedDeque<ZstdCompressCtx> compressors = new ConcurrentLinkedDeque<>();
    private final ConcurrentLinkedDeque<ZstdDecompressCtx> decompressors = new ConcurrentLinkedDeque<>();

    Zstandard(int level) {
        this.level = level;
    }

    /** The room that compressing {@code length} bytes takes, however many come of them. */
    static int room(int length) {
        return Math.toIntExact(Zstd.compressBound(length));
    }

    /** How many compressed bytes now stand in {@code room}, which has an array, behind its position: that stays where it is. */
    int compress(byte[] source, int offset, int length, ByteBuffer room) {
        ZstdCompressCtx context = compressors.poll();
        if (context == null) {
            context = new ZstdCompressCtx();
            context.setLevel(level);
        }
        int size = context.compressByteArray(
                room.array(), room.arrayOffset() + room.position(), room.remaining(), source, offset, length);
        compressors.push(context);
        return size;
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
