package io.afterimage.chunk;

import java.nio.ByteBuffer;
import java.util.OptionalInt;

/**
 * Chunks to frames and back, as {@code docs/formats/chunk-frame.md} lays them out. Thread-safe.
 *
 * <p>A frame carries the chunk's id and its own place (pack and offset). The id, or the tag of what is encrypted, makes altered bytes
 * known; the place makes known a frame that is whole but not the one asked for, such as a store's answer to another range.
 */
public final class FrameCodec {

    /** Bytes of a frame before its payload. */
    public static final int HEADER_LENGTH = 64;

    static final int MAGIC = 0x41494346; // "AICF"
    /** The slowest: beyond it zstd wants more memory to read, too. */
    public static final int HIGHEST_LEVEL = 19;

    /** The lowest zstd level: those below 0 trade size for time. There is no level 0. */
    public static final int LOWEST_LEVEL = -7;

    private static final int LARGEST_COMPRESSED_UNITS = 255;

    private final ChunkSize chunkSize;
    private final PackSeal seal;
    private final Zstandard zstd;

    /**
     * @param chunkSize the repository's chunk size
     * @param seal the repository's own
     * @param level the zstd level, see {@link #isLevel}; matters to {@link #encode} alone
     */
    public FrameCodec(ChunkSize chunkSize, PackSeal seal, int level) {
        if (!isLevel(level)) {
            throw new IllegalArgumentException("'" + level + "' is not a compression level.");
        }
        this.chunkSize = chunkSize;
        this.seal = seal;
        zstd = new Zstandard(level);
    }

    /** Whether there is a zstd level of that number: {@value #LOWEST_LEVEL} to {@value #HIGHEST_LEVEL}, without 0. */
    public static boolean isLevel(int level) {
        return level != 0 && level >= LOWEST_LEVEL && level <= HIGHEST_LEVEL;
    }

    /** The same at another zstd level. */
    public FrameCodec withLevel(int level) {
        return new FrameCodec(chunkSize, seal, level);
    }

    public ChunkSize chunkSize() {
        return chunkSize;
    }

    public PackSeal seal() {
        return seal;
    }

    /** The id of a chunk: a full chunk size of bytes from {@code offset} on. */
    public ChunkId id(byte[] chunk, int offset) {
        return seal.id(chunk, offset, chunkSize.bytes());
    }

    /**
     * Compresses a chunk; one that does not shrink by at least the frame's rounding is kept as it is, uncopied.
     *
     * @param id the {@link #id} of the chunk, which the caller already needed to look for a duplicate
     * @param chunk holds the chunk's bytes, a full chunk size of them, from {@code offset} on; must not change any more
     */
    public EncodedChunk encode(ChunkId id, byte[] chunk, int offset) {
        return encode(id, chunk, offset, ByteBuffer.allocate(room()));
    }

    /** The room that encoding a chunk takes for a moment, however little is kept of it. */
    public int room() {
        return Zstandard.room(chunkSize.bytes());
    }

    /**
     * The same, with memory of the caller's for what is compressed, which is kept from being changed by moving its position behind it.
     *
     * @param room has an array, and at least {@link #room()} bytes left
     */
    public EncodedChunk encode(ChunkId id, byte[] chunk, int offset, ByteBuffer room) {
        int length = zstd.compress(chunk, offset, chunkSize.bytes(), room);
        if (length > LARGEST_COMPRESSED_UNITS * chunkSize.unit() - HEADER_LENGTH - PackSeal.LARGEST_OVERHEAD) {
            return new EncodedChunk(id, Compression.NONE, ByteBuffer.wrap(chunk, offset, chunkSize.bytes()));
        }
        ByteBuffer payload = room.slice(room.position(), length);
        room.position(room.position() + length);
        return new EncodedChunk(id, Compression.ZSTD, payload);
    }

    /** The length code of the chunk's frame: see {@link ChunkAddress}. */
    public int lengthCode(EncodedChunk chunk) {
        return chunk.compression() == Compression.NONE
                ? 0
                : chunkSize.units(HEADER_LENGTH + chunk.payload().remaining() + seal.overhead());
    }

    /** Appends the frame of {@code chunk} to {@code target}, which has room for it at the place that {@code address} tells. */
    public void write(EncodedChunk chunk, ChunkAddress address, ByteBuffer target) {
        int begin = target.position();
        int end = begin + address.byteLength(chunkSize);
        int length = chunk.payload().remaining() + seal.overhead();
        target.putInt(MAGIC).putInt(chunk.compression().code()).putInt(length).putInt(address.offset());
        address.pack().put(target);
        chunk.id().put(target);
        seal.seal(address, target.slice(begin, HEADER_LENGTH), chunk.payload().duplicate(), target);
        while (target.position() < end) {
            target.put((byte) 0);
        }
    }

    /**
     * The chunk whose frame stands in {@code frame} from {@code offset} on, verified.
     *
     * @param frame bytes from a store, not to be trusted
     * @param address where they were asked for; its length in bytes is at hand behind {@code offset}
     * @param target receives the chunk, a full chunk size of bytes, from index 0 on; of no meaning after an exception
     * @return the chunk's id
     * @throws CorruptChunkException if they are anything but the frame of that address
     */
    public ChunkId decode(byte[] frame, int offset, ChunkAddress address, byte[] target) throws CorruptChunkException {
        if (address.byteLength(chunkSize) < HEADER_LENGTH) {
            throw new CorruptChunkException(address, "no frame is as short as it is said to be");
        }
        ByteBuffer header = ByteBuffer.wrap(frame, offset, HEADER_LENGTH);
        if (header.getInt() != MAGIC) {
            throw new CorruptChunkException(address, "no frame begins there");
        }
        Compression compression = Compression.of(header.getInt());
        int length = header.getInt();
        int place = header.getInt();
        PackId pack = PackId.get(header);
        if (place != address.offset() || !pack.equals(address.pack())) {
            throw new CorruptChunkException(address, "the frame there belongs to " + pack + "+" + place);
        }
        if (compression == null) {
            throw new CorruptChunkException(address, "its compression is unknown");
        }
        int plain = length - seal.overhead();
        boolean fits = length >= seal.overhead() && length <= address.byteLength(chunkSize) - HEADER_LENGTH;
        if (!fits || (compression == Compression.NONE && plain != chunkSize.bytes())) {
            throw new CorruptChunkException(address, "its payload length is " + length);
        }
        ChunkId id = ChunkId.get(header);
        ByteBuffer payload = seal.open(
                address,
                header.flip().position(offset),
                ByteBuffer.wrap(frame, offset + HEADER_LENGTH, length),
                compression == Compression.NONE ? ByteBuffer.wrap(target, 0, plain) : null);
        if (compression == Compression.ZSTD) {
            decompress(payload, address, target);
        }
        if (!seal.proves(id, target, chunkSize.bytes())) {
            throw new CorruptChunkException(address, "its bytes do not match their hash");
        }
        return id;
    }

    private void decompress(ByteBuffer payload, ChunkAddress address, byte[] target) throws CorruptChunkException {
        int at = payload.arrayOffset() + payload.position();
        OptionalInt size = zstd.decompress(payload.array(), at, payload.remaining(), target, chunkSize.bytes());
        if (size.isEmpty() || size.getAsInt() != chunkSize.bytes()) {
            throw new CorruptChunkException(address, "its payload does not decompress to a chunk");
        }
    }
}
