package io.afterimage.keys;

import java.security.SecureRandom;
import java.util.HexFormat;
import javax.crypto.SecretKey;

/**
 * The one random key of a repository, from which the key of every purpose is derived: HKDF-SHA-256 (RFC 5869), the repository's
 * id as salt, the purpose as info. It lies in the store only wrapped, in {@linkplain KeySlot key slots}. Thread-safe.
 */
public final class MasterKey {

    /** Bytes of this key and of each that is derived. */
    static final int LENGTH = 32;

    private final byte[] bytes;
    private final SecretKey pseudoRandom;

    /** @param repositoryId 32 hex digits */
    MasterKey(byte[] bytes, String repositoryId) {
        this.bytes = bytes.clone();
        pseudoRandom = Hkdf.extract(HexFormat.of().parseHex(repositoryId), bytes);
    }

    /** The key of a new repository. */
    public static MasterKey random(SecureRandom random, String repositoryId) {
        byte[] bytes = new byte[LENGTH];
        random.nextBytes(bytes);
        return new MasterKey(bytes, repositoryId);
    }

    /** A cipher under the key of that purpose. */
    public AesGcm cipher(String purpose) {
        return new AesGcm(Hkdf.expand(pseudoRandom, purpose, "AES"));
    }

    /** A hash under the key of that purpose. */
    public KeyedHash hash(String purpose) {
        return new KeyedHash(Hkdf.expand(pseudoRandom, purpose, "HmacSHA256"));
    }

    /** To be wrapped. */
    byte[] bytes() {
        return bytes.clone();
    }
}
