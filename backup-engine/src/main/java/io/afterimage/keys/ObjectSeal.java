package io.afterimage.keys;

import io.afterimage.store.ObjectKey;
import java.security.SecureRandom;

/**
 * Seals the small objects of a repository (descriptors, manifests, moves), each for the place where it lies, so that none is read that was
 * altered or lies elsewhere. In a repository without encryption objects stay as they are. Thread-safe.
 */
public sealed interface ObjectSeal permits ClearObjectSeal, EncryptedObjectSeal {

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
        return new ClearObjectSeal();
    }

    static ObjectSeal of(MasterKey master) {
        return new EncryptedObjectSeal(master, new SecureRandom());
    }
}
