package io.afterimage.pack;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.FrameCodec;
import io.afterimage.chunk.PackId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;

/** Reads what a pack says of itself, without reading its chunks. Everything is checked before it is believed. */
public final class PackIndex {

    /** Enough for the index of all but oddly full packs, so that one request serves. */
    private static final int FIRST_READ = 128 * 1024;

    private PackIndex() {}

    /** Some bytes of the pack; an error if they are not all there. */
    @FunctionalInterface
    public interface Source {
        ByteBuffer read(long offset, int length) throws IOException;
    }

    /**
     * The chunks of a pack in the order in which they lie, as its index lists them. Costs one request, seldom two.
     *
     * @param codec the repository's own
     * @param length the length of the pack in bytes
     * @throws CorruptPackException if the pack is not whole, not this one, or not of this chunk size
     */
    public static List<PackEntry> read(PackId pack, long length, FrameCodec codec, Source source) throws IOException {
        ChunkSize chunkSize = codec.chunkSize();
        int smallest = PackLayout.firstOffset(chunkSize) * chunkSize.unit() + PackLayout.TRAILER_LENGTH;
        if (length < smallest) {
            throw new CorruptPackException(pack, "it is cut off after " + length + " bytes");
        }
        ByteBuffer tail = tail(length, (int) Math.min(length, FIRST_READ), source);
        ByteBuffer trailer = tail.duplicate().position(tail.limit() - PackLayout.TRAILER_LENGTH);
        int count = trailer.getInt(trailer.position());
        if (tail.getLong(tail.limit() - 8) != PackLayout.TRAILER_MAGIC || count < 0 || count > PackLayout.MOST_CHUNKS) {
            throw new CorruptPackException(pack, "its end is cut off or overwritten");
        }
        int indexLength = count * PackLayout.ENTRY_LENGTH + PackLayout.TRAILER_LENGTH;
        if (indexLength > length - PackLayout.firstOffset(chunkSize) * (long) chunkSize.unit()) {
            throw new CorruptPackException(pack, "its index is longer than itself");
        }
        if (indexLength > tail.limit()) {
            tail = tail(length, indexLength, source);
        }
        ByteBuffer index = tail.position(tail.limit() - indexLength).slice();
        check(pack, codec, index);
        return entries(pack, chunkSize, index, count, length - indexLength);
    }

    private static ByteBuffer tail(long length, int tailLength, Source source) throws IOException {
        return source.read(length - tailLength, tailLength);
    }

    private static void check(PackId pack, FrameCodec codec, ByteBuffer index) throws CorruptPackException {
        ByteBuffer trailer = index.duplicate().position(index.limit() - PackLayout.TRAILER_LENGTH + 4);
        int ownChunkSize = trailer.getInt();
        PackId ownName = PackId.get(trailer);
        byte[] hash = new byte[32];
        int hashed = trailer.position();
        trailer.get(hash);
        if (!MessageDigest.isEqual(hash, codec.seal().indexHash(pack, index.duplicate().position(0).limit(hashed)))) {
            throw new CorruptPackException(pack, "its index does not match its hash");
        }
        if (!ownName.equals(pack)) {
            throw new CorruptPackException(pack, "it names itself " + ownName);
        }
        if (ownChunkSize != codec.chunkSize().bytes()) {
            throw new CorruptPackException(pack, "its chunk size is " + ownChunkSize);
        }
    }

    private static List<PackEntry> entries(
            PackId pack, ChunkSize chunkSize, ByteBuffer index, int count, long framesEnd) throws CorruptPackException {
        List<PackEntry> entries = new ArrayList<>(count);
        int offset = PackLayout.firstOffset(chunkSize);
        for (int i = 0; i < count; i++) {
            ChunkId id = ChunkId.get(index);
            ChunkAddress address = new ChunkAddress(pack, offset, Byte.toUnsignedInt(index.get()));
            entries.add(new PackEntry(id, address));
            offset += ChunkAddress.units(address.lengthCode(), chunkSize);
            if (offset >= ChunkAddress.OFFSETS) {
                throw new CorruptPackException(pack, "its frames reach beyond what a pack can hold");
            }
        }
        if ((long) offset * chunkSize.unit() != framesEnd) {
            throw new CorruptPackException(pack, "its frames end at " + (long) offset * chunkSize.unit() + ", not " + framesEnd);
        }
        return entries;
    }
}
