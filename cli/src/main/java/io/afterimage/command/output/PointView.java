package io.afterimage.command.output;

import io.afterimage.catalog.CaptureBytes;
import io.afterimage.catalog.Consistency;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointDisk;
import io.afterimage.catalog.PointKind;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.PointId;
import io.afterimage.profile.BootProfile;
import io.afterimage.profile.FoundProfile;
import io.afterimage.settings.ByteSize;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A restore point as {@code --json} shows it. Fields may be added, never renamed or removed.
 *
 * @param parent null when the point has none
 * @param base null unless the parent is another machine's point
 * @param immutable how long and how strictly the point's objects are locked at least; null when they were not
 * @param consistency what the guest knew of the instant; null when it was not asked
 * @param group the group that it was captured in; null when it was in none
 * @param documents names of the documents that describe the machine; null in lists
 */
public record PointView(
        String machine,
        String point,
        Instant time,
        String kind,
        String parent,
        Base base,
        List<Disk> disks,
        CaptureBytes bytes,
        Immutable immutable,
        Consistent consistency,
        Group group,
        Set<String> documents) {

    /** Hex digits that tell the millisecond, and so tell the points of one machine apart. */
    private static final int SHORT_ID = 12;

    private static final double NANOS_PER_MILLI = 1e6;

    /**
     * One disk.
     *
     * @param reason why it was read whole in spite of a parent; else null
     * @param bootProfile what boots of the machine read of it, or those of the base image below it; null when that is not known, and in lists
     */
    public record Disk(String name, long size, String change, String reason, CaptureBytes bytes, Profile bootProfile) {}

    /** Recorded when {@code point} of {@code machine} was booted, from its {@code disk}; what was read, and within which time. */
    public record Profile(Instant recorded, String machine, String disk, String point, int reads, long bytes, double seconds) {

        private static Profile of(FoundProfile found) {
            BootProfile profile = found.profile();
            return new Profile(
                    profile.recorded(),
                    found.place().machine().text(),
                    found.place().disk().text(),
                    profile.point().hex(),
                    profile.reads().size(),
                    profile.bytes(),
                    profile.millis() / 1000.0);
        }
    }

    /** The machine that was launched from, and which of its disks each disk of this one stands on. */
    public record Base(String machine, Map<String, String> disks) {

        private static Base of(Point.Base base) {
            Map<String, String> names = new LinkedHashMap<>();
            base.disks().forEach((disk, below) -> names.put(disk.text(), below.text()));
            return new Base(base.machine().text(), names);
        }
    }

    /** {@code mode} is {@code governance} or {@code compliance}. */
    public record Immutable(String mode, Instant until) {}

    /** {@code level} is {@code file_system} or {@code crash}; {@code reason} says why it is not more, or is null. */
    public record Consistent(String level, String reason) {}

    /** {@code id} is the same for all points of one capture; {@code spreadNanos} from the first disk's cut to the last one's. */
    public record Group(String name, String id, List<String> members, long spreadNanos) {}

    public static PointView of(Point point) {
        return view(point, null, Map.of());
    }

    public static PointView of(Point point, Manifest manifest, Map<DiskName, FoundProfile> profiles) {
        return view(point, manifest.definition().keySet(), profiles);
    }

    private static PointView view(Point point, Set<String> documents, Map<DiskName, FoundProfile> profiles) {
        return new PointView(
                point.machine().text(),
                point.id().hex(),
                point.time(),
                lower(point.kind()),
                point.parent().map(PointId::hex).orElse(null),
                point.base().map(Base::of).orElse(null),
                point.disks().stream()
                        .map(disk -> new Disk(
                                disk.name().text(),
                                disk.size(),
                                lower(disk.change()),
                                disk.reason().orElse(null),
                                disk.bytes(),
                                Optional.ofNullable(profiles.get(disk.name())).map(Profile::of).orElse(null)))
                        .toList(),
                point.bytes(),
                point.immutable().map(retention -> new Immutable(lower(retention.mode()), retention.until())).orElse(null),
                point.consistency().map(found -> new Consistent(lower(found.level()), found.reason().orElse(null))).orElse(null),
                point.group().map(in -> new Group(in.name(), in.id(), in.members(), in.spreadNanos())).orElse(null),
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
        boolean grouped = points.stream().anyMatch(point -> point.group().isPresent());
        if (grouped) {
            titles.add("GROUP");
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
            if (grouped) {
                row.add(point.group().map(in -> in.name() + "@" + shortId(in.id())).orElse("-"));
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
                + point.immutable().map(retention -> ", immutable until " + retention.until()).orElse("") 
                + point.consistency().map(found -> ", " + found.level().words()).orElse("") + "." + reasons
                + point.consistency().flatMap(Consistency::reason).map(reason -> "\nThe guest was not frozen: " + reason + ".").orElse("");
    }

    /**
     * All of it.
     *
     * @param machine what the machine was, in some words; may be empty, as what its guest told of itself
     */
    public static String details(
            Point point, Manifest manifest, Map<DiskName, FoundProfile> profiles, String machine, String guest) {
        List<List<String>> facts = new ArrayList<>();
        facts.add(List.of("machine", point.machine().text()));
        facts.add(List.of("point", point.id().hex()));
        facts.add(List.of("time", point.time().toString()));
        facts.add(List.of("kind", lower(point.kind())));
        point.parent().ifPresent(parent -> facts.add(List.of(
                "parent", parent.hex() + point.base().map(base -> " of the base image " + base.machine()).orElse(""))));
        point.immutable()
                .ifPresent(retention -> facts.add(List.of("immutable until", retention.until() + " (" + lower(retention.mode()) + ")")));
        point.consistency().ifPresent(found -> facts.add(
                List.of("consistency", found.level().words() + found.reason().map(reason -> ": " + reason).orElse(""))));
        point.group().ifPresent(in -> facts.add(List.of(
                "group",
                in.name() + "@" + in.id() + ", with " + String.join(", ", in.members()) + ", cut within "
                        + String.format(Locale.ROOT, "%.1f ms", in.spreadNanos() / NANOS_PER_MILLI))));
        addBytes(facts, point.bytes());
        for (PointDisk disk : point.disks()) {
            facts.add(List.of("disk " + disk.name(), ByteSize.format(disk.size()) + ", changes found by "
                    + (disk.change() == PointDisk.Change.WHOLE ? "reading it whole" : point.base().isPresent() ? "what lies above its base image" : "dirty bitmap")
                    + disk.reason().map(reason -> ": " + reason).orElse("")));
        }
        profiles.forEach((disk, found) -> facts.add(List.of("boot profile of " + disk, describe(found, point.machine()))));
        for (List<String> fact : List.of(List.of("hardware", machine), List.of("guest", guest))) {
            if (!fact.getLast().isEmpty()) {
                facts.add(fact);
            }
        }
        facts.add(List.of("described by", String.join(", ", manifest.definition().keySet())));
        return TextTable.of(facts);
    }

    private static String describe(FoundProfile found, MachineName machine) {
        BootProfile profile = found.profile();
        return profile.reads().size() + " reads, " + ByteSize.format(profile.bytes()) + " in "
                + Duration.ofMillis(profile.millis()).toSeconds() + " s, recorded "
                + profile.recorded().truncatedTo(ChronoUnit.SECONDS) + " from point " + shortId(profile.point())
                + (found.isInheritedBy(machine) ? " of " + found.place() + ", which it was launched from" : "");
    }

    private static void addBytes(List<List<String>> facts, CaptureBytes bytes) {
        facts.add(List.of("dirty", ByteSize.format(bytes.dirty())));
        facts.add(List.of("read", ByteSize.format(bytes.read())));
        facts.add(List.of("deduplicated", ByteSize.format(bytes.deduplicated())));
        facts.add(List.of("stored", ByteSize.format(bytes.stored())));
        facts.add(List.of("manifest", ByteSize.format(bytes.manifest())));
    }

    private static String shortId(PointId id) {
        return shortId(id.hex());
    }

    private static String shortId(String hex) {
        return hex.substring(0, SHORT_ID);
    }
}
