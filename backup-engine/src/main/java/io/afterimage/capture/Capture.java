package io.afterimage.capture;

import io.afterimage.block.ByteRange;
import io.afterimage.catalog.CaptureBytes;
import io.afterimage.catalog.Consistency;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointDisk;
import io.afterimage.catalog.PointGroup;
import io.afterimage.catalog.PointKind;
import io.afterimage.manifest.BlockMapEditor;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.ManifestEditor;
import io.afterimage.manifest.PointId;
import io.afterimage.repository.PointWriter;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;

/**
 * Makes one point. The disks are read, or received, and stored one after the other; nothing is visible to others until {@link Sealed#commit}.
 *
 * @param machine whose point it is
 * @param id the point's id
 * @param time the instant that the disks show
 * @param parent the point that ranges of change are counted from, with its manifest
 * @param definition what the machine is beside its disks, documents by name
 * @param base whose point the parent is, if it is another machine's; the parent has its disks under this machine's names then
 */
public record Capture(
        MachineName machine,
        PointId id,
        Instant time,
        Optional<Manifest> parent,
        SortedMap<String, String> definition,
        Optional<Point.Base> base) {

    /** Of a point whose parent, if it has one, is the machine's own. */
    public Capture(
            MachineName machine, PointId id, Instant time, Optional<Manifest> parent, SortedMap<String, String> definition) {
        this(machine, id, time, parent, definition, Optional.empty());
    }

    /** A point that is stored whole, and not there yet. */
    public record Sealed(Point point, PointWriter writer) {

        /** The same, with what is known of the circumstances. */
        public Sealed captured(Optional<Consistency> consistency, Optional<PointGroup> group) {
            return new Sealed(point.captured(consistency, group), writer);
        }

        /** Makes the point be there. */
        public Point commit() throws IOException {
            writer.commit(point);
            return point;
        }
    }

    /** Reads the disks, in this order, and stores what the repository does not have. */
    public Sealed run(Repository repository, PointWriter writer, List<? extends DiskSource> disks, Progress progress)
            throws IOException {
        if (disks.stream().anyMatch(disk -> disk.dirty().isEmpty())) {
            writer.learnAll();
        }
        progress.total(disks.stream().mapToLong(Capture::extent).sum());
        ManifestEditor editor = new ManifestEditor(repository.chunkSize(), parent);
        List<PointDisk> described = new ArrayList<>();
        CaptureBytes bytes = CaptureBytes.NONE;
        for (DiskSource disk : disks) {
            BlockMapEditor map = editor.disk(disk.name(), disk.size());
            CaptureBytes cost = switch (disk) {
                case SourceDisk source -> {
                    List<ByteRange> damaged = parent.flatMap(manifest -> manifest.disk(disk.name()))
                            .map(inherited -> writer.damaged(inherited.map()))
                            .orElse(List.of());
                    yield new DiskCapture(source, damaged, map, writer, repository.chunkSize(), progress).run();
                }
                case PushedDisk pushed -> new PushCapture(pushed, map, writer, repository.chunkSize(), progress).run();
            };
            bytes = bytes.plus(cost);
            described.add(describe(disk, cost));
        }
        Point.Seal seal = writer.seal(editor.finish(id, machine, definition));
        bytes = bytes.plus(new CaptureBytes(0, 0, 0, writer.storedBytes(), seal.length()));
        return new Sealed(
                new Point(
                        id,
                        machine,
                        time,
                        parent.isEmpty() ? PointKind.FULL : PointKind.INCREMENTAL,
                        parent.map(Manifest::point),
                        described,
                        bytes,
                        seal,
                        writer.retention(),
                        base,
                        Optional.empty(),
                        Optional.empty()),
                writer);
    }

    private static long extent(DiskSource disk) {
        return disk.dirty().orElseGet(disk::size);
    }

    private static PointDisk describe(DiskSource disk, CaptureBytes cost) {
        return new PointDisk(
                disk.name(),
                disk.size(),
                disk.dirty().isPresent() ? PointDisk.Change.BITMAP : PointDisk.Change.WHOLE,
                disk.reason(),
                cost);
    }
}
