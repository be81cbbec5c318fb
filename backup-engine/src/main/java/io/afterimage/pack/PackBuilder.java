package io.afterimage.pack;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.EncodedChunk;
import io.afterimage.chunk.FrameCodec;
import io.afterimage.chunk.PackId;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/** Gathers encoded chunks into one pack in memory. For one thread; of no use after {@link #finish}. */
public final class PackBuilder {

    /** A pack takes no more chunks from here on: large enough that requests cost little, small enough to hold several. */
    public static final int TARGET_LENGTH = 16 * 1024 * 1024;

    private static final int FIRST_CAPACITY = 256 * 1024;

    private final PackId id;
    private final FrameCodec codec;
    private final IntFunction<ByteBuffer> memory;
    private final List<PackEntry> entries = new ArrayList<>();
    private ByteBuffer bytes;
    private int nextOffset;

    /** In memory of the heap. */
    public PackBuilder(PackId id, FrameCodec codec) {
        this(id, codec, ByteBuffer::allocate);
    }

    /** @param memory gives empty buffers of a capacity, or of a larger one */
    public PackBuilder(PackId id, FrameCodec codec, IntFunction<ByteBuffer> memory) {
        this.id = id;
        this.codec = codec;
        this.memory = memory;
        nextOffset = PackLayout.firstOffset(codec.chunkSize());
        bytes = memory.apply(FIRST_CAPACITY);
        bytes.putLong(PackLayout.HEADER_MAGIC).putInt(codec.chunkSize().bytes()).putInt(0);
        id.put(bytes);
        bytes.position(nextOffset * codec.chunkSize().unit());
    }

    public PackId id() {
        return id;
    }

    public boolean isEmpty() {
        return entries.isEmpty();
    }

    /** Whether the pack has reached its size and should be finished. */
    public boolean isFull() {
        return bytes.position() >= TARGET_LENGTH || entries.size() >= PackLayout.MOST_CHUNKS;
    }

    /** Lays the chunk behind the others and tells where it lies. */
    public ChunkAddress add(EncodedChunk chunk) {
        ChunkAddress address = new ChunkAddress(id, nextOffset, codec.lengthCode(chunk));
        reserve(address.byteLength(codec.chunkSize()));
        codec.write(chunk, address, bytes);
        entries.add(new PackEntry(chunk.id(), address));
        nextOffset += ChunkAddress.units(address.lengthCode(), codec.chunkSize());
        return address;
    }

    /** The chunks added so far, in order. */
    public List<PackEntry> entries() {
        return List.copyOf(entries);
    }

    /** The whole pack. */
    public ByteBuffer finish() {
        reserve(entries.size() * PackLayout.ENTRY_LENGTH + PackLayout.TRAILER_LENGTH);
        int index = bytes.position();
        for (PackEntry entry : entries) {
            entry.id().put(bytes);
            bytes.put((byte) entry.address().lengthCode());
        }
        bytes.putInt(entries.size()).putInt(codec.chunkSize().bytes());
        id.put(bytes);
        byte[] hash = codec.seal().indexHash(id, bytes.duplicate().position(index).limit(bytes.position()));
        bytes.put(hash).putLong(PackLayout.TRAILER_MAGIC);
        return bytes.flip();
    }

    private void reserve(int length) {
        if (bytes.remaining() < length) {
            int needed = bytes.position() + length;
            bytes = memory.apply(Math.max(needed, 2 * bytes.capacity())).put(bytes.flip());
        }
    }
}
