package io.afterimage.chunk;

import io.afterimage.keys.AesGcm;
import io.afterimage.keys.KeyedHash;
import io.afterimage.keys.MasterKey;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * AES-256-GCM with a key for each pack, and HMAC-SHA-256. Pack ids are random and each offset of a pack is written once: so the
 * offset is the nonce, and no message of a key has the nonce of another.
 */
final class EncryptedPackSeal extends PackSeal {

    /** Of packs that were read or written lately: more are derived anew, which costs microseconds. */
    private static final int KEPT_KEYS = 10_000;

    private final MasterKey master;
    private final KeyedHash ids;
    private final Map<PackId, AesGcm> ciphers = new ConcurrentHashMap<>();

    EncryptedPackSeal(MasterKey master) {
        this.master = master;
        ids = master.hash("chunk id");
    }

    @Override
    public ChunkId id(byte[] bytes, int offset, int length) {
        return ChunkId.get(ByteBuffer.wrap(ids.of(ByteBuffer.wrap(bytes, offset, length))));
    }

    @Override
    public byte[] indexHash(PackId pack, ByteBuffer index) {
        return master.hash("pack index:" + pack).of(index);
    }

    @Override
    int overhead() {
        return AesGcm.TAG_LENGTH;
    }

    @Override
    void seal(ChunkAddress address, ByteBuffer header, ByteBuffer payload, ByteBuffer target) {
        cipher(address.pack()).seal(nonce(address), header, payload, target);
    }

    @Override
    ByteBuffer open(ChunkAddress address, ByteBuffer header, ByteBuffer sealed, ByteBuffer room) throws CorruptChunkException {
        ByteBuffer payload = room != null ? room : ByteBuffer.allocate(sealed.remaining() - AesGcm.TAG_LENGTH);
        if (!cipher(address.pack()).open(nonce(address), header, sealed, payload)) {
            throw new CorruptChunkException(address, "its bytes do not match their tag");
        }
        return payload.flip();
    }

    @Override
    boolean proves(ChunkId id, byte[] chunk, int length) {
        return true;
    }

    private AesGcm cipher(PackId pack) {
        AesGcm known = ciphers.get(pack);
        if (known != null) {
            return known;
        }
        if (ciphers.size() >= KEPT_KEYS) {
            ciphers.clear();
        }
        AesGcm derived = master.cipher("pack:" + pack);
        ciphers.put(pack, derived);
        return derived;
    }

    private static byte[] nonce(ChunkAddress address) {
        return ByteBuffer.allocate(AesGcm.NONCE_LENGTH).putInt(8, address.offset()).array();
    }
}
