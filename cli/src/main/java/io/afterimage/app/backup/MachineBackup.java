package io.afterimage.app.backup;

import io.afterimage.capture.Capture;
import io.afterimage.capture.DiskSource;
import io.afterimage.capture.GuestLoad;
import io.afterimage.capture.GuestWatch;
import io.afterimage.capture.Progress;
import io.afterimage.capture.SourceDisk;
import io.afterimage.capture.UnchangedCheck;
import io.afterimage.capture.qemu.Changes;
import io.afterimage.capture.qemu.HeldCut;
import io.afterimage.capture.qemu.HeldDisk;
import io.afterimage.capture.qemu.HostCommand;
import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointGroup;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.PointId;
import io.afterimage.repository.PointWriter;
import io.afterimage.repository.Repository;
import io.afterimage.store.StoreException;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;

/**
 * The backup of one running machine, step by step, so that several can take each step together: {@link #freeze}, {@link #cut},
 * {@link #thaw}, {@link #open}, {@link #read}, {@link #commit}. What is closed before the commit has been nothing.
 */
abstract sealed class MachineBackup implements CutMember, Closeable permits QmpBackup, DomainBackup {

    private final Repository repository;
    private final Job job;
    private final HeldCut cut;
    private final How how;
    private final GuestConsistency guest;
    private Optional<PointGroup> group = Optional.empty();
    private Capture.Sealed sealed;

    /**
     * What has been found out and acquired for it.
     *
     * @param connection to who runs the machine; and {@code lease}, {@code writer}: closed with the backup
     * @param lineage what the point builds on
     */
    record Job(
            MachineName machine,
            PointId id,
            Closeable connection,
            BackupLease lease,
            PointWriter writer,
            Lineage lineage,
            SortedMap<String, String> definition) {

        Optional<Manifest> parent() {
            return lineage.parent();
        }
    }

    /**
     * How its disks are to be read.
     *
     * @param transfer how they come, and how much of that the machine may feel
     * @param check of what is said not to have changed
     */
    record How(Transfer transfer, UnchangedCheck check) {}

    /** @param cut prepared, and not made; ends with the backup */
    MachineBackup(Repository repository, Job job, HeldCut cut, How how) {
        this.repository = repository;
        this.job = job;
        this.cut = cut;
        this.how = how;
        this.guest = new GuestConsistency(job.machine());
    }

    /** Has the agent freeze the guest. */
    abstract void freeze(Duration limit) throws IOException;

    /** Makes the disks readable, though nobody reads them yet. */
    abstract void open() throws IOException;

    /** Reads all disks and stores them. */
    Capture.Sealed capture(Capture capture, Progress progress) throws IOException {
        List<CutSource> sources = new ArrayList<>();
        try {
            List<SourceDisk> disks = new ArrayList<>();
            for (HeldDisk disk : cut.disks()) {
                CutSource source = source(disk);
                sources.add(source);
                disks.add(doubted(disk, source));
            }
            return store(capture, disks, progress);
        } finally {
            sources.forEach(CutSource::close);
        }
    }

    /** A disk that is shown to be read, connected to. */
    final CutSource source(HeldDisk disk) throws IOException {
        return CutSource.open(new DiskName(disk.name()), disk.uri(), disk.changes(), job.parent(), how.transfer().pace());
    }

    /** What is to be read of it, now that what is said not to have changed has been doubted. */
    final SourceDisk doubted(HeldDisk disk, CutSource source) throws IOException {
        return how.check().check(source.disk(), job.parent(), disk.changes() instanceof Changes.Recorded);
    }

    final Capture.Sealed store(Capture capture, List<? extends DiskSource> disks, Progress progress) throws IOException {
        return capture.run(repository, job.writer(), disks, progress);
    }

    PointId id() {
        return job.id();
    }

    @Override
    public void freeze(Quiescing quiescing) throws IOException {
        guest.freeze(quiescing, () -> freeze(quiescing.limit()));
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

    /** All of a backup of this machine alone. */
    Point run(Quiescing quiescing, Progress progress) throws IOException {
        new CutTogether(List.of(this), quiescing).run();
        open();
        read(List.of(this::guestLoad), progress);
        return commit();
    }

    /** What its guest has had its disks do so far. */
    GuestLoad guestLoad() throws IOException {
        return cut.guestLoad();
    }

    /** To be told before {@link #read}. */
    void capturedIn(PointGroup together) {
        group = Optional.of(together);
    }

    /**
     * Reads, or receives, and stores all; the point is not there yet.
     *
     * @param guests that are yielded to
     */
    void read(List<GuestLoad.Meter> guests, Progress progress) throws IOException {
        // Not before: whoever waits for this process while a guest is frozen must not wait longer than need be.
        how.transfer().makeWay();
        try (GuestWatch _ = GuestWatch.start(guests, how.transfer().pace(), how.transfer().yielding())) {
            Capture capture = new Capture(job.machine(), job.id(), cut.time(), job.parent(), job.definition(), job.lineage().base());
            sealed = capture(capture, progress).captured(guest.found(), group);
        } catch (IOException e) {
            // Why the disks are no longer shown says more than that they are not.
            cut.requireIntact();
            throw e;
        }
    }

    /** Throws the reason why what was read must not become a point, if there is one. */
    void requireIntact() throws IOException {
        cut.requireIntact();
    }

    /** Makes the point be there, and ends the cut that it was read from by how that went. */
    Point commit() throws IOException {
        cut.committing();
        try {
            Point point = sealed.commit();
            cut.end(HeldCut.Outcome.COMMITTED);
            return point;
        } catch (StoreException e) {
            cut.end(e.outcome() == StoreException.Outcome.AMBIGUOUS ? HeldCut.Outcome.UNKNOWN : HeldCut.Outcome.FAILED);
            throw e;
        }
    }

    @Override
    public void close() throws IOException {
        try (Closeable _ = job.connection(); BackupLease _ = job.lease(); PointWriter _ = job.writer()) {
            cut.close();
        }
    }
}
