package io.afterimage.catalog;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.afterimage.catalog.CatalogException.Reason;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import io.afterimage.store.Retention;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * The JSON of a point's descriptor ({@code docs/formats/point.md}), which is also what {@code list --json} shows. Fields that a
 * later program adds are passed over; a later {@code format} is refused.
 *
 * @param immutable null, and left out, unless the point was made immutable
 * @param base null, and left out, unless the parent is another machine's point
 * @param consistency null, and left out, unless the guest was asked
 * @param group null, and left out, unless the point was captured in one
 * @param check the SHA-256 of the text with zeros in this place, since nothing else proves it where a repository is not encrypted
 */
public record PointDescriptor(
        int format,
        String machine,
        String point,
        Instant time,
        PointKind kind,
        String parent,
        List<Disk> disks,
        CaptureBytes bytes,
        Point.Seal manifest,
        @JsonInclude(JsonInclude.Include.NON_NULL) Retention immutable,
        @JsonInclude(JsonInclude.Include.NON_NULL) Base base,
        @JsonInclude(JsonInclude.Include.NON_NULL) Consistency consistency,
        @JsonInclude(JsonInclude.Include.NON_NULL) PointGroup group,
        String check) {

    /** No descriptor is larger; one that is comes from somebody who means harm. */
    static final int LARGEST = 1024 * 1024;

    private static final int FORMAT = 1;
    private static final String NO_CHECK = "0".repeat(64);
    private static final Pattern SHA_256 = Pattern.compile("[0-9a-f]{64}");
    private static final JsonMapper JSON = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .build();

    /** What descriptors of all formats have. */
    private record Version(int format, String check) {}

    /** One disk; {@code reason} is null unless the disk was read whole in spite of a parent. */
    public record Disk(String name, long size, PointDisk.Change change, String reason, CaptureBytes bytes) {

        private PointDisk toPointDisk() {
            if (size < 0) {
                throw new IllegalArgumentException("a disk's size is negative");
            }
            return new PointDisk(
                    new DiskName(name), size, requireNonNull(change), Optional.ofNullable(reason), requireNonNull(bytes));
        }
    }

    /** A {@link Point.Base} in JSON: the machine, and for each disk of this point that stands on one of its disks that one. */
    public record Base(String machine, SortedMap<String, String> disks) {

        private static Base of(Point.Base base) {
            SortedMap<String, String> names = new TreeMap<>();
            base.disks().forEach((disk, below) -> names.put(disk.text(), below.text()));
            return new Base(base.machine().text(), names);
        }

        private Point.Base toBase() {
            SortedMap<DiskName, DiskName> names = new TreeMap<>();
            disks.forEach((disk, below) -> names.put(new DiskName(disk), new DiskName(below)));
            return new Point.Base(new MachineName(machine), names);
        }
    }

    public static PointDescriptor of(Point point) {
        return new PointDescriptor(
                FORMAT,
                point.machine().text(),
                point.id().hex(),
                point.time(),
                point.kind(),
                point.parent().map(PointId::hex).orElse(null),
                point.disks().stream()
                        .map(disk -> new Disk(
                                disk.name().text(), disk.size(), disk.change(), disk.reason().orElse(null), disk.bytes()))
                        .toList(),
                point.bytes(),
                point.manifest(),
                point.immutable().orElse(null),
                point.base().map(Base::of).orElse(null),
                point.consistency().orElse(null),
                point.group().orElse(null),
                NO_CHECK);
    }

    /** What is stored, sealed where the repository is encrypted. */
    public byte[] toJson() {
        byte[] json = JSON.writeValueAsBytes(this);
        return withCheck(json, NO_CHECK, sha256(json));
    }

    /** The same text with {@code check}, which stands last in it, replaced by another one of the same length. */
    private static byte[] withCheck(byte[] json, String check, String other) {
        String text = new String(json, StandardCharsets.ISO_8859_1);
        int at = text.lastIndexOf(check);
        return (text.substring(0, at) + other + text.substring(at + check.length())).getBytes(StandardCharsets.ISO_8859_1);
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    /** Does what takes long with the first descriptor that a JVM reads, and never again: how they are read is found out. */
    public static void prepare() {
        String least = "{\"format\":" + FORMAT + "}";
        Version _ = JSON.readValue(least, Version.class);
        PointDescriptor _ = JSON.readValue(least, PointDescriptor.class);
    }

    /** @param name where the bytes lie, for the message */
    static Point parse(byte[] json, String name) throws CatalogException {
        try {
            Version version = JSON.readValue(json, Version.class);
            if (!SHA_256.matcher(version.check).matches()
                    || !sha256(withCheck(json, version.check, NO_CHECK)).equals(version.check)) {
                throw new IllegalArgumentException("its text does not match its checksum");
            }
            if (version.format > FORMAT) {
                throw new CatalogException(
                        Reason.UNSUPPORTED_FORMAT,
                        "The point " + name + " is of format " + version.format + " and this program reads up to "
                                + FORMAT + ": use a newer Afterimage.");
            }
            return JSON.readValue(json, PointDescriptor.class).toPoint();
        } catch (JacksonException | IllegalArgumentException | NullPointerException e) {
            throw new CatalogException(
                    Reason.DAMAGED, "The descriptor " + name + " is damaged: run 'afterimage verify' to see what it touches.", e);
        }
    }

    private Point toPoint() {
        if (manifest.length() < 0 || !SHA_256.matcher(manifest.sha256()).matches()) {
            throw new IllegalArgumentException("the manifest's seal is not one");
        }
        return new Point(
                new PointId(point),
                new MachineName(machine),
                requireNonNull(time),
                requireNonNull(kind),
                Optional.ofNullable(parent).map(PointId::new),
                disks.stream().map(Disk::toPointDisk).toList(),
                requireNonNull(bytes),
                manifest,
                Optional.ofNullable(immutable),
                Optional.ofNullable(base).map(Base::toBase),
                Optional.ofNullable(consistency),
                Optional.ofNullable(group));
    }
}
