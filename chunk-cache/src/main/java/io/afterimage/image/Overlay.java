package io.afterimage.image;

import io.afterimage.catalog.HeldPoint;
import io.afterimage.catalog.Point;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import io.afterimage.overlay.OverlayException;
import io.afterimage.overlay.OverlayException.Reason;
import java.time.Instant;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.UUID;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * What an overlay stands on ({@code docs/formats/overlay.md}). Never changes.
 *
 * @param name on this host
 * @param base the point whose disk it lies over; it may have been forgotten since, and is held
 * @param size of the disk in bytes
 * @param limit most bytes that it may take, if it has a limit
 * @param hold names what keeps the base in the repository
 */
public record Overlay(OverlayName name, HeldPoint base, DiskName disk, long size, OptionalLong limit, UUID hold, Instant created) {

    private static final int FORMAT = 1;
    private static final JsonMapper JSON =
            JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

    private record Version(int format) {}

    private record Content(
            int format,
            String machine,
            String disk,
            String point,
            Point.Seal manifest,
            long size,
            Long limit,
            UUID hold,
            Instant created) {}

    /** As selectors name the base. */
    public String selector() {
        return base.machine() + "/" + disk + "@" + base.point();
    }

    byte[] toJson() {
        return JSON.writeValueAsBytes(new Content(
                FORMAT,
                base.machine().text(),
                disk.text(),
                base.point().hex(),
                base.manifest(),
                size,
                limit.isPresent() ? limit.getAsLong() : null,
                hold,
                created));
    }

    static Overlay parse(OverlayName name, byte[] json) throws OverlayException {
        try {
            int format = JSON.readValue(json, Version.class).format;
            if (format > FORMAT) {
                throw new OverlayException(
                        Reason.UNSUPPORTED_FORMAT,
                        "The overlay '" + name + "' is of format " + format + " and this program reads up to " + FORMAT + ": use a newer Afterimage.");
            }
            Content content = JSON.readValue(json, Content.class);
            HeldPoint base = new HeldPoint(
                    new MachineName(content.machine), new PointId(content.point), Objects.requireNonNull(content.manifest));
            OptionalLong limit = content.limit == null ? OptionalLong.empty() : OptionalLong.of(content.limit);
            return new Overlay(
                    name,
                    base,
                    new DiskName(content.disk),
                    content.size,
                    limit,
                    Objects.requireNonNull(content.hold),
                    Objects.requireNonNull(content.created));
        } catch (JacksonException | IllegalArgumentException | NullPointerException e) {
            throw new OverlayException(
                    Reason.DAMAGED,
                    "The file overlay.json of the overlay '" + name
                            + "' is damaged: put it back from a copy, or give the overlay up with 'afterimage discard " + name + "'.",
                    e);
        }
    }
}
