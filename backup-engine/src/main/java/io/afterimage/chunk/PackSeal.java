package io.afterimage.chunk;

import io.afterimage.keys.MasterKey;
import java.nio.ByteBuffer;

/**
 * What proves what lies in packs, and in an encrypted repository hides it: the identity of chunks, the payloads of frames, the hash
 * of a pack's index. Thread-safe.
 */
public abstract sealed class PackSeal permits ClearPackSeal, EncryptedPackSeal {

    /** The room that a frame has for what sealing adds, in every repository, so that a chunk's frame is as long in all of them. */
    static final int LARGEST_OVERHEAD = 16;

    /** Without encryption: plain hashes prove against accidents. */
    public static PackSeal clear() {
        return new ClearPackSeal();
    }

    /** With keys of a repository's own: tags prove against everybody else, and equal chunks of two repositories do not look equal. */
    public static PackSeal of(MasterKey master) {
        return new EncryptedPackSeal(master);
    }

    /** The id of the chunk that is {@code length} bytes of {@code bytes} from {@code offset} on. */
    public abstract ChunkId id(byte[] bytes, int offset, int length);

    /** 32 bytes that prove the index of a pack; {@code index} is read up to its limit. */
    public abstract byte[] indexHash(PackId pack, ByteBuffer index);

    /** Bytes that a sealed payload is longer than the payload. */
    abstract int overhead();

    /**
     * Appends the sealed payload to {@code target}.
     *
     * @param header the frame's header, which is proven along
     */
    abstract void seal(ChunkAddress address, ByteBuffer header, ByteBuffer payload, ByteBuffer target);

    /**
     * The payload that was sealed for that place.
     *
     * @param header the frame's header
     * @param sealed from a store, not to be trusted; not shorter than {@link #overhead}
     * @param room takes the payload in and has just the room for it; null when any buffer will do
     * @return {@code room} if there is one, from its begin to its limit; else a buffer with an array
     * @throws CorruptChunkException if this can tell already that it is anything else
     */
    abstract ByteBuffer open(ChunkAddress address, ByteBuffer header, ByteBuffer sealed, ByteBuffer room) throws CorruptChunkException;

    /** Whether what came of an opened payload is the chunk of that id; what {@link #open} has proven is not proven again. */
    abstract boolean proves(ChunkId id, byte[] chunk, int length);
}
