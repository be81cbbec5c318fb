package io.afterimage.keys;

import io.afterimage.store.ObjectKey;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;

/**
 * Seals the small objects of a repository (descriptors, manifests, moves), each for the place where it lies, so that none is read that was
 * altered or lies elsewhere. In a repository without encryption objects stay as they are. Thread-safe.
 */
public sealed interface ObjectSeal {

    /** The most bytes that sealing adds, for those who bound what they read. */
    int OVERHEAD = 8 + AesGcm.NONCE_LENGTH + AesGcm.TAG_LENGTH;

    /** What is to be stored at {@code key}. */
    byte[] seal(ObjectKey key, byte[] content);

    /**
     * What was sealed for {@code key}.
     *
     * @param stored bytes from a store, not to be trusted
     * @throws BrokenSealException if it is anything else
     */
    byte[] open(ObjectKey key, byte[] stored) throws BrokenSealException;

    /** The seal of a repository without encryption: none. */
    static ObjectSeal clear() {
        return new Clear();
    }

    static ObjectSeal of(MasterKey master) {
        return new Encrypted(master, new SecureRandom());
    }

    /** Objects as they are. */
    record Clear() implements ObjectSeal {

        @Override
        public byte[] seal(ObjectKey key, byte[] content) {
            return content;
        }

        @Override
        public byte[] open(ObjectKey key, byte[] stored) {
            return stored;
        }
    }

    /** Magic, nonce, AES-256-GCM with a key of the object's own and its place as what is proven along. */
    record Encrypted(MasterKey master, SecureRandom random) implements ObjectSeal {

        private static final long MAGIC = 0x41495345414c3031L; // "AISEAL01"

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
}
