package io.afterimage.repository;

import io.afterimage.chunk.ChunkSize;
import io.afterimage.repository.RepositoryException.Reason;
import io.afterimage.store.ObjectKey;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * {@code repository.json}: what a program must know before it reads anything else ({@code docs/formats/repository.md}).
 *
 * @param format the version of all the formats together
 * @param id 32 lower-case hex digits, random
 * @param chunkSize in bytes
 * @param hash the chunks' hash: {@code sha-256}
 * @param encryption {@code none}
 * @param keySlots none unless encrypted
 */
record RepositoryHeader(int format, String id, int chunkSize, String hash, String encryption, List<Object> keySlots) {

    static final ObjectKey KEY = ObjectKey.of("repository.json");
    static final int FORMAT = 1;
    static final int LARGEST = 1024 * 1024;

    private static final String SHA_256 = "sha-256";
    private static final String NONE = "none";
    private static final Pattern ID = Pattern.compile("[0-9a-f]{32}");
    private static final JsonMapper JSON = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    static RepositoryHeader create(String id, ChunkSize chunkSize) {
        return new RepositoryHeader(FORMAT, id, chunkSize.bytes(), SHA_256, NONE, List.of());
    }

    ByteBuffer toJson() {
        return ByteBuffer.wrap(JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(this));
    }

    /** @param store the store's name for the message */
    static RepositoryHeader parse(byte[] json, String store) throws RepositoryException {
        try {
            RepositoryHeader header = JSON.readValue(json, RepositoryHeader.class);
            if (header.format > FORMAT) {
                throw new RepositoryException(
                        Reason.UNSUPPORTED_FORMAT,
                        "The repository in " + store + " is of format " + header.format + " and this program reads up to "
                                + FORMAT + ": use a newer Afterimage.");
            }
            if (!SHA_256.equals(header.hash) || !NONE.equals(header.encryption)) {
                throw new RepositoryException(
                        Reason.UNSUPPORTED_FORMAT,
                        "The repository in " + store + " uses hash '" + header.hash + "' and encryption '" + header.encryption
                                + "', which this program does not know: use a newer Afterimage.");
            }
            if (header.id == null || !ID.matcher(header.id).matches() || header.format < 1) {
                throw new IllegalArgumentException("no proper id or format");
            }
            return new RepositoryHeader(
                    header.format, header.id, new ChunkSize(header.chunkSize).bytes(), header.hash, header.encryption, List.of());
        } catch (JacksonException | IllegalArgumentException e) {
            throw new RepositoryException(
                    Reason.DAMAGED,
                    "The file repository.json in " + store + " is damaged: put it back from a copy; nothing else names the format.",
                    e);
        }
    }
}
