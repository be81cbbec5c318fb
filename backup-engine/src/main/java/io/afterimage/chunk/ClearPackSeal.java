package io.afterimage.chunk;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** SHA-256, and payloads as they are. */
final class ClearPackSeal extends PackSeal {

    @Override
    public ChunkId id(byte[] bytes, int offset, int length) {
        return ChunkId.of(bytes, offset, length);
    }

    @Override
    public byte[] indexHash(PackId pack, ByteBuffer index) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(index);
            return digest.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    @Override
    int overhead() {
        return 0;
    }

    @Override
    void seal(ChunkAddress address, ByteBuffer header, ByteBuffer payload, ByteBuffer target) {
        target.put(payload);
    }

    @Override
    ByteBuffer open(ChunkAddress address, ByteBuffer header, ByteBuffer sealed, ByteBuffer room) {
        return room == null ? sealed : room.put(sealed).flip();
    }

    @Override
    boolean proves(ChunkId id, byte[] chunk, int length) {
        return id(chunk, 0, length).equals(id);
    }
}
