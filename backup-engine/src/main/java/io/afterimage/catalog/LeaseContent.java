package io.afterimage.catalog;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * The JSON of a lease of any kind ({@code docs/formats/lease.md}).
 *
 * @param points what the holder works with; null in leases of another kind
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record LeaseContent(int format, Instant expires, Host holder, List<Held> points) {

    static final int LARGEST = 4 * 1024 * 1024;

    private static final int FORMAT = 1;
    private static final Instant LATEST = Instant.parse("9999-12-31T00:00:00Z");
    private static final JsonMapper JSON = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    /** A {@link HeldPoint} in JSON. */
    record Held(String machine, String point, Point.Seal manifest) {

        private HeldPoint toHeldPoint() {
            requireNonNull(manifest.sha256());
            return new HeldPoint(new MachineName(machine), new PointId(point), manifest);
        }
    }

    static LeaseContent of(Instant expires, Host holder, List<HeldPoint> points) {
        List<Held> held = points.stream()
                .map(point -> new Held(point.machine().text(), point.point().hex(), point.manifest()))
                .toList();
        return new LeaseContent(FORMAT, expires, holder, held.isEmpty() ? null : held);
    }

    byte[] toJson() {
        return JSON.writeValueAsBytes(this);
    }

    /** What a lease says; nothing if it makes no sense to this program. */
    static Optional<LeaseContent> parse(byte[] json) {
        try {
            LeaseContent content = JSON.readValue(json, LeaseContent.class);
            boolean sound = content.format == FORMAT && isSane(content.expires) && content.holder.host() != null;
            content.heldPoints();
            return sound ? Optional.of(content) : Optional.empty();
        } catch (JacksonException | IllegalArgumentException | NullPointerException e) {
            return Optional.empty();
        }
    }

    /** Whether one can reckon with the time. */
    private static boolean isSane(Instant time) {
        return time.isAfter(Instant.EPOCH) && time.isBefore(LATEST);
    }

    List<HeldPoint> heldPoints() {
        return points == null ? List.of() : points.stream().map(Held::toHeldPoint).toList();
    }
}
