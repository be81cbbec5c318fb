package io.afterimage.capture.qemu;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * A small process that outlives a backup which is killed: it takes the cut out of QEMU, so that a full scratch cannot stop the
 * guest hours later. It is told on its standard input how the backup fares; the end of the input without {@code done} means that
 * the backup is dead.
 *
 * <p>It may be killed as well: then the next backup does the work ({@link Strays}).
 */
final class Watchdog {

    static final String READY = "ready";
    static final String COMMITTING = "committing";
    static final String DONE = "done";

    /** The monitor may be held by another client for a while, such as the backup that follows; it has done the work by then. */
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(60);

    private Watchdog() {}

    /** Arguments: the QMP socket, the cut's scratch folder, the name of the new checkpoint's bitmap. */
    public static void main(String[] args) throws IOException {
        Path qmpSocket = Path.of(args[0]);
        Path folder = Path.of(args[1]);
        Checkpoint checkpoint = Checkpoint.parse(args[2]).orElseThrow();
        System.out.println(READY);
        boolean committing = false;
        try (var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = input.readLine(); !DONE.equals(line); line = input.readLine()) {
                if (line == null) {
                    cleanUp(qmpSocket, folder, checkpoint, committing);
                    return;
                }
                committing |= line.equals(COMMITTING);
            }
        }
    }

    private static void cleanUp(Path qmpSocket, Path folder, Checkpoint checkpoint, boolean committing) throws IOException {
        if (!ScratchFolder.accepts(qmpSocket)) {
            ScratchFolder.delete(folder); // QEMU is gone, and all that was in it
            return;
        }
        try (QmpClient client = QmpClient.connect(qmpSocket, CONNECT_TIMEOUT)) {
            new Teardown(client, CutNames.of(checkpoint.pointId()), List.of(folder)).run();
            if (!committing) {
                new Checkpoints(client).remove((node, found) -> found.equals(checkpoint));
            }
        }
    }
}
