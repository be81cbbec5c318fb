package io.afterimage.capture.qemu;

import io.afterimage.capture.agent.Freezer;
import io.afterimage.capture.agent.GuestAgent;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** The watchdog of a cut over QMP. */
final class QemuWatchdog implements Watchdog.Duties {

    /** The monitor may be held by another client for a while, such as the backup that follows; it has done the work by then. */
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(60);

    private final Path qmpSocket;
    private final Path folder;
    private final Checkpoint checkpoint;

    private QemuWatchdog(Path qmpSocket, Path folder, Checkpoint checkpoint) {
        this.qmpSocket = qmpSocket;
        this.folder = folder;
        this.checkpoint = checkpoint;
    }

    static WatchdogProcess start(Path qmpSocket, Path folder, Checkpoint checkpoint) throws IOException {
        return WatchdogProcess.start(
                QemuWatchdog.class, List.of(qmpSocket.toAbsolutePath().toString(), folder.toString(), checkpoint.name()));
    }

    /** Arguments: the QMP socket, the cut's scratch folder, the name of the new checkpoint. */
    public static void main(String[] args) throws IOException {
        Watchdog.run(new QemuWatchdog(Path.of(args[0]), Path.of(args[1]), Checkpoint.parse(args[2]).orElseThrow()));
    }

    @Override
    public Freezer.Connector guest(String agent) {
        return () -> GuestAgent.connect(Path.of(agent));
    }

    @Override
    public void thawed() throws IOException {
        ScratchFolder.noteThawed(folder);
    }

    @Override
    public void cleanUp(boolean committing) throws IOException {
        if (!ScratchFolder.accepts(qmpSocket)) {
            ScratchFolder.delete(folder); // QEMU is gone, and all that was in it
            return;
        }
        try (QmpClient client = QmpClient.connect(qmpSocket, CONNECT_TIMEOUT)) {
            new Teardown(client, CutNames.of(checkpoint.pointId()), List.of(folder)).run();
            if (!committing) {
                new Checkpoints(client).remove((node, found) -> found.checkpoint().equals(checkpoint));
            }
        }
    }
}
