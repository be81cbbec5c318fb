package io.afterimage.chunk;

import java.nio.ByteBuffer;
import java.util.OptionalInt;

/**
 * Chunks to frames and back, as {@code docs/formats/chunk-frame.md} lays them out. Thread-safe.
 *
 * <p>A frame carries the chunk's hash and its own place (pack and offset). The hash makes altered bytes known; the place
 * makes known a frame that is whole but not the one asked for, such as a store's answer to another range.
 */
public final class FrameCodec {

    /** Bytes of a frame before its payload. */
    public static final int HEADER_LENGTH = 64;

    static final int MAGIC = 0x41494346; // "AICF"
    private static final int LARGEST_COMPRESSED_UNITS = 255;

    private final ChunkSize chunkSize;
    private final Zstandard zstd;

    /**
     * @param chunkSize the repository's chunk size
     * @param level the zstd level, 1 to 19; matters to {@link #encode} alone
     */
    public FrameCodec(ChunkSize chunkSize, int level) {
        this.chunkSize = chunkSize;
        zstd = new Zstandard(level);
    }

    public ChunkSize chunkSize() {
        return chunkSize;
    }

    /**
     * Compresses a chunk; one that does not shrink by at least the frame's rounding is kept as it is, uncopied.
     *
     * @param id the hash of the chunk, which the caller already needed to look for a duplicate
     * @param chunk holds the chunk's bytes, a full chunk size of them, from {@code offset} on; must not change any more
     */
    public EncodedChunk encode(ChunkId id, byte[] chunk, int offset) {
        int limit = LARGEST_COMPRESSED_UNITS * chunkSize.unit() - HEADER_LENGTH;
        byte[] payload = zstd.compress(chunk, offset, chunkSize.bytes(), limit);
        return payload.length == 0
                ? new EncodedChunk(id, Compression.NONE, ByteBuffer.wrap(chunk, offset, chunkSize.bytes()))
                : new EncodedChunk(id, Compression.ZSTD, ByteBuffer.wrap(payload));
    }

    /** Appends the frame of {@code chunk} to {@code target}, which has room for it at the place that {@code address} tells. */
    public void write(EncodedChunk chunk, ChunkAddress address, ByteBuffer target) {
        int end = target.position() + address.byteLength(chunkSize);
        target.putInt(MAGIC).putInt(chunk.compression().code()).putInt(chunk.payload().remaining()).putInt(address.offset());
        address.pack().put(target);
        chunk.id().put(target);
        target.put(chunk.payload().duplicate());
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
     * @return the chunk's hash
     * @throws CorruptChunkException if they are anything but the frame of that address
     */
    public ChunkId decode(byte[] frame, int offset, ChunkAddress address, byte[] target) throws CorruptChunkException {
        ByteBuffer header = ByteBuffer.wrap(frame, offset, HEADER_LENGTH);
        if (header.getInt() != MAGIC) {
            throw new CorruptChunkException(address, "no frame begins there");
        }
        int compression = header.getInt();
        int length = header.getInt();
        int place = header.getInt();
        PackId pack = PackId.get(header);
        if (place != address.offset() || !pack.equals(address.pack())) {
            throw new CorruptChunkException(address, "the frame there belongs to " + pack + "+" + place);
        }
        if (length < 0 || length > address.byteLength(chunkSize) - HEADER_LENGTH) {
            throw new CorruptChunkException(address, "its payload length is " + length);
        }
        ChunkId id = ChunkId.get(header);
        decompress(compression, frame, offset + HEADER_LENGTH, length, address, target);
        if (!ChunkId.of(target, 0, chunkSize.bytes()).equals(id)) {
            throw new CorruptChunkException(address, "its bytes do not match their hash");
        }
        return id;
    }

    private void decompress(int compression, byte[] frame, int offset, int length, ChunkAddress address, byte[] target)
            throws CorruptChunkException {
        if (compression == Compression.NONE.code()) {
            if (length != chunkSize.bytes()) {
                throw new CorruptChunkException(address, "its payload length is " + length);
            }
            System.arraycopy(frame, offset, target, 0, length);
        } else if (compression == Compression.ZSTD.code()) {
            OptionalInt size = zstd.decompress(frame, offset, length, target, chunkSize.bytes());
            if (size.isEmpty() || size.getAsInt() != chunkSize.bytes()) {
                throw new CorruptChunkException(address, "its payload does not decompress to a chunk");
            }
        } else {
            throw new CorruptChunkException(address, "its compression is " + compression);
        }
    }
}
