package io.afterimage.chunk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FrameCodecTest {

    private static final PackId PACK = new PackId(0x0123456789abcdefL, 0xfedcba9876543210L);

    private final ChunkSize chunkSize = ChunkSize.DEFAULT;
    private final FrameCodec codec = new FrameCodec(chunkSize, 3);
    private final Random random = new Random(1);

    @ParameterizedTest
    @ValueSource(ints = {4096, 65536, 4 * 1024 * 1024})
    void compressibleAndRandomChunksComeBack(int size) throws Exception {
        FrameCodec sized = new FrameCodec(new ChunkSize(size), 3);
        byte[] noise = new byte[size];
        random.nextBytes(noise);
        byte[] text = new byte[size];
        for (int i = 0; i < size; i++) {
            text[i] = (byte) (i / 7 % 26 + 'a');
        }
        for (byte[] chunk : new byte[][] {noise, text, new byte[size]}) {
            EncodedChunk encoded = sized.encode(ChunkId.of(chunk, 0, size), chunk, 0);
            ChunkAddress address = new ChunkAddress(PACK, 7, encoded.lengthCode(new ChunkSize(size)));
            byte[] target = new byte[size];
            assertEquals(encoded.id(), sized.decode(frame(sized, encoded, address), 0, address, target));
            assertArrayEquals(chunk, target);
            assertEquals(Arrays.equals(chunk, noise) ? Compression.NONE : Compression.ZSTD, encoded.compression());
        }
    }

    @Test
    void aChunkThatDoesNotShrinkTakesLessThanTwoPercentMore() {
        byte[] noise = new byte[chunkSize.bytes()];
        random.nextBytes(noise);
        EncodedChunk encoded = codec.encode(ChunkId.of(noise, 0, noise.length), noise, 0);
        assertEquals(0, encoded.lengthCode(chunkSize));
        assertEquals(257 * 256, new ChunkAddress(PACK, 1, 0).byteLength(chunkSize));
    }

    @Test
    void noFlippedBitEverYieldsOtherBytes() {
        byte[] chunk = new byte[chunkSize.bytes()];
        new Random(2).nextBytes(chunk);
        Arrays.fill(chunk, 1000, chunk.length, (byte) 5);
        EncodedChunk encoded = codec.encode(ChunkId.of(chunk, 0, chunk.length), chunk, 0);
        ChunkAddress address = new ChunkAddress(PACK, 3, encoded.lengthCode(chunkSize));
        byte[] frame = frame(codec, encoded, address);
        int harmless = 0;
        for (int bit = 0; bit < 8 * (FrameCodec.HEADER_LENGTH + encoded.payload().remaining()); bit++) {
            byte[] damaged = frame.clone();
            damaged[bit / 8] ^= (byte) (1 << bit % 8);
            byte[] target = new byte[chunkSize.bytes()];
            try {
                // zstd has bits of no meaning, so that some flips are harmless.
                codec.decode(damaged, 0, address, target);
                assertArrayEquals(chunk, target, "bit " + bit);
                harmless++;
            } catch (CorruptChunkException found) {
                assertEquals(address, found.address());
            }
        }
        assertTrue(harmless < 16, harmless + " flips were not found");
    }

    @Test
    void aWholeFrameOfAnotherPlaceIsRefused() {
        byte[] chunk = new byte[chunkSize.bytes()];
        EncodedChunk encoded = codec.encode(ChunkId.of(chunk, 0, chunk.length), chunk, 0);
        ChunkAddress address = new ChunkAddress(PACK, 3, encoded.lengthCode(chunkSize));
        byte[] frame = frame(codec, encoded, address);
        for (ChunkAddress other : new ChunkAddress[] {
            new ChunkAddress(PACK, 4, address.lengthCode()), new ChunkAddress(new PackId(1, 2), 3, address.lengthCode())
        }) {
            CorruptChunkException refusal = assertThrows(
                    CorruptChunkException.class, () -> codec.decode(frame, 0, other, new byte[chunkSize.bytes()]));
            assertTrue(refusal.getMessage().contains(other.toString()), refusal.getMessage());
        }
    }

    private static byte[] frame(FrameCodec codec, EncodedChunk chunk, ChunkAddress address) {
        ByteBuffer buffer = ByteBuffer.allocate(address.byteLength(codec.chunkSize()));
        codec.write(chunk, address, buffer);
        assertEquals(0, buffer.remaining());
        return buffer.array();
    }
}
