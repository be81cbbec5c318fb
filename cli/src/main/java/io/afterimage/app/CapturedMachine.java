package io.afterimage.app;

import io.afterimage.manifest.Manifest;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a point tells of the machine that it was taken from, as far as a boot needs it.
 *
 * @param memory in bytes
 * @param processors virtual CPUs
 */
record CapturedMachine(Optional<Long> memory, Optional<Integer> processors) {

    private static final JsonMapper JSON = new JsonMapper();
    private static final long MOST_MEMORY = 1L << 42;
    private static final int MOST_PROCESSORS = 1024;

    static CapturedMachine of(Manifest manifest) {
        long memory = document(manifest, "query-memory-size-summary").path("base-memory").asLong(0);
        int processors = document(manifest, "query-cpus-fast").size();
        return new CapturedMachine(
                Optional.of(memory).filter(bytes -> bytes > 0 && bytes <= MOST_MEMORY),
                Optional.of(processors).filter(count -> count > 0 && count <= MOST_PROCESSORS));
    }

    private static JsonNode document(Manifest manifest, String command) {
        return manifest.definition().entrySet().stream()
                .filter(document -> document.getKey().contains(command))
                .findFirst()
                .map(document -> {
                    try {
                        return JSON.readTree(document.getValue());
                    } catch (JacksonException e) {
                        return JSON.createObjectNode();
                    }
                })
                .orElseGet(JSON::createObjectNode);
    }
}
