package io.afterimage.app.backup;

import io.afterimage.app.SourceException;
import io.afterimage.app.image.QemuNbd;
import io.afterimage.block.ByteRange;
import io.afterimage.capture.SourceDisk;
import io.afterimage.capture.qemu.Checkpoint;
import io.afterimage.capture.qemu.CheckpointBitmap;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointDisk;
import io.afterimage.manifest.DiskMap;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.PointId;
import io.afterimage.nbd.client.ClientOptions;
import io.afterimage.nbd.client.NbdClient;
import io.afterimage.nbd.client.RemoteDevice;
import io.afterimage.nbd.protocol.MetaContext;
import io.afterimage.nbd.protocol.NbdUri;
import io.afterimage.repository.Repository;
import io.afterimage.settings.ChangedContext;
import io.afterimage.settings.ImageSource;
import io.afterimage.settings.ImageSource.Export;
import io.afterimage.settings.ImageSource.LocalFile;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The disks of a machine that is off, or that others show: inspected, then opened, then closed, once or more often. */
final class OfflineSources implements Closeable {

    private static final Logger LOG = LoggerFactory.getLogger(OfflineSources.class);
    private static final int CONNECTIONS = 4;

    private final List<ImageSource> sources;
    private final Map<DiskName, OfflineDisk> files;
    private final Repository repository;
    private final SeenFiles seen;
    private final List<Closeable> open = new ArrayList<>();
    private final List<OfflineImage> images = new ArrayList<>();
    private final Map<DiskName, SeenFiles.Stamp> stamps = new LinkedHashMap<>();
    private final Set<DiskName> untouched = new HashSet<>();
    private final Set<DiskName> recorded = new HashSet<>();

    private OfflineSources(List<ImageSource> sources, Map<DiskName, OfflineDisk> files, Repository repository, SeenFiles seen) {
        this.sources = sources;
        this.files = files;
        this.repository = repository;
        this.seen = seen;
    }

    static OfflineSources inspect(List<ImageSource> sources, Repository repository, SeenFiles seen) throws IOException {
        Map<DiskName, OfflineDisk> files = new LinkedHashMap<>();
        for (ImageSource source : sources) {
            if (source.place() instanceof LocalFile file) {
                files.put(source.disk(), OfflineDisk.inspect(source.disk(), file));
            }
        }
        return new OfflineSources(sources, files, repository, seen);
    }

    List<DiskName> names() {
        return sources.stream().map(ImageSource::disk).toList();
    }

    /** Whether any of the files has that point's checkpoint, and it can be relied on. */
    boolean haveCheckpoint(PointId point) {
        return files.values().stream().flatMap(disk -> disk.qcow2().stream()).anyMatch(image -> image.has(new Checkpoint(shortId(), point.hex())));
    }

    private String shortId() {
        return repository.id().substring(0, 8);
    }

    OfflineCheckpoints beginCheckpoints(PointId point) {
        return OfflineCheckpoints.begin(
                new Checkpoint(shortId(), point.hex()), repository.chunkSize().bytes(), List.copyOf(files.values()));
    }

    /** Opens them, each with what is known of its changes since the parent. */
    List<SourceDisk> open(Lineage lineage, Optional<ChangedContext> changed) throws IOException {
        List<SourceDisk> disks = new ArrayList<>();
        for (ImageSource source : sources) {
            disks.add(switch (source.place()) {
                case LocalFile _ -> open(files.get(source.disk()), lineage);
                case Export export -> open(source.disk(), export.uri(), lineage, changed);
            });
        }
        return disks;
    }

