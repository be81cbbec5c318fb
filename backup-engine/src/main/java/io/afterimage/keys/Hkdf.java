package io.afterimage.keys;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import javax.crypto.KDF;
import javax.crypto.SecretKey;
import javax.crypto.spec.HKDFParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/** HKDF with SHA-256 (RFC 5869). */
final class Hkdf {

    private Hkdf() {}

    static SecretKey extract(byte[] salt, byte[] secret) {
        try {
            return kdf().deriveKey(
                    "Generic",
                    HKDFParameterSpec.ofExtract().addSalt(salt).addIKM(new SecretKeySpec(secret, "Generic")).extractOnly());
        } catch (GeneralSecurityException e) {
            throw new AssertionError("HKDF takes any secret and any salt", e);
        }
    }

    static SecretKey expand(SecretKey pseudoRandom, String info, String algorithm) {
        try {
            return kdf().deriveKey(
                    algorithm,
                    HKDFParameterSpec.expandOnly(pseudoRandom, info.getBytes(StandardCharsets.UTF_8), MasterKey.LENGTH));
        } catch (GeneralSecurityException e) {
            throw new AssertionError("HKDF expands to 32 bytes", e);
        }
    }

    private static KDF kdf() throws GeneralSecurityException {
        return KDF.getInstance("HKDF-SHA256");
    }
}
