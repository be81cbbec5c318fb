package io.afterimage.pack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.FrameCodec;
import io.afterimage.chunk.PackId;
import io.afterimage.chunk.PackSeal;
import io.afterimage.keys.MasterKey;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ParameterizedClass(name = "encrypted: {0}")
@ValueSource(booleans = {false, true})
class PackTest {

    private static final PackId PACK = new PackId(1, 2);

    @Parameter
    private boolean encrypted;

    private FrameCodec codec(ChunkSize chunkSize) {
        MasterKey master = MasterKey.random(new SecureRandom(), "00112233445566778899aabbccddeeff");
        return new FrameCodec(chunkSize, encrypted ? PackSeal.of(master) : PackSeal.clear(), 1);
    }

    @ParameterizedTest
    @ValueSource(ints = {4096, 65536, 1024 * 1024})
    void everyChunkIsFoundByTheIndexAndReadByItsAddress(int size) throws Exception {
        ChunkSize chunkSize = new ChunkSize(size);
        FrameCodec codec = codec(chunkSize);
        PackBuilder builder = new PackBuilder(PACK, codec);
        ByteBuffer pack = fill(builder, codec, 50);
        List<PackEntry> entries = PackIndex.read(PACK, pack.limit(), codec, source(pack));
        assertEquals(builder.entries(), entries);
        for (PackEntry entry : entries) {
            byte[] frame = new byte[entry.address().byteLength(chunkSize)];
            pack.get((int) entry.address().byteOffset(chunkSize), frame);
            assertEquals(entry.id(), codec.decode(frame, 0, entry.address(), new byte[size]));
        }
    }

    @Test
    void aPackCutOffAnywhereIsRefused() {
        FrameCodec codec = codec(new ChunkSize(4096));
        ByteBuffer pack = fill(new PackBuilder(PACK, codec), codec, 4);
        for (int length = 0; length < pack.limit(); length++) {
            ByteBuffer cut = pack.slice(0, length);
            assertThrows(
                    CorruptPackException.class, () -> PackIndex.read(PACK, cut.limit(), codec, source(cut)));
        }
    }

    @Test
    void anAlteredIndexIsRefused() {
        FrameCodec codec = codec(new ChunkSize(4096));
        ByteBuffer pack = fill(new PackBuilder(PACK, codec), codec, 4);
        int index = pack.limit() - 4 * PackLayout.ENTRY_LENGTH - PackLayout.TRAILER_LENGTH;
        for (int at = index; at < pack.limit(); at++) {
            ByteBuffer altered = ByteBuffer.allocate(pack.limit()).put(pack.duplicate()).flip();
            altered.put(at, (byte) (altered.get(at) + 1));
            assertThrows(
                    CorruptPackException.class,
                    () -> PackIndex.read(PACK, altered.limit(), codec, source(altered)),
                    "byte " + at);
        }
    }

    @Test
    void aPackUnderAnotherNameIsRefused() {
        FrameCodec codec = codec(new ChunkSize(4096));
        ByteBuffer pack = fill(new PackBuilder(PACK, codec), codec, 4);
        assertThrows(
                CorruptPackException.class,
                () -> PackIndex.read(new PackId(3, 4), pack.limit(), codec, source(pack)));
    }

    private static PackIndex.Source source(ByteBuffer pack) {
        return (offset, length) -> pack.slice((int) offset, length);
    }

    private static ByteBuffer fill(PackBuilder builder, FrameCodec codec, int chunks) {
        Random random = new Random(chunks);
        for (int i = 0; i < chunks; i++) {
            byte[] chunk = new byte[codec.chunkSize().bytes()];
            byte[] noise = new byte[random.nextInt(chunk.length)];
            random.nextBytes(noise);
            System.arraycopy(noise, 0, chunk, 0, i % 3 == 0 ? noise.length : 10);
            builder.add(codec.encode(codec.id(chunk, 0), chunk, 0));
        }
        return builder.finish();
    }
}
