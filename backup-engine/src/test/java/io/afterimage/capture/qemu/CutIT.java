package io.afterimage.capture.qemu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two disks of a real QEMU: a qcow2 and a raw one, neither of a size that chunks divide. */
class CutIT {

    private static final String REPOSITORY = "0a1b2c3d";
    private static final int DATA_SIZE = 9_000_448;
    private static final int LOGS_SIZE = 5_000_192;

    @TempDir
    Path folder;

    private BareQemu qemu;
    private QmpClient client;
    private GuestDisk data;
    private GuestDisk logs;
    private int points;

    @BeforeEach
    void startMachine() throws IOException, InterruptedException {
        Program.run("qemu-img", "create", "-q", "-f", "qcow2", file("data.qcow2").toString(), "" + DATA_SIZE);
        Program.run("qemu-img", "create", "-q", "-f", "raw", file("logs.raw").toString(), "" + LOGS_SIZE);
        boot();
        data = new GuestDisk(qemu, "dev-data", DATA_SIZE);
        logs = new GuestDisk(qemu, "dev-logs", LOGS_SIZE);
    }

    @AfterEach
    void stopMachine() {
        client.close();
        qemu.close();
    }

    private void boot() throws IOException, InterruptedException {
        var arguments = new ArrayList<>(BareQemu.disk("data", "qcow2", file("data.qcow2")));
        arguments.addAll(BareQemu.disk("logs", "raw", file("logs.raw")));
        qemu = BareQemu.start(folder, arguments);
        client = QmpClient.connect(qemu.qmp());
    }

    private Path file(String name) {
        return folder.resolve(name);
    }

    private String nextPoint() {
        return "%032x".formatted(++points);
    }

    private Cut cut(String point, Map<String, CutPlan.Base> bases) throws IOException {
        QemuMachine machine = QemuMachine.inspect(client);
        return Cut.begin(client, new CutPlan(
                new Checkpoint(REPOSITORY, point),
                machine.disks().stream()
                        .map(disk -> new CutPlan.Disk(disk, Optional.ofNullable(bases.get(disk.name()))))
                        .toList(),
                file("scratch")));
    }

    private static Map<String, CutPlan.Base> since(String point) {
        return Map.of("data", new CutPlan.Base(point, DATA_SIZE), "logs", new CutPlan.Base(point, LOGS_SIZE));
    }

    private void assertClean() throws IOException {
        assertEquals(List.of(), qemu.traces());
        try (Stream<Path> left = Files.list(file("scratch"))) {
            assertEquals(List.of(), left.toList());
        }
    }

    @Test
    void theDisksAreReadAsTheyWereWhileTheGuestGoesOn() throws Exception {
        data.write(0, 200_000, 0x11);
        logs.write(4_999_680, 512, 0x22);
        byte[] dataThen = data.content();
        byte[] logsThen = logs.content();
        try (Cut cut = cut(nextPoint(), Map.of())) {
            data.write(65_536, 65_536, 0x33);
            data.zero(0, 65_536);
            logs.discard(4_915_200, 84_992);
            assertArrayEquals(dataThen, View.read(cut.disks().get(0)));
            assertArrayEquals(logsThen, View.read(cut.disks().get(1)));
            assertInstanceOf(Changes.Unknown.class, cut.disks().get(0).changes());
            cut.committing();
            assertEquals(List.of(), cut.end(Cut.Outcome.COMMITTED));
        }
        assertClean();
    }

    @Test
    void anIncrementKnowsEveryWriteZeroAndDiscardAndNothingElse() throws Exception {
        data.write(0, 1 << 20, 0x11);
        logs.write(0, 1 << 20, 0x22);
        String first = nextPoint();
        try (Cut cut = cut(first, Map.of())) {
            cut.end(Cut.Outcome.COMMITTED);
        }
        data.takeTouched();
        logs.takeTouched();
        String base = first;
        for (int round = 0; round < 3; round++) {
            data.write(500_000 + round * 512, 1024, 0x44 + round);
            data.zero(131_072, 65_536);
            data.discard(262_144, 131_072);
            logs.write(LOGS_SIZE - 512, 512, 0x55 + round);
            byte[] dataThen = data.content();
            Set<Long> dataTouched = data.takeTouched();
            Set<Long> logsTouched = logs.takeTouched();
            String point = nextPoint();
            try (Cut cut = cut(point, since(base))) {
                data.write(8 << 20, 4096, 0x66); // belongs to the next round
                CutDisk dataDisk = cut.disks().get(0);
                CutDisk logsDisk = cut.disks().get(1);
                assertEquals(dataTouched, View.dirtyChunks(dataDisk));
                assertEquals(logsTouched, View.dirtyChunks(logsDisk));
                assertEquals(dataTouched.size() * 65_536L, ((Changes.Recorded) dataDisk.changes()).dirtyBytes());
                assertArrayEquals(dataThen, View.read(dataDisk));
                cut.committing();
                assertEquals(List.of(), cut.end(Cut.Outcome.COMMITTED));
            }
            assertEquals(List.of("afterimage-" + REPOSITORY + "-" + point), qemu.bitmaps("data"));
            assertEquals(List.of("afterimage-" + REPOSITORY + "-" + point), qemu.bitmaps("logs"));
            base = point;
        }
        assertClean();
    }

    @Test
    void aFailedBackupForgetsNoChange() throws Exception {
        String first = nextPoint();
        try (Cut cut = cut(first, Map.of())) {
            cut.end(Cut.Outcome.COMMITTED);
        }
        data.takeTouched();
        data.write(0, 4096, 0x11);
        try (Cut cut = cut(nextPoint(), since(first))) {
            data.write(1 << 20, 4096, 0x22);
            assertFalse(cut.disks().isEmpty());
        }
        assertClean();
        data.write(2 << 20, 4096, 0x33);
        try (Cut cut = cut(nextPoint(), since(first))) {
            assertEquals(data.takeTouched(), View.dirtyChunks(cut.disks().get(0)));
            assertEquals(Set.of(), View.dirtyChunks(cut.disks().get(1)));
        }
        assertTrue(qemu.bitmaps("data").getFirst().endsWith(first));
    }
}
