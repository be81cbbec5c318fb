package io.afterimage.app;

import io.afterimage.block.ByteRange;
import io.afterimage.capture.Capture;
import io.afterimage.capture.Comparison;
import io.afterimage.capture.Progress;
import io.afterimage.capture.SourceDisk;
import io.afterimage.capture.UnchangedCheck;
import io.afterimage.capture.qemu.Changes;
import io.afterimage.capture.qemu.Checkpoint;
import io.afterimage.capture.qemu.Cut;
import io.afterimage.capture.qemu.CutDisk;
import io.afterimage.capture.qemu.CutPlan;
import io.afterimage.capture.qemu.QemuDisk;
import io.afterimage.capture.qemu.QemuMachine;
import io.afterimage.capture.qemu.QmpClient;
import io.afterimage.capture.qemu.Strays;
import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.Point;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.DiskMap;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.PointId;
import io.afterimage.nbd.client.ClientOptions;
import io.afterimage.nbd.client.NbdClient;
import io.afterimage.nbd.client.RemoteDevice;
import io.afterimage.nbd.protocol.MetaContext;
import io.afterimage.nbd.protocol.NbdUri;
import io.afterimage.repository.Immutability;
import io.afterimage.repository.PointWriter;
import io.afterimage.repository.Repository;
import io.afterimage.store.StoreException;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A point of a running machine over QMP: all its disks cut in one transaction, then read while the guest goes on. The first
 * time everything is read; later, what the checkpoint of the parent point says has changed.
 */
public final class BackUpMachine {

    private static final int CONNECTIONS = 2;

    private final Repository repository;
    private final ChunkIndex index;
    private final InstantSource clock;
    private final SecureRandom random;

    /** @param index the repository's, which stays the caller's to close, as the repository does */
    public BackUpMachine(Repository repository, ChunkIndex index, InstantSource clock, SecureRandom random) {
        this.repository = repository;
        this.index = index;
        this.clock = clock;
        this.random = random;
    }

    /**
     * What to back up.
     *
     * @param machine the name in the repository
     * @param qmp the machine's QMP socket
     * @param disks names, ids or node names; all of the machine's disks when empty
     * @param full whether to read everything, though a checkpoint would tell what has changed
     * @param scratch where QEMU may keep what the guest overwrites meanwhile
     * @param base what the machine was launched from; counts for its first point
     * @param checkUnchanged the share of what is said not to have changed that is read all the same
     * @param immutability what the point's objects are to be under, if it is to be immutable
     */
    public record Request(
            MachineName machine,
            Path qmp,
            List<String> disks,
            boolean full,
            Path scratch,
            Optional<BaseImage> base,
            Optional<Double> checkUnchanged,
            Optional<Immutability> immutability) {}

    /** Makes the point and returns it. */
    public Point run(Request request, Progress progress) throws IOException {
        try (QmpClient client = QmpClient.connect(request.qmp());
                BackupLease lease = BackupLease.acquire(repository.store(), clock, request.machine())) {
            List<PointId> points = repository.catalog().pointIds(request.machine());
            // The checkpoint of the base's point may have come with a restored image.
            Strays.remove(client, request.scratch(), shortId(), id -> points.contains(new PointId(id))
                    || request.base().filter(base -> base.point().id().hex().equals(id)).isPresent());
            Optional<Manifest> newest = repository.parent(lease, points.reversed());
            QemuMachine machine = QemuMachine.inspect(
                    client, request.disks(), newest.map(DiskOrigins::read).orElseGet(DiskOrigins::none).namesByDevice());
            if (machine.disks().isEmpty()) {
                throw new SourceException("The machine behind " + request.qmp() + " has no disk to back up: 'query-block' in QMP shows what it has.");
            }
            Lineage lineage = request.full()
                    ? Lineage.NONE
                    : Lineage.of(parent(lease, machine, points, newest), request.base(), lease,
                            machine.disks().stream().map(disk -> new DiskName(disk.name())).toList());
            try (PointWriter writer = new PointWriter(repository, lease, index, lineage.parent(), request.immutability(), random)) {
                PointId id = PointId.next(points.reversed().stream().findFirst(), clock.instant(), random);
                return cut(request, client, machine, lineage, writer, id, progress);
            }
        }
    }

    private String shortId() {
        return repository.id().substring(0, 8);
    }

    /** The newest point whose checkpoint one of the disks has; without any, the newest point, to be compared with whole. */
    private Optional<Manifest> parent(BackupLease lease, QemuMachine machine, List<PointId> points, Optional<Manifest> newest)
            throws IOException {
        List<PointId> recorded = points.reversed().stream()
                .filter(id -> machine.disks().stream().anyMatch(disk -> has(disk, id)))
                .toList();
        if (recorded.isEmpty() || newest.map(Manifest::point).equals(recorded.stream().findFirst())) {
            return newest;
        }
        Optional<Manifest> parent = repository.parent(lease, recorded);
        return parent.isPresent() ? parent : newest;
    }

    private boolean has(QemuDisk disk, PointId id) {
        return disk.records(new Checkpoint(shortId(), id.hex()).bitmapName());
    }

