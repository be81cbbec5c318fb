package io.afterimage.app.backup;

import io.afterimage.capture.Capture;
import io.afterimage.capture.GuestWatch;
import io.afterimage.capture.Pace;
import io.afterimage.capture.PacedDevice;
import io.afterimage.capture.Progress;
import io.afterimage.capture.PushedDisk;
import io.afterimage.capture.SourceDisk;
import io.afterimage.capture.UnchangedCheck;
import io.afterimage.capture.agent.AgentException;
import io.afterimage.capture.qemu.Changes;
import io.afterimage.capture.qemu.Cut;
import io.afterimage.capture.qemu.CutDisk;
import io.afterimage.manifest.DiskName;
import io.afterimage.posix.Niceness;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The backup of a machine over QMP, pulled or pushed. */
final class QmpBackup extends MachineBackup {

    private final Repository repository;
    private final Job job;
    private final Cut cut;
    private final How how;

    /**
     * What was asked for.
     *
     * @param agent the guest agent's socket
     * @param check of what is said not to have changed, if that is doubted
     * @param transfer how the disks come
     */
    record How(Optional<Path> agent, Optional<UnchangedCheck> check, Transfer transfer) {}

    /** @param cut prepared, and not made */
    QmpBackup(Repository repository, Job job, Cut cut, How how) {
        super(job, cut);
        this.repository = repository;
        this.job = job;
        this.cut = cut;
        this.how = how;
    }

    @Override
    void freeze(Duration limit) throws IOException {
        cut.freeze(how.agent().orElseThrow(() -> new AgentException("its agent's socket was not named")), limit);
    }

    @Override
    void open() throws IOException {
        cut.open();
    }

    @Override
    Capture.Sealed capture(Capture capture, Progress progress) throws IOException {
        // Not before: whoever waits for this process while a guest is frozen must not wait longer than need be.
        Niceness.of(how.transfer().niceness());
        try (GuestWatch _ = GuestWatch.start(cut::guestLoad, how.transfer().pace(), how.transfer().yielding())) {
            return how.transfer().by() == Cut.Transfer.PULL ? pull(capture, progress) : receive(capture, progress);
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
                        device -> new PacedDevice(device, how.transfer().pace()));
                sources.add(source);
                disks.add(how.check().isPresent() ? how.check().get().check(source.disk(), job.parent()) : source.disk());
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
        Pace pace = how.transfer().pace();
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
}
