package io.afterimage.command.output;

import io.afterimage.catalog.CaptureBytes;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointDisk;
import io.afterimage.catalog.PointKind;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.PointId;
import io.afterimage.settings.ByteSize;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A restore point as {@code --json} shows it. Fields may be added, never renamed or removed.
 *
 * @param parent null when the point has none
 * @param immutable how long and how strictly the point's objects are locked at least; null when they were not
 * @param documents names of the documents that describe the machine; null in lists
 */
public record PointView(
        String machine,
        String point,
        Instant time,
        String kind,
        String parent,
        List<Disk> disks,
        CaptureBytes bytes,
        Immutable immutable,
        Set<String> documents) {

    /** Hex digits that tell the millisecond, and so tell the points of one machine apart. */
    private static final int SHORT_ID = 12;

    /** One disk; {@code reason} says why it was read whole in spite of a parent, else it is null. */
    public record Disk(String name, long size, String change, String reason, CaptureBytes bytes) {}

    /** {@code mode} is {@code governance} or {@code compliance}. */
    public record Immutable(String mode, Instant until) {}

    public static PointView of(Point point) {
        return view(point, null);
    }

    public static PointView of(Point point, Manifest manifest) {
        return view(point, manifest.definition().keySet());
    }

    private static PointView view(Point point, Set<String> documents) {
        return new PointView(
                point.machine().text(),
                point.id().hex(),
                point.time(),
                lower(point.kind()),
                point.parent().map(PointId::hex).orElse(null),
                point.disks().stream()
                        .map(disk -> new Disk(
                                disk.name().text(), disk.size(), lower(disk.change()), disk.reason().orElse(null), disk.bytes()))
                        .toList(),
                point.bytes(),
                point.immutable().map(retention -> new Immutable(lower(retention.mode()), retention.until())).orElse(null),
                documents);
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    /** One line a point. */
    public static String table(List<Point> points) {
        List<List<String>> rows = new ArrayList<>();
        boolean immutable = points.stream().anyMatch(point -> point.immutable().isPresent());
        List<String> titles = new ArrayList<>(List.of("MACHINE", "POINT", "TIME", "KIND", "DISKS", "READ", "STORED"));
        if (immutable) {
            titles.add("IMMUTABLE UNTIL");
        }
        rows.add(titles);
        for (Point point : points) {
            List<String> row = new ArrayList<>(List.of(
                    point.machine().text(),
                    shortId(point.id()),
                    point.time().truncatedTo(ChronoUnit.SECONDS).toString(),
                    lower(point.kind()),
                    point.disks().stream()
                            .map(disk -> disk.name() + " " + ByteSize.format(disk.size()))
                            .collect(Collectors.joining(", ")),
                    ByteSize.format(point.bytes().read()),
                    ByteSize.format(point.bytes().stored() + point.bytes().manifest())));
            if (immutable) {
                row.add(point.immutable().map(retention -> retention.until().toString()).orElse("-"));
            }
            rows.add(row);
        }
        return TextTable.of(rows);
    }

    /** One sentence for whoever has just made the point. */
    public static String summary(Point point) {
        String how = point.kind() == PointKind.FULL ? "Full backup" : "Increment";
        String reasons = point.disks().stream()
                .filter(disk -> disk.reason().isPresent())
                .map(disk -> "\nDisk " + disk.name() + " was read whole: " + disk.reason().get() + ".")
                .collect(Collectors.joining());
        return how + " of " + point.machine() + " as of " + point.time() + ": point " + shortId(point.id()) + ", "
                + ByteSize.format(point.bytes().read()) + " read, "
                + ByteSize.format(point.bytes().stored() + point.bytes().manifest()) + " stored"
                + point.immutable().map(retention -> ", immutable until " + retention.until()).orElse("") + "." + reasons;
    }

    /**
     * All of it.
     *
     * @param machine what the machine was, in some words; may be empty, as what its guest told of itself
     */
    public static String details(Point point, Manifest manifest, String machine, String guest) {
        List<List<String>> facts = new ArrayList<>();
        facts.add(List.of("machine", point.machine().text()));
        facts.add(List.of("point", point.id().hex()));
        facts.add(List.of("time", point.time().toString()));
        facts.add(List.of("kind", lower(point.kind())));
        point.parent().ifPresent(parent -> facts.add(List.of("parent", parent.hex())));
        point.immutable()
                .ifPresent(retention -> facts.add(List.of("immutable until", retention.until() + " (" + lower(retention.mode()) + ")")));
        addBytes(facts, point.bytes());
        for (PointDisk disk : point.disks()) {
            facts.add(List.of("disk " + disk.name(), ByteSize.format(disk.size()) + ", changes found by "
                    + (disk.change() == PointDisk.Change.BITMAP ? "dirty bitmap" : "reading it whole")
                    + disk.reason().map(reason -> ": " + reason).orElse("")));
        }
        for (List<String> fact : List.of(List.of("hardware", machine), List.of("guest", guest))) {
            if (!fact.getLast().isEmpty()) {
                facts.add(fact);
            }
        }
        facts.add(List.of("described by", String.join(", ", manifest.definition().keySet())));
        return TextTable.of(facts);
    }

    private static void addBytes(List<List<String>> facts, CaptureBytes bytes) {
        facts.add(List.of("dirty", ByteSize.format(bytes.dirty())));
        facts.add(List.of("read", ByteSize.format(bytes.read())));
        facts.add(List.of("deduplicated", ByteSize.format(bytes.deduplicated())));
        facts.add(List.of("stored", ByteSize.format(bytes.stored())));
        facts.add(List.of("manifest", ByteSize.format(bytes.manifest())));
    }

    private static String shortId(PointId id) {
        return id.hex().substring(0, SHORT_ID);
    }
}