    private Point cut(
            Request request,
            QmpClient client,
            QemuMachine machine,
            Lineage lineage,
            PointWriter writer,
            PointId id,
            Progress progress)
            throws IOException {
        List<CutPlan.Disk> planned = new ArrayList<>();
        for (QemuDisk disk : machine.disks()) {
            planned.add(new CutPlan.Disk(disk, base(disk, lineage)));
        }
        CutPlan plan = new CutPlan(
                new Checkpoint(shortId(), id.hex()),
                planned,
                request.scratch(),
                CutPlan.DEFAULT_RESERVE,
                repository.chunkSize().bytes());
        SortedMap<String, String> definition = new TreeMap<>(machine.definition());
        definition.put(DiskOrigins.DOCUMENT, DiskOrigins.of(machine.disks()).toJson());
        try (Cut cut = Cut.begin(client, plan)) {
            Capture capture = new Capture(request.machine(), id, cut.time(), lineage.parent(), definition, lineage.base());
            Capture.Sealed sealed = read(capture, cut, writer, request.checkUnchanged(), progress);
            cut.committing();
            return commit(cut, sealed);
        }
    }

    private static Point commit(Cut cut, Capture.Sealed sealed) throws IOException {
        try {
            Point point = sealed.commit();
            cut.end(Cut.Outcome.COMMITTED);
            return point;
        } catch (StoreException e) {
            cut.end(e.outcome() == StoreException.Outcome.AMBIGUOUS ? Cut.Outcome.UNKNOWN : Cut.Outcome.FAILED);
            throw e;
        }
    }

    private static Optional<CutPlan.Base> base(QemuDisk disk, Lineage lineage) throws IOException {
        DiskName name = new DiskName(disk.name());
        Optional<DiskMap> inherited = lineage.disk(name);
        if (inherited.isEmpty()) {
            return Optional.empty();
        }
        List<ImageLayer> layers = new ArrayList<>(List.of(new ImageLayer(disk.format(), Optional.empty(), disk.size())));
        disk.backing().forEach(image -> layers.add(ImageLayer.of(image.format(), image.file(), image.size())));
        return Optional.of(new CutPlan.Base(
                lineage.parent().orElseThrow().point().hex(), inherited.get().size(), lineage.layersAbove(name, layers).orElse(0)));
    }

    private Capture.Sealed read(Capture capture, Cut cut, PointWriter writer, Optional<Double> checkUnchanged, Progress progress)
            throws IOException {
        List<RemoteDevice> devices = new ArrayList<>();
        try {
            List<SourceDisk> disks = new ArrayList<>();
            for (CutDisk disk : cut.disks()) {
                RemoteDevice device = connect(disk);
                devices.add(device);
                SourceDisk source = source(disk, device, capture.parent());
                disks.add(checkUnchanged.isPresent()
                        ? new UnchangedCheck(new Comparison(repository, index), checkUnchanged.get(), random).check(source, capture.parent())
                        : source);
            }
            return capture.run(repository, writer, disks, progress);
        } catch (IOException e) {
            // Why QEMU no longer shows the disks says more than that it does not.
            cut.requireIntact();
            throw e;
        } finally {
            devices.forEach(RemoteDevice::close);
        }
    }

    private static RemoteDevice connect(CutDisk disk) throws IOException {
        ClientOptions options = ClientOptions.DEFAULT.withConnections(CONNECTIONS);
        return NbdClient.connect(NbdUri.parse(disk.uri().toString()), switch (disk.changes()) {
            case Changes.Recorded recorded when recorded.above().isPresent() ->
                options.withContexts(MetaContext.BASE_ALLOCATION, recorded.context(), recorded.above().get().context());
            case Changes.Recorded recorded -> options.withContexts(MetaContext.BASE_ALLOCATION, recorded.context());
            case Changes.Allocated allocated -> options.withContexts(MetaContext.BASE_ALLOCATION, allocated.context());
            case Changes.Unknown _ -> options;
        });
    }

    private static SourceDisk source(CutDisk disk, RemoteDevice device, Optional<Manifest> parent) throws IOException {
        DiskName name = new DiskName(disk.disk().name());
        return switch (disk.changes()) {
            case Changes.Recorded recorded -> {
                List<ByteRange> ranges = new ArrayList<>(ChangedRanges.flagged(device, recorded.context()));
                if (recorded.above().isPresent()) {
                    ranges.addAll(allocated(name, device, recorded.above().get(), parent));
                }
                yield SourceDisk.changed(name, device, ByteRange.union(ranges));
            }
            case Changes.Allocated allocated -> SourceDisk.changed(name, device, allocated(name, device, allocated, parent));
            case Changes.Unknown unknown -> SourceDisk.whole(name, device, parent.map(_ -> unknown.reason()));
        };
    }

    private static List<ByteRange> allocated(DiskName name, RemoteDevice device, Changes.Allocated allocated, Optional<Manifest> parent)
            throws IOException {
        long size = parent.flatMap(manifest -> manifest.disk(name)).orElseThrow().size();
        return ChangedRanges.above(device, allocated.context(), allocated.above(), size);
    }
}
