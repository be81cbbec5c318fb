package io.afterimage.app.backup;

import io.afterimage.app.SourceException;
import io.afterimage.app.image.ImageLayer;
import io.afterimage.app.machine.CapturedMachine;
import io.afterimage.app.machine.DiskOrigins;
import io.afterimage.capture.Progress;
import io.afterimage.capture.UnchangedCheck;
import io.afterimage.capture.agent.GuestFacts;
import io.afterimage.capture.qemu.Checkpoint;
import io.afterimage.capture.qemu.Cut;
import io.afterimage.capture.qemu.CutPlan;
import io.afterimage.capture.qemu.QemuDisk;
import io.afterimage.capture.qemu.QemuMachine;
import io.afterimage.capture.qemu.QmpClient;
import io.afterimage.capture.qemu.Strays;
import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.Point;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.PointId;
import io.afterimage.repository.Immutability;
import io.afterimage.repository.PointWriter;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
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

    private static final Duration GUEST_FACTS_LIMIT = Duration.ofSeconds(5);

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
     * @param transfer how the disks come to us
     */
    public record Request(
            MachineName machine,
            Path qmp,
            List<String> disks,
            boolean full,
            Path scratch,
            Optional<BaseImage> base,
            Optional<Double> checkUnchanged,
            Optional<Immutability> immutability,
            Transfer transfer) {

        /** Pulled, as fast as can be, bitmaps believed. */
        public Request(
                MachineName machine, Path qmp, List<String> disks, boolean full, Path scratch, Optional<Immutability> immutability) {
            this(machine, qmp, disks, full, scratch, Optional.empty(), Optional.empty(), immutability, Transfer.plain());
        }

        /** The same of another machine. */
        public Request of(MachineName otherMachine, Path otherQmp) {
            return new Request(otherMachine, otherQmp, disks, full, scratch, base, checkUnchanged, immutability, transfer);
        }
    }

    /** Makes the point, of a guest that is not asked, and returns it. */
    public Point run(Request request, Progress progress) throws IOException {
        return run(request, Optional.empty(), Quiescing.NONE, progress);
    }

    /**
     * Makes the point and returns it.
     *
     * @param agent the socket of the machine's guest agent
     */
    public Point run(Request request, Optional<Path> agent, Quiescing quiescing, Progress progress) throws IOException {
        try (MachineBackup backup = prepare(request, agent)) {
            return backup.run(quiescing, progress);
        }
    }

    /** Does all that comes before the cut. */
    MachineBackup prepare(Request request, Optional<Path> agent) throws IOException {
        QmpClient client = QmpClient.connect(request.qmp());
        BackupLease lease = null;
        PointWriter writer = null;
        try {
            lease = BackupLease.acquire(repository.store(), clock, request.machine());
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
                    : Lineage.of(Lineage.own(repository, lease, points, newest, id -> recorded(machine, id)), request.base(), lease,
                            machine.disks().stream().map(disk -> new DiskName(disk.name())).toList());
            writer = new PointWriter(repository, lease, index, lineage.parent(), request.immutability(), random);
            PointId id = PointId.next(points.reversed().stream().findFirst(), clock.instant(), random);
            UnchangedCheck check = UnchangedCheck.of(request.checkUnchanged(), repository, index, random);
            var job = new MachineBackup.Job(request.machine(), id, client, lease, writer, lineage, definition(machine, agent));
            Cut cut = Cut.prepare(client, plan(request, machine, lineage, id), request.transfer().by());
            return new QmpBackup(repository, job, cut, new MachineBackup.How(request.transfer(), check), agent);
        } catch (IOException | RuntimeException e) {
            try (client; BackupLease _ = lease; PointWriter _ = writer) {
                throw e;
            }
        }
    }

    private String shortId() {
        return repository.id().substring(0, 8);
    }

    private int recorded(QemuMachine machine, PointId id) {
        Checkpoint checkpoint = new Checkpoint(shortId(), id.hex());
        return (int) machine.disks().stream().filter(disk -> disk.records(checkpoint)).count();
    }

    private CutPlan plan(Request request, QemuMachine machine, Lineage lineage, PointId id) throws IOException {
        List<CutPlan.Disk> planned = new ArrayList<>();
        for (QemuDisk disk : machine.disks()) {
            planned.add(new CutPlan.Disk(disk, base(disk, lineage)));
        }
        return new CutPlan(
                new Checkpoint(shortId(), id.hex()),
                planned,
                request.scratch(),
                CutPlan.DEFAULT_RESERVE,
                repository.chunkSize().bytes());
    }

    private static SortedMap<String, String> definition(QemuMachine machine, Optional<Path> agent) {
        SortedMap<String, String> definition = new TreeMap<>(machine.definition());
        definition.put(DiskOrigins.DOCUMENT, DiskOrigins.of(machine.disks()).toJson());
        agent.flatMap(socket -> GuestFacts.read(socket, GUEST_FACTS_LIMIT)).ifPresent(facts -> definition.put(CapturedMachine.GUEST, facts));
        return definition;
    }

    private static Optional<CutPlan.Base> base(QemuDisk disk, Lineage lineage) throws IOException {
        List<ImageLayer> layers = new ArrayList<>(List.of(new ImageLayer(disk.format(), Optional.empty(), disk.size())));
        disk.backing().forEach(image -> layers.add(ImageLayer.of(image.format(), image.file(), image.size())));
        return lineage.since(new DiskName(disk.name()), layers);
    }
}
