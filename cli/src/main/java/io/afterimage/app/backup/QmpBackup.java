package io.afterimage.app.backup;

import io.afterimage.capture.Capture;
import io.afterimage.capture.Pace;
import io.afterimage.capture.PacedDevice;
import io.afterimage.capture.Progress;
import io.afterimage.capture.PushedDisk;
import io.afterimage.capture.agent.AgentException;
import io.afterimage.capture.qemu.Changes;
import io.afterimage.capture.qemu.Cut;
import io.afterimage.capture.qemu.CutDisk;
import io.afterimage.manifest.DiskName;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** The backup of a machine over QMP, pulled or pushed. */
final class QmpBackup extends MachineBackup {

    private final Job job;
    private final Cut cut;
    private final Transfer transfer;
    private final Optional<Path> agent;

    /**
     * A backup that has not begun.
     *
     * @param cut prepared, and not made
     * @param agent the guest agent's socket
     */
    QmpBackup(Repository repository, Job job, Cut cut, How how, Optional<Path> agent) {
        super(repository, job, cut, how);
        this.job = job;
        this.cut = cut;
        this.transfer = how.transfer();
        this.agent = agent;
    }

    @Override
    void freeze(Duration limit) throws IOException {
        cut.freeze(agent.orElseThrow(() -> new AgentException("its agent's socket was not named")), limit);
    }

    @Override
    void open() throws IOException {
        cut.open();
    }

    @Override
    Capture.Sealed capture(Capture capture, Progress progress) throws IOException {
        if (transfer.by() == Cut.Transfer.PULL) {
            return super.capture(capture, progress);
        }
        try (PushExports exports = PushExports.listenOn(cut.pushSocket())) {
            return store(capture, cut.disks().stream().map(disk -> pushed(disk, exports)).toList(), progress);
        }
    }

    private PushedDisk pushed(CutDisk disk, PushExports exports) {
        Pace pace = transfer.pace();
        DiskName name = new DiskName(disk.name());
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
