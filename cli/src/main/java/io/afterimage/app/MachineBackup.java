package io.afterimage.app;

import io.afterimage.capture.Capture;
import io.afterimage.capture.Progress;
import io.afterimage.capture.Pace;
import io.afterimage.capture.PacedDevice;
import io.afterimage.capture.PushedDisk;
import io.afterimage.capture.SourceDisk;
import io.afterimage.capture.UnchangedCheck;
import io.afterimage.capture.agent.AgentException;
import io.afterimage.capture.qemu.Changes;
import io.afterimage.capture.qemu.Cut;
import io.afterimage.capture.qemu.CutDisk;
import io.afterimage.capture.qemu.HostCommand;
import io.afterimage.capture.qemu.QmpClient;
import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointGroup;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.PointId;
import io.afterimage.posix.Niceness;
import io.afterimage.repository.PointWriter;
import io.afterimage.repository.Repository;
import io.afterimage.store.StoreException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.function.Consumer;

/**
 * The backup of one running machine, step by step, so that several can take each step together: {@link #freeze}, {@link #cut},
 * {@link #thaw}, {@link #read}, {@link #commit}. What is closed before the commit has been nothing.
 */
final class MachineBackup implements CutMember, Closeable {

    private final Repository repository;
    private final Job job;
    private final Cut cut;
    private final GuestConsistency guest;
    private Optional<PointGroup> group = Optional.empty();
    private Capture.Sealed sealed;

    /**
     * What has been found out and acquired for it.
     *
     * @param client and {@code lease}, {@code writer}: closed with the backup
     * @param lineage what the point builds on
     * @param agent the guest agent's socket
     * @param check of what is said not to have changed, if that is doubted
     * @param transfer how the disks come
     */
    record Job(
            MachineName machine,
            PointId id,
            QmpClient client,
            BackupLease lease,
            PointWriter writer,
            Lineage lineage,
            SortedMap<String, String> definition,
            Optional<Path> agent,
            Optional<UnchangedCheck> check,
            Transfer transfer) {

        private Optional<Manifest> parent() {
            return lineage.parent();
        }
    }

    /** @param cut prepared, and not made */
    MachineBackup(Repository repository, Job job, Cut cut) {
        this.repository = repository;
        this.job = job;
        this.cut = cut;
        this.guest = new GuestConsistency(job.machine());
    }

    MachineName machine() {
        return job.machine();
    }

    PointId id() {
        return job.id();
    }

    @Override
    public void freeze(Quiescing quiescing) throws IOException {
        guest.freeze(quiescing, () -> cut.freeze(
                job.agent().orElseThrow(() -> new AgentException("its agent's socket was not named")), quiescing.limit()));
    }

    @Override
    public void cut() throws IOException {
        cut.make();
    }

    @Override
    public void thaw(Quiescing quiescing) throws IOException {
        guest.thaw(quiescing, cut::thaw);
    }

    @Override
    public long beforeNanos() {
        return cut.beforeNanos();
    }

    @Override
    public long afterNanos() {
        return cut.afterNanos();
    }

    @Override
    public void owe(HostCommand command) {
        cut.owed(command);
    }

    @Override
    public void paid() {
        cut.paid();
    }

    /** To be told before {@link #read}. */
    void capturedIn(PointGroup together) {
        group = Optional.of(together);
    }

    /** Makes the disks readable, though nobody reads them yet. */
    void open() throws IOException {
        cut.open();
    }

    /** Reads, or receives, and stores all; the point is not there yet. */
    void read(Progress progress) throws IOException {
        // Not before: whoever waits for this process while a guest is frozen must not wait longer than need be.
        Niceness.of(job.transfer().niceness());
        try {
            Capture capture = new Capture(job.machine(), job.id(), cut.time(), job.parent(), job.definition(), job.lineage().base());
            sealed = (job.transfer().by() == Cut.Transfer.PULL ? pull(capture, progress) : receive(capture, progress))
                    .captured(guest.found(), group);
        } catch (IOException e) {
            // Why QEMU no longer shows the disks says more than that it does not.
            cut.requireIntact();
            throw e;
        }
    }

    private Capture.Sealed pull(Capture capture, Progress progress) throws IOException {
        List<CutSource> sources = new ArrayList<>();
        try {
            List<SourceDisk> disks = new ArrayList<>();
            for (CutDisk disk : cut.disks()) {
                CutSource source = CutSource.open(
                        new DiskName(disk.disk().name()),
                        disk.uri(),
                        disk.changes(),
                        job.parent(),
                        device -> new PacedDevice(device, job.transfer().pace()));
                sources.add(source);
                disks.add(job.check().isPresent() ? job.check().get().check(source.disk(), job.parent()) : source.disk());
            }
            return capture.run(repository, job.writer(), disks, progress);
        } finally {
            sources.forEach(CutSource::close);
        }
    }

    private Capture.Sealed receive(Capture capture, Progress progress) throws IOException {
        try (PushExports exports = PushExports.listenOn(cut.pushSocket())) {
            List<PushedDisk> disks = cut.disks().stream().map(disk -> pushed(disk, exports)).toList();
            return capture.run(repository, job.writer(), disks, progress);
        }
    }

    private PushedDisk pushed(CutDisk disk, PushExports exports) {
        Pace pace = job.transfer().pace();
        DiskName name = new DiskName(disk.disk().name());
        boolean damaged = job.parent().flatMap(manifest -> manifest.disk(name)).stream()
                .anyMatch(inherited -> !job.writer().damaged(inherited.map()).isEmpty());
        Optional<String> doubt = damaged
                ? Optional.of("chunks of it are damaged in the repository, and QEMU cannot be told to push those alone")
                : unpushable(disk.changes());
        Optional<Long> dirty = doubt.isEmpty() && disk.changes() instanceof Changes.Recorded recorded
                ? Optional.of(recorded.dirtyBytes())
                : Optional.empty();
        Optional<String> reason = job.parent().isPresent() ? doubt : Optional.empty();
        return new PushedDisk(name, disk.disk().size(), dirty, reason, target -> exports.during(
                name.text(),
                new PacedDevice(target, pace),
                () -> cut.push(disk, dirty.isPresent(), pace::bytesPerSecond)));
    }

    /** Why QEMU cannot push just what has changed: it pushes by one bitmap. */
    private static Optional<String> unpushable(Changes changes) {
        return switch (changes) {
            case Changes.Recorded recorded when recorded.above().isEmpty() -> Optional.empty();
            case Changes.Recorded _, Changes.Allocated _ ->
                Optional.of("what has changed is in images above a snapshot or a base image, which QEMU cannot be told to push alone");
            case Changes.Unknown unknown -> Optional.of(unknown.reason());
        };
    }

    /** Throws the reason why what was read must not become a point, if there is one. */
    void requireIntact() throws IOException {
        cut.requireIntact();
    }

    Point commit() throws IOException {
        cut.committing();
        return commit(sealed, cut::end);
    }

    /** Makes the point be there, and ends the cut that it was read from by how that went. */
    static Point commit(Capture.Sealed sealed, Consumer<Cut.Outcome> end) throws IOException {
        try {
            Point point = sealed.commit();
            end.accept(Cut.Outcome.COMMITTED);
            return point;
        } catch (StoreException e) {
            end.accept(e.outcome() == StoreException.Outcome.AMBIGUOUS ? Cut.Outcome.UNKNOWN : Cut.Outcome.FAILED);
            throw e;
        }
    }

    @Override
    public void close() throws IOException {
        try (QmpClient _ = job.client(); BackupLease _ = job.lease(); PointWriter _ = job.writer()) {
            cut.close();
        }
    }
}
