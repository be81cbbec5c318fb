package io.afterimage.app.backup;

import io.afterimage.app.SourceException;
import io.afterimage.app.machine.DiskOrigins;
import io.afterimage.capture.Progress;
import io.afterimage.capture.UnchangedCheck;
import io.afterimage.capture.libvirt.LibvirtConnection;
import io.afterimage.capture.libvirt.LibvirtCut;
import io.afterimage.capture.libvirt.LibvirtCutPlan;
import io.afterimage.capture.libvirt.LibvirtDefinition;
import io.afterimage.capture.libvirt.LibvirtDomain;
import io.afterimage.capture.libvirt.LibvirtMachine;
import io.afterimage.capture.libvirt.LibvirtStrays;
import io.afterimage.capture.qemu.Checkpoint;
import io.afterimage.capture.qemu.CutPlan;
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
import io.afterimage.settings.LocalFolders;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;

/**
 * A point of a running machine by libvirt: a backup job in pull mode cuts all its disks, which are then read while the guest goes
 * on. The first time everything is read; later, what the checkpoint of the parent point says has changed.
 */
public final class BackUpDomain {

    private final Repository repository;
    private final ChunkIndex index;
    private final LocalFolders folders;
    private final InstantSource clock;
    private final SecureRandom random;

    /** @param index the repository's, which stays the caller's to close, as the repository does */
    public BackUpDomain(Repository repository, ChunkIndex index, LocalFolders folders, InstantSource clock, SecureRandom random) {
        this.repository = repository;
        this.index = index;
        this.folders = folders;
        this.clock = clock;
        this.random = random;
    }

    /**
     * What to back up.
     *
     * @param machine the name in the repository
     * @param libvirt a libvirt URI of this host
     * @param domain the machine's name or UUID there
     * @param disks names, libvirt's names or aliases; all of the machine's disks when empty
     * @param full whether to read everything, though a checkpoint would tell what has changed
     * @param scratch where QEMU may keep what the guest overwrites meanwhile; a folder that its user can reach when empty
     * @param checkUnchanged the share of what is said not to have changed that is read all the same
     * @param immutability what the point's objects are to be under, if it is to be immutable
     * @param transfer how the disks come to us: pulled
     */
    public record Request(
            MachineName machine,
            String libvirt,
            String domain,
            List<String> disks,
            boolean full,
            Optional<Path> scratch,
            Optional<Double> checkUnchanged,
            Optional<Immutability> immutability,
            Transfer transfer) {

        /** The same of another machine. */
        public Request of(MachineName otherMachine, String otherDomain) {
            return new Request(otherMachine, libvirt, otherDomain, disks, full, scratch, checkUnchanged, immutability, transfer);
        }
    }

    /** Makes the point and returns it. */
    public Point run(Request request, Quiescing quiescing, Progress progress) throws IOException {
        try (MachineBackup backup = prepare(request)) {
            return backup.run(quiescing, progress);
        }
    }

    /** Does all that comes before the cut. */
    MachineBackup prepare(Request request) throws IOException {
        LibvirtConnection connection = LibvirtConnection.open(request.libvirt());
        BackupLease lease = null;
        PointWriter writer = null;
        try {
            lease = BackupLease.acquire(repository.store(), clock, request.machine());
            LibvirtDomain domain = connection.domain(request.domain());
            domain.requireRunning();
            Path scratch = scratch(request, domain);
            List<PointId> points = repository.catalog().pointIds(request.machine());
            LibvirtStrays.remove(domain, scratch, shortId(), id -> points.contains(new PointId(id)));
            Optional<Manifest> newest = repository.parent(lease, points.reversed());
            LibvirtMachine machine = LibvirtMachine.inspect(
                    domain, request.disks(), newest.map(DiskOrigins::read).orElseGet(DiskOrigins::none).namesByDevice());
            if (machine.disks().isEmpty()) {
                throw new SourceException("The domain " + request.domain() + " has no disk to back up: 'virsh domblklist' shows what it has.");
            }
            Lineage lineage = request.full()
                    ? Lineage.NONE
                    : Lineage.of(
                            Lineage.own(repository, lease, points, newest, id -> machine.recorded(shortId(), id.hex())),
                            Optional.empty(), lease, List.of());
            writer = new PointWriter(repository, lease, index, lineage.parent(), request.immutability(), random);
            PointId id = PointId.next(points.reversed().stream().findFirst(), clock.instant(), random);
            SortedMap<String, String> definition = LibvirtDefinition.read(domain);
            definition.put(DiskOrigins.DOCUMENT, DiskOrigins.ofDomain(machine.disks()).toJson());
            var job = new MachineBackup.Job(request.machine(), id, connection, lease, writer, lineage, definition);
            UnchangedCheck check = UnchangedCheck.of(request.checkUnchanged(), repository, index, random);
            return new DomainBackup(
                    repository, job, LibvirtCut.prepare(plan(machine, lineage, id, scratch)), new MachineBackup.How(request.transfer(), check));
        } catch (IOException | RuntimeException e) {
            try (connection; BackupLease _ = lease; PointWriter _ = writer) {
                throw e;
            }
        }
    }

    private Path scratch(Request request, LibvirtDomain domain) throws IOException {
        if (request.scratch().isPresent()) {
            return request.scratch().get();
        }
        boolean isOurs = LibvirtMachine.user(domain).getName().equals(System.getProperty("user.name"));
        return isOurs ? folders.scratch() : folders.sharedScratch();
    }

    private String shortId() {
        return repository.id().substring(0, 8);
    }

    private LibvirtCutPlan plan(LibvirtMachine machine, Lineage lineage, PointId id, Path scratch) {
        return new LibvirtCutPlan(
                machine,
                new Checkpoint(shortId(), id.hex()),
                machine.disks().stream().map(disk -> new LibvirtCutPlan.Disk(disk, lineage.since(new DiskName(disk.name())))).toList(),
                scratch,
                CutPlan.DEFAULT_RESERVE);
    }
}
