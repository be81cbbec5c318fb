package io.afterimage.capture.qemu;

import tools.jackson.databind.JsonNode;

/**
 * Something that QEMU told without being asked.
 *
 * @param name such as {@code BLOCK_IO_ERROR}
 * @param data the event's members; an empty object when it has none
 */
public record QmpEvent(String name, JsonNode data) {

    /** A member of {@link #data} as text, or "" when it is missing. */
    public String text(String member) {
        return data.path(member).asString("");
    }
}
