package io.afterimage.catalog;

import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import io.afterimage.store.Retention;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The descriptor of a restore point: what a list shows, and the seal of its manifest. Immutable.
 *
 * @param id sorts by time among the points of a machine
 * @param machine the machine it is of
 * @param time the instant that the disks show
 * @param kind how much was read
 * @param parent the point that changes are counted from; never needed to read this one
 * @param disks in the machine's order
 * @param bytes what the capture cost
 * @param manifest the stored manifest's length and hash
 * @param immutable what each object of the point was under when it was made; it may be under more by now
 * @param base whose point the parent is, if it is another machine's
 * @param consistency what the guest knew of the instant; empty when it was not asked
 * @param group the group that it was captured in, if any
 */
public record Point(
        PointId id,
        MachineName machine,
        Instant time,
        PointKind kind,
        Optional<PointId> parent,
        List<PointDisk> disks,
        CaptureBytes bytes,
        Seal manifest,
        Optional<Retention> immutable,
        Optional<Base> base,
        Optional<Consistency> consistency,
        Optional<PointGroup> group) {

    /**
     * What an object must be to be believed.
     *
     * @param length in bytes
     * @param sha256 64 lower-case hex digits
     */
    public record Seal(long length, String sha256) {}

    /**
     * The base image that a machine was launched from: where in a backup tree its first point hangs.
     *
     * @param machine as which the base image is in the repository
     * @param disks for each disk of the point that stands on one of the base's, that one's name
     */
    public record Base(MachineName machine, SortedMap<DiskName, DiskName> disks) {

        public Base {
            disks = Collections.unmodifiableSortedMap(new TreeMap<>(disks));
        }
    }

    public Point {
        disks = List.copyOf(disks);
    }

    /** A point whose parent, if it has one, is the machine's own, whose guest was not asked, and of no group. */
    public Point(
            PointId id,
            MachineName machine,
            Instant time,
            PointKind kind,
            Optional<PointId> parent,
            List<PointDisk> disks,
            CaptureBytes bytes,
            Seal manifest,
            Optional<Retention> immutable) {
        this(id, machine, time, kind, parent, disks, bytes, manifest, immutable, Optional.empty(), Optional.empty(), Optional.empty());
    }

    /** The machine that the parent is a point of; this one where there is no parent. */
    public MachineName parentMachine() {
        return base.map(Base::machine).orElse(machine);
    }

    /** The same point, captured under these circumstances. */
    public Point captured(Optional<Consistency> consistently, Optional<PointGroup> together) {
        return new Point(id, machine, time, kind, parent, disks, bytes, manifest, immutable, base, consistently, together);
    }

    /** Whether it could not be deleted at that instant, and so must not be forgotten. */
    public boolean isImmutable(Instant now) {
        return immutable.filter(retention -> retention.until().isAfter(now)).isPresent();
    }

    public Optional<PointDisk> disk(DiskName name) {
        return disks.stream().filter(disk -> disk.name().equals(name)).findFirst();
    }
}
