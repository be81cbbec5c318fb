package io.afterimage.repository;

import io.afterimage.chunk.ChunkSize;
import io.afterimage.keys.KeySlot;
import io.afterimage.keys.MasterKey;
import io.afterimage.keys.Secret;
import io.afterimage.repository.RepositoryException.Reason;
import io.afterimage.store.ObjectKey;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * {@code repository.json}: what a program must know before it reads anything else ({@code docs/formats/repository.md}).
 *
 * @param format the version of all the formats together
 * @param id 32 lower-case hex digits, random
 * @param chunkSize in bytes
 * @param hash the chunks' hash: {@code sha-256}, encrypted {@code hmac-sha-256}
 * @param encryption {@code none} or {@code aes-256-gcm}
 * @param keySlots none unless encrypted, and then at least one
 */
record RepositoryHeader(int format, String id, int chunkSize, String hash, String encryption, List<KeySlot> keySlots) {

    static final ObjectKey KEY = ObjectKey.of("repository.json");
    static final int FORMAT = 1;
    static final int LARGEST = 1024 * 1024;

    /** Each costs whoever opens with a passphrase the time of one Argon2id. */
    static final int MOST_SLOTS = 16;

    private static final String SHA_256 = "sha-256";
    private static final String NONE = "none";
    private static final String HMAC_SHA_256 = "hmac-sha-256";
    private static final String AES_256_GCM = "aes-256-gcm";
    private static final Pattern ID = Pattern.compile("[0-9a-f]{32}");
    private static final JsonMapper JSON = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .build();

    /** What opening a slot yields. */
    record Opened(KeySlot slot, MasterKey master) {}

    private record Version(int format) {}

    static RepositoryHeader clear(String id, ChunkSize chunkSize) {
        return new RepositoryHeader(FORMAT, id, chunkSize.bytes(), SHA_256, NONE, List.of());
    }

    /** Has no slot yet, and must not be stored so. */
    static RepositoryHeader encrypted(String id, ChunkSize chunkSize) {
        return new RepositoryHeader(FORMAT, id, chunkSize.bytes(), HMAC_SHA_256, AES_256_GCM, List.of());
    }

    RepositoryHeader withKeySlots(List<KeySlot> slots) {
        return new RepositoryHeader(format, id, chunkSize, hash, encryption, List.copyOf(slots));
    }

    boolean hasKeys() {
        return encryption.equals(AES_256_GCM);
    }

    /** What each key slot proves: all that is said here, but for the slots themselves. */
    String canonicalText() {
        return "afterimage repository\nformat " + format + "\nid " + id + "\nchunkSize " + chunkSize + "\nhash " + hash + "\nencryption "
                + encryption + "\n";
    }

    /** Tries the slots one after the other. */
    Optional<Opened> open(Secret secret) {
        for (KeySlot slot : keySlots) {
            Optional<MasterKey> master = slot.open(secret, canonicalText(), id);
            if (master.isPresent()) {
                return Optional.of(new Opened(slot, master.get()));
            }
        }
        return Optional.empty();
    }

    byte[] toJson() {
        return toJson(JSON.createObjectNode());
    }

    /** As {@link #toJson()}, with the fields that this program does not know and {@code present}, what is stored now, has. */
    byte[] toJson(byte[] present) {
        return toJson((ObjectNode) JSON.readTree(present));
    }

    private byte[] toJson(ObjectNode target) {
        ObjectNode known = JSON.valueToTree(this);
        for (var slot : known.get("keySlots")) {
            ObjectNode kdf = (ObjectNode) slot.get("kdf");
            kdf.removeNulls();
        }
        target.setAll(known);
        return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(target);
    }

    /** @param store the store's name for the message */
    static RepositoryHeader parse(byte[] json, String store) throws RepositoryException {
        try {
            // First of all: of a later format nothing else is known.
            int format = JSON.readValue(json, Version.class).format;
            if (format > FORMAT) {
                throw new RepositoryException(
                        Reason.UNSUPPORTED_FORMAT,
                        "The repository in " + store + " is of format " + format + " and this program reads up to "
                                + FORMAT + ": use a newer Afterimage.");
            }
            RepositoryHeader header = JSON.readValue(json, RepositoryHeader.class);
            boolean clear = SHA_256.equals(header.hash) && NONE.equals(header.encryption);
            boolean encrypted = HMAC_SHA_256.equals(header.hash) && AES_256_GCM.equals(header.encryption);
            if (!clear && !encrypted) {
                throw new RepositoryException(
                        Reason.UNSUPPORTED_FORMAT,
                        "The repository in " + store + " uses hash '" + header.hash + "' and encryption '" + header.encryption
                                + "', which this program does not know: use a newer Afterimage.");
            }
            int slots = header.keySlots == null ? 0 : header.keySlots.size();
            if (header.id == null || !ID.matcher(header.id).matches() || header.format < 1 || slots > MOST_SLOTS || encrypted != slots > 0) {
                throw new IllegalArgumentException("no proper id, format or number of key slots");
            }
            return new RepositoryHeader(
                    header.format,
                    header.id,
                    new ChunkSize(header.chunkSize).bytes(),
                    header.hash,
                    header.encryption,
                    encrypted ? List.copyOf(header.keySlots) : List.of());
        } catch (JacksonException | IllegalArgumentException | NullPointerException e) {
            throw new RepositoryException(
                    Reason.DAMAGED,
                    "The file repository.json in " + store + " is damaged: put it back from a copy; nothing else names the format.",
                    e);
        }
    }
}
