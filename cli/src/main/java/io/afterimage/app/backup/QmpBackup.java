package io.afterimage.app.backup;

import io.afterimage.capture.Capture;
import io.afterimage.capture.Pace;
import io.afterimage.capture.PacedDevice;
import io.afterimage.capture.Progress;
import io.afterimage.capture.PushedDisk;
import io.afterimage.capture.UnchangedCheck;
import io.afterimage.capture.agent.AgentException;
import io.afterimage.capture.qemu.Changes;
import io.afterimage.capture.qemu.Cut;
import io.afterimage.capture.qemu.CutDisk;
import io.afterimage.capture.qemu.QmpException;
import io.afterimage.manifest.DiskName;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The backup of a machine over QMP, pulled or pushed. */
final class QmpBackup extends MachineBackup {

    private static final Logger LOG = LoggerFactory.getLogger(QmpBackup.class);

    private final Job job;
    private final Cut cut;
    private final Transfer transfer;
    private final UnchangedCheck check;
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
        this.check = how.check();
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
        Map<String, String> doubts = job.parent().isPresent() ? doubts() : Map.of();
        try (PushExports exports = PushExports.listenOn(cut.pushSocket())) {
            return store(capture, cut.disks().stream()
                    .map(disk -> pushed(disk, Optional.ofNullable(doubts.get(disk.name())), exports))
                    .toList(), progress);
        }
    }

    /** Why what is said of disks is not to be believed, by their names. */
    private Map<String, String> doubts() throws IOException {
        var doubts = new HashMap<String, String>();
        if (cut.disks().stream().noneMatch(QmpBackup::isPushedByBitmap)) {
            return doubts;
        }
        for (CutDisk disk : readable().stream().filter(QmpBackup::isPushedByBitmap).toList()) {
            try (CutSource source = source(disk)) {
                doubted(disk, source).reason().ifPresent(reason -> doubts.put(disk.name(), reason));
            }
        }
        return doubts;
    }

    private List<CutDisk> readable() throws IOException {
        try {
            return cut.show();
        } catch (QmpException e) {
            if (check.share() > 0) {
                throw e; // it was asked for
            }
            LOG.info("QEMU's bitmaps are believed as they are: {}", e.getMessage());
            return List.of();
        }
    }

    private PushedDisk pushed(CutDisk disk, Optional<String> found, PushExports exports) {
        Pace pace = transfer.pace();
        DiskName name = new DiskName(disk.name());
        boolean damaged = job.parent().flatMap(manifest -> manifest.disk(name)).stream()
                .anyMatch(inherited -> !job.writer().damaged(inherited.map()).isEmpty());
        Optional<String> doubt = damaged
                ? Optional.of("chunks of it are damaged in the repository, and QEMU cannot be told to push those alone")
                : unpushable(disk.changes()).or(() -> found);
        Optional<Long> dirty = doubt.isEmpty() && disk.changes() instanceof Changes.Recorded recorded
                ? Optional.of(recorded.dirtyBytes())
                : Optional.empty();
        Optional<String> reason = job.parent().isPresent() ? doubt : Optional.empty();
        return new PushedDisk(name, disk.disk().size(), dirty, reason, target -> exports.during(
                name.text(),
                new PacedDevice(target, pace),
                () -> cut.push(disk, dirty.isPresent(), transfer.yielding(), pace::bytesPerSecond)));
    }

    private static boolean isPushedByBitmap(CutDisk disk) {
        return unpushable(disk.changes()).isEmpty();
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
