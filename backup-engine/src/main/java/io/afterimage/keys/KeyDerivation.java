package io.afterimage.keys;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Objects;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.crypto.generators.Argon2BytesGenerator;
import org.bouncycastle.crypto.params.Argon2Parameters;

/**
 * How a slot's secret becomes the key that the master key is wrapped with, as it stands in {@code repository.json}.
 *
 * @param name {@code argon2id} (RFC 9106, version 0x13) for passphrases, {@code hkdf-sha-256} for key files, which need no strength added
 * @param salt 32 hex digits
 * @param memory KiB; null unless Argon2id, and so are the others
 * @param iterations passes over the memory
 * @param parallelism lanes
 */
public record KeyDerivation(String name, String salt, Integer memory, Integer iterations, Integer parallelism) {

    static final String ARGON2ID = "argon2id";
    static final String HKDF_SHA_256 = "hkdf-sha-256";

    private static final int SALT_LENGTH = 16;
    private static final int LARGEST_MEMORY = 256 * 1024;
    private static final int MOST_ITERATIONS = 64;
    private static final int MOST_LANES = 16;

    public KeyDerivation {
        if (!salt.matches("[0-9a-f]{32}")) {
            throw new IllegalArgumentException("a key slot's salt is not 32 hex digits");
        }
        if (name.equals(ARGON2ID)) {
            // What a header asks for is not yet proven: it must not cost more than a program has.
            check("memory", memory, 8 * Objects.requireNonNull(parallelism), LARGEST_MEMORY);
            check("iterations", iterations, 1, MOST_ITERATIONS);
            check("parallelism", parallelism, 1, MOST_LANES);
        }
    }

    private static void check(String what, Integer value, int least, int most) {
        if (Objects.requireNonNull(value) < least || value > most) {
            throw new IllegalArgumentException("a key slot's " + what + " is not from " + least + " to " + most + " but " + value);
        }
    }

    /** The second recommended option of RFC 9106, section 4: 3 passes over 64 MiB. */
    static KeyDerivation argon2id(SecureRandom random) {
        return new KeyDerivation(ARGON2ID, salt(random), 64 * 1024, 3, 4);
    }

    static KeyDerivation hkdf(SecureRandom random) {
        return new KeyDerivation(HKDF_SHA_256, salt(random), null, null, null);
    }

    private static String salt(SecureRandom random) {
        byte[] salt = new byte[SALT_LENGTH];
        random.nextBytes(salt);
        return HexFormat.of().formatHex(salt);
    }

    /** The key that the slot's master key is wrapped with. Argon2id takes a noticeable time, on purpose. */
    AesGcm cipher(byte[] secret) {
        byte[] saltBytes = HexFormat.of().parseHex(salt);
        if (name.equals(HKDF_SHA_256)) {
            SecretKey pseudoRandom = Hkdf.extract(saltBytes, secret);
            return new AesGcm(Hkdf.expand(pseudoRandom, "key slot", "AES"));
        }
        Argon2BytesGenerator generator = new Argon2BytesGenerator();
        generator.init(new Argon2Parameters.Builder(Argon2Parameters.ARGON2_id)
                .withVersion(Argon2Parameters.ARGON2_VERSION_13)
                .withSalt(saltBytes)
                .withMemoryAsKB(memory)
                .withIterations(iterations)
                .withParallelism(parallelism)
                .build());
        byte[] key = new byte[MasterKey.LENGTH];
        generator.generateBytes(secret, key);
        return new AesGcm(new SecretKeySpec(key, "AES"));
    }
}
