package io.afterimage.chunk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.keys.MasterKey;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ParameterizedClass(name = "encrypted: {0}")
@ValueSource(booleans = {false, true})
class FrameCodecTest {

    private static final PackId PACK = new PackId(0x0123456789abcdefL, 0xfedcba9876543210L);

    private final ChunkSize chunkSize = ChunkSize.DEFAULT;
    private final Random random = new Random(1);

    @Parameter
    private boolean encrypted;

    private FrameCodec codec;

    @BeforeEach
    void makeCodec() {
        codec = codec(chunkSize);
    }

    private FrameCodec codec(ChunkSize size) {
        MasterKey master = MasterKey.random(new SecureRandom(), "00112233445566778899aabbccddeeff");
        return new FrameCodec(size, encrypted ? PackSeal.of(master) : PackSeal.clear(), 3);
    }

    @ParameterizedTest
    @ValueSource(ints = {4096, 65536, 4 * 1024 * 1024})
    void compressibleAndRandomChunksComeBack(int size) throws Exception {
        FrameCodec sized = codec(new ChunkSize(size));
        byte[] noise = new byte[size];
        random.nextBytes(noise);
        byte[] text = new byte[size];
        for (int i = 0; i < size; i++) {
            text[i] = (byte) (i / 7 % 26 + 'a');
        }
        int offset = 7;
        for (byte[] chunk : new byte[][] {noise, text, new byte[size]}) {
            EncodedChunk encoded = sized.encode(sized.id(chunk, 0), chunk, 0);
            ChunkAddress address = new ChunkAddress(PACK, offset++, sized.lengthCode(encoded));
            byte[] target = new byte[size];
            assertEquals(encoded.id(), sized.decode(frame(sized, encoded, address), 0, address, target));
            assertArrayEquals(chunk, target);
            assertEquals(Arrays.equals(chunk, noise) ? Compression.NONE : Compression.ZSTD, encoded.compression());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {FrameCodec.LOWEST_LEVEL, -1, 1, FrameCodec.HIGHEST_LEVEL})
    void whatAnyLevelHasMadeIsReadByAnyOther(int level) throws Exception {
        byte[] chunk = new byte[chunkSize.bytes()];
        for (int i = 0; i < chunk.length; i++) {
            chunk[i] = (byte) (i * i / 7);
        }
        FrameCodec other = codec.withLevel(level);
        EncodedChunk encoded = other.encode(other.id(chunk, 0), chunk, 0);
        assertEquals(Compression.ZSTD, encoded.compression());
        ChunkAddress address = new ChunkAddress(PACK, 1, other.lengthCode(encoded));
        byte[] target = new byte[chunk.length];
        codec.decode(frame(other, encoded, address), 0, address, target);
        assertArrayEquals(chunk, target);
    }

    @ParameterizedTest
    @ValueSource(ints = {FrameCodec.LOWEST_LEVEL - 1, 0, FrameCodec.HIGHEST_LEVEL + 1})
    void whatIsNoLevelIsRefused(int level) {
        assertThrows(IllegalArgumentException.class, () -> codec.withLevel(level));
    }

    @Test
    void aChunkThatDoesNotShrinkTakesLessThanTwoPercentMore() {
        byte[] noise = new byte[chunkSize.bytes()];
        random.nextBytes(noise);
        EncodedChunk encoded = codec.encode(codec.id(noise, 0), noise, 0);
        assertEquals(0, codec.lengthCode(encoded));
        assertEquals(257 * 256, new ChunkAddress(PACK, 1, 0).byteLength(chunkSize));
    }

    @Test
    void noFlippedBitEverYieldsOtherBytes() {
        byte[] chunk = new byte[chunkSize.bytes()];
        new Random(2).nextBytes(chunk);
        Arrays.fill(chunk, 1000, chunk.length, (byte) 5);
        EncodedChunk encoded = codec.encode(codec.id(chunk, 0), chunk, 0);
        ChunkAddress address = new ChunkAddress(PACK, 3, codec.lengthCode(encoded));
        byte[] frame = frame(codec, encoded, address);
        int harmless = 0;
        for (int bit = 0; bit < 8 * sealedLength(encoded); bit++) {
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
        assertTrue(harmless < (encrypted ? 1 : 16), harmless + " flips were not found");
    }

    private int sealedLength(EncodedChunk encoded) {
        return FrameCodec.HEADER_LENGTH + encoded.payload().remaining() + (encrypted ? 16 : 0);
    }

    @Test
    void aWholeFrameOfAnotherPlaceIsRefused() {
        byte[] chunk = new byte[chunkSize.bytes()];
        EncodedChunk encoded = codec.encode(codec.id(chunk, 0), chunk, 0);
        ChunkAddress address = new ChunkAddress(PACK, 3, codec.lengthCode(encoded));
        byte[] frame = frame(codec, encoded, address);
        for (ChunkAddress other : new ChunkAddress[] {
            new ChunkAddress(PACK, 4, address.lengthCode()), new ChunkAddress(new PackId(1, 2), 3, address.lengthCode())
        }) {
            CorruptChunkException refusal = assertThrows(
                    CorruptChunkException.class, () -> codec.decode(frame, 0, other, new byte[chunkSize.bytes()]));
            assertTrue(refusal.getMessage().contains(other.toString()), refusal.getMessage());
        }
    }

    @Test
    void anImpossiblePayloadLengthIsRefused() {
        EncodedChunk encoded = codec.encode(codec.id(new byte[chunkSize.bytes()], 0), new byte[chunkSize.bytes()], 0);
        ChunkAddress address = new ChunkAddress(PACK, 3, codec.lengthCode(encoded));
        byte[] frame = frame(codec, encoded, address);
        for (int length : new int[] {-1, Integer.MIN_VALUE, Integer.MIN_VALUE + 15, Integer.MAX_VALUE, 15, 0, 1 << 20}) {
            ByteBuffer.wrap(frame).putInt(8, length);
            assertThrows(CorruptChunkException.class, () -> codec.decode(frame, 0, address, new byte[chunkSize.bytes()]), "length " + length);
        }
    }

    /** At a chunk size of 4096 a unit is 16 bytes, and a map may tell of a frame that is shorter than a frame's header. */
    @Test
    void aFrameShorterThanItsHeaderIsRefused() {
        ChunkAddress address = new ChunkAddress(PACK, 3, 1);
        assertThrows(
                CorruptChunkException.class, () -> codec(new ChunkSize(4096)).decode(new byte[16], 0, address, new byte[4096]));
        assertTrue(FrameHeader.claimedChunk(new byte[16], 0, address).isEmpty());
    }

    private static byte[] frame(FrameCodec codec, EncodedChunk chunk, ChunkAddress address) {
        ByteBuffer buffer = ByteBuffer.allocate(address.byteLength(codec.chunkSize()));
        codec.write(chunk, address, buffer);
        assertEquals(0, buffer.remaining());
        return buffer.array();
    }
}
