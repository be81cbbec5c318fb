package io.afterimage.keys;

import static java.util.Objects.requireNonNull;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Optional;

/**
 * The master key as one secret opens it, as it stands in {@code repository.json}: wrapped by AES-256-GCM, together with what a
 * repository says of itself, so that a header that was altered does not open.
 *
 * @param id 8 hex digits, random, by which people name the slot
 * @param kind {@code passphrase} or {@code key-file}
 * @param kdf how the secret becomes a key
 * @param nonce 24 hex digits
 * @param wrapped 96 hex digits: the master key's ciphertext and tag
 */
public record KeySlot(String id, String kind, KeyDerivation kdf, String nonce, String wrapped) {

    static final String PASSPHRASE = "passphrase";
    static final String KEY_FILE = "key-file";

    private static final HexFormat HEX = HexFormat.of();

    public KeySlot {
        requireNonNull(kdf);
        String expected = switch (kind) {
            case PASSPHRASE -> KeyDerivation.ARGON2ID;
            case KEY_FILE -> KeyDerivation.HKDF_SHA_256;
            default -> throw new IllegalArgumentException("a key slot is of the unknown kind '" + kind + "'");
        };
        if (!kdf.name().equals(expected)) {
            throw new IllegalArgumentException("a key slot derives its key by the unknown '" + kdf.name() + "'");
        }
        if (!id.matches("[0-9a-f]{8}") || !nonce.matches("[0-9a-f]{24}") || !wrapped.matches("[0-9a-f]{96}")) {
            throw new IllegalArgumentException("a key slot is not whole");
        }
    }

    /**
     * A new slot.
     *
     * @param header the canonical text of the repository's header, which the slot proves
     */
    public static KeySlot wrap(MasterKey master, Secret secret, String header, SecureRandom random) {
        byte[] id = new byte[4];
        byte[] nonce = new byte[AesGcm.NONCE_LENGTH];
        random.nextBytes(id);
        random.nextBytes(nonce);
        KeyDerivation kdf = secret.newDerivation(random);
        String name = HEX.formatHex(id);
        ByteBuffer wrapped = ByteBuffer.allocate(MasterKey.LENGTH + AesGcm.TAG_LENGTH);
        kdf.cipher(secret.bytes())
                .seal(nonce, associated(header, name, secret.kind()), ByteBuffer.wrap(master.bytes()), wrapped);
        return new KeySlot(name, secret.kind(), kdf, HEX.formatHex(nonce), HEX.formatHex(wrapped.array()));
    }

    /** The master key, if {@code secret} opens this slot of a repository with that header and id. */
    public Optional<MasterKey> open(Secret secret, String header, String repositoryId) {
        if (!secret.kind().equals(kind)) {
            return Optional.empty();
        }
        ByteBuffer master = ByteBuffer.allocate(MasterKey.LENGTH);
        boolean opens = kdf.cipher(secret.bytes())
                .open(HEX.parseHex(nonce), associated(header, id, kind), ByteBuffer.wrap(HEX.parseHex(wrapped)), master);
        return opens ? Optional.of(new MasterKey(master.array(), repositoryId)) : Optional.empty();
    }

    private static ByteBuffer associated(String header, String id, String kind) {
        return ByteBuffer.wrap((header + "slot " + id + " " + kind + "\n").getBytes(StandardCharsets.US_ASCII));
    }
}