    private SourceDisk open(OfflineDisk disk, Lineage lineage) throws IOException {
        Optional<SeenFiles.Stamp> stamp = SeenFiles.stamp(disk.layers());
        stamp.ifPresent(taken -> stamps.put(disk.name(), taken));
        Optional<DiskMap> inherited = lineage.disk(disk.name());
        Optional<String> bitmap = lineage.since(disk.name())
                .flatMap(since -> disk.qcow2()
                        .filter(image -> image.size() == since.diskSize())
                        .flatMap(image -> image.bitmap(shortId(), since)))
                .map(CheckpointBitmap::name);
        boolean known = bitmap.isEmpty() && inherited.isPresent() && lineage.image().isEmpty() && stamp.isPresent()
                && seen.contains(stamp.get(), lineage.parent().get().machine(), lineage.parent().get().point(), disk.name());
        OptionalInt above = bitmap.isPresent() || known ? OptionalInt.empty() : lineage.layersAbove(disk.name(), disk.layers());
        OfflineImage image = OfflineImage.open(disk.file(), disk.format(), new QemuNbd.Offer(above.isPresent(), bitmap));
        open.add(image);
        images.add(image);
        if (bitmap.isPresent()) {
            recorded.add(disk.name());
            return SourceDisk.changed(disk.name(), image.device(), image.dirty());
        }
        if (known) {
            untouched.add(disk.name());
            LOG.info("{} has not been written to since the point {}", disk.file(), lineage.parent().orElseThrow().point());
            return SourceDisk.changed(disk.name(), image.device(), List.of());
        }
        if (above.isPresent()) {
            return SourceDisk.changed(disk.name(), image.device(), image.inLayers(above.getAsInt(), inherited.orElseThrow().size()));
        }
        return SourceDisk.whole(disk.name(), image.device(), lineage.parent().map(_ -> reason(disk, lineage)));
    }

    private String reason(OfflineDisk disk, Lineage lineage) {
        if (lineage.disk(disk.name()).isEmpty()) {
            return "the point it builds on does not have it";
        }
        if (disk.qcow2().stream().flatMap(image -> image.checkpoints().stream()).anyMatch(stored -> !stored.consistent())) {
            return "its checkpoint is inconsistent, because QEMU did not end cleanly";
        }
        return lineage.image().isPresent()
                ? "nothing below it in its backing chain is the base image"
                : "it was read from a file, where no bitmap tells what has changed";
    }

    private SourceDisk open(DiskName name, NbdUri uri, Lineage lineage, Optional<ChangedContext> changed) throws IOException {
        ClientOptions options = ClientOptions.DEFAULT.withConnections(CONNECTIONS);
        RemoteDevice device;
        try {
            device = NbdClient.connect(
                    uri, changed.isPresent() ? options.withContexts(MetaContext.BASE_ALLOCATION, changed.get().name()) : options);
        } catch (IOException e) {
            throw new SourceException("The disk " + name + " cannot be read: " + e.getMessage() + ".", e);
        }
        open.add(device);
        Optional<DiskMap> inherited = lineage.disk(name);
        if (lineage.parent().isEmpty()) {
            return SourceDisk.whole(name, device, Optional.empty());
        }
        Optional<String> doubt = inherited.isEmpty()
                ? Optional.of("the point it builds on does not have it")
                : changed.isEmpty()
                        ? Optional.of("no --changed-context tells what has changed")
                        : !device.contexts().contains(changed.get().name())
                                ? Optional.of("its server does not offer the context " + changed.get().name())
                                : inherited.get().size() != device.size()
                                        ? Optional.of("it was resized from " + inherited.get().size() + " to " + device.size() + " bytes")
                                        : Optional.empty();
        if (doubt.isPresent()) {
            return SourceDisk.whole(name, device, doubt);
        }
        recorded.add(name);
        List<ByteRange> ranges = ChangedRanges.flagged(device, changed.orElseThrow().name());
        return SourceDisk.changed(name, device, ranges);
    }

    /** Whether it was a bitmap, or what is like one, that told the disk's changes. */
    boolean areRecorded(DiskName disk) {
        return recorded.contains(disk);
    }

    /** Throws if what was read is not what the disks were at one moment. */
    void requireUntouched() throws IOException {
        for (OfflineImage image : images) {
            image.requireUntouched();
        }
    }

    /** Notes which files are disks of the point: those that were read whole, or were known already, and are still what they were when that began. */
    void remember(Point point) {
        stamps.forEach((name, stamp) -> {
            boolean whole = untouched.contains(name) || point.disk(name).filter(disk -> disk.change() == PointDisk.Change.WHOLE).isPresent();
            try {
                if (whole && SeenFiles.stamp(files.get(name).layers()).filter(stamp::equals).isPresent()) {
                    seen.add(stamp, point.machine(), point.id(), name);
                }
            } catch (IOException e) {
                LOG.warn("That {} was read is not noted, and it will be read again: {}", files.get(name).file(), e.toString());
            }
        });
    }

    @Override
    public void close() throws IOException {
        while (!open.isEmpty()) {
            open.removeLast().close();
        }
        images.clear();
    }
}
