package io.afterimage.capture.qemu;

import tools.jackson.databind.JsonNode;

/**
 * A dirty bitmap as QEMU describes it.
 *
 * @param name "" for one that QEMU uses internally
 * @param recording whether writes are marked in it
 * @param persistent whether it is stored in the image when the image is closed
 * @param inconsistent whether QEMU died while it was in use: it can only be removed
 * @param busy whether an export or a job holds it
 * @param granularity bytes that one bit stands for, a power of two
 * @param count bytes in dirty granules; may pass the disk's size, as whole granules are counted
 */
public record DirtyBitmap(
        String name, boolean recording, boolean persistent, boolean inconsistent, boolean busy, long granularity, long count) {

    static DirtyBitmap of(JsonNode json) {
        return new DirtyBitmap(
                json.path("name").asString(""),
                json.path("recording").asBoolean(false),
                json.path("persistent").asBoolean(false),
                json.path("inconsistent").asBoolean(false),
                json.path("busy").asBoolean(false),
                json.path("granularity").asLong(0),
                json.path("count").asLong(0));
    }
}
