package io.afterimage.capture.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class QemuProcessTest {

    private static final QemuProcess OURS = new QemuProcess(Path.of("/proc/self"));

    /** As many as there are processors do not wait for one, more do. */
    @Test
    void whatWaitsForAProcessorIsCounted() {
        long before = OURS.waitNanos();
        var enough = new AtomicBoolean();
        try (ExecutorService threads = Executors.newThreadPerTaskExecutor(Thread.ofPlatform().factory())) {
            for (int i = 0; i < 4 * Runtime.getRuntime().availableProcessors(); i++) {
                threads.execute(() -> {
                    while (!enough.get()) {
                        Thread.onSpinWait();
                    }
                });
            }
            while (OURS.waitNanos() <= before) {
                Thread.onSpinWait();
            }
            enough.set(true);
        }
    }

    @Test
    void aMachineIsFoundByItsUuid() throws IOException {
        String uuid = UUID.randomUUID().toString();
        assertEquals(Optional.empty(), QemuProcess.ofMachine(uuid));
        Process process = new ProcessBuilder("sh", "-c", "echo; read -r _", "sh", "-uuid", uuid).start();
        try {
            // By then it is what it was started as.
            assertEquals('\n', process.getInputStream().read());
            QemuProcess found = QemuProcess.ofMachine(uuid).orElseThrow();
            assertEquals(Path.of("/proc", Long.toString(process.pid())), found.folder());
            assertTrue(found.commandLine().contains(uuid));
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void ofOneThatHasEndedNothingIsKnown() {
        QemuProcess ended = new QemuProcess(Path.of("/proc/0"));
        assertEquals(0, ended.waitNanos());
        assertEquals(List.of(), ended.commandLine());
    }
}
