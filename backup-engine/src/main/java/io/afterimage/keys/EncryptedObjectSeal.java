package io.afterimage.keys;

import io.afterimage.store.ObjectKey;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;

/** Magic, random nonce, AES-256-GCM with a key of the object's own and its place as what is proven along. */
final class EncryptedObjectSeal implements ObjectSeal {

    private static final long MAGIC = 0x41495345414c3031L; // "AISEAL01"

    private final MasterKey master;
    private final SecureRandom random;

    EncryptedObjectSeal(MasterKey master, SecureRandom random) {
        this.master = master;
        this.random = random;
    }

    @Override
    public byte[] seal(ObjectKey key, byte[] content) {
        byte[] nonce = new byte[AesGcm.NONCE_LENGTH];
        random.nextBytes(nonce);
        ByteBuffer sealed = ByteBuffer.allocate(OVERHEAD + content.length).putLong(MAGIC).put(nonce);
        cipher(key).seal(nonce, place(key), ByteBuffer.wrap(content), sealed);
        return sealed.array();
    }

    @Override
    public byte[] open(ObjectKey key, byte[] stored) throws BrokenSealException {
        ByteBuffer sealed = ByteBuffer.wrap(stored);
        if (stored.length < OVERHEAD || sealed.getLong() != MAGIC) {
            throw new BrokenSealException(key);
        }
        byte[] nonce = new byte[AesGcm.NONCE_LENGTH];
        sealed.get(nonce);
        ByteBuffer content = ByteBuffer.allocate(stored.length - OVERHEAD);
        if (!cipher(key).open(nonce, place(key), sealed, content)) {
            throw new BrokenSealException(key);
        }
        return content.array();
    }

    private AesGcm cipher(ObjectKey key) {
        return master.cipher("object:" + key);
    }

    private static ByteBuffer place(ObjectKey key) {
        return ByteBuffer.wrap(key.value().getBytes(StandardCharsets.US_ASCII));
    }
}
