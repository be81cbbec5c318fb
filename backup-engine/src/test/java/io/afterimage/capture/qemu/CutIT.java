package io.afterimage.capture.qemu;

import static io.afterimage.capture.qemu.TwoDiskMachine.since;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.capture.GuestLoad;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a cut shows, while the guest goes on and others do what they do to QEMU. */
class CutIT {

    @TempDir
    Path folder;

    private TwoDiskMachine machine;
    private QmpClient client;

    @BeforeEach
    void startMachine() throws IOException, InterruptedException {
        machine = new TwoDiskMachine(folder);
        client = machine.connect();
    }

    @AfterEach
    void stopMachine() {
        client.close();
        machine.close();
    }

    @Test
    void theDisksAreReadAsTheyWereWhileTheGuestGoesOn() throws Exception {
        machine.data.write(0, 199_680, 0x11);
        machine.logs.write(4_999_680, 512, 0x22);
        byte[] dataThen = machine.data.content();
        byte[] logsThen = machine.logs.content();
        try (Cut cut = machine.cut(client, 1, Map.of())) {
            machine.data.write(65_536, 65_536, 0x33);
            machine.data.zero(0, 65_536);
            machine.logs.zero(4_915_200, 84_992);
            assertArrayEquals(dataThen, View.read(cut.disks().get(0)));
            assertArrayEquals(logsThen, View.read(cut.disks().get(1)));
            assertEquals(new Changes.Unknown("the point it builds on does not have it"), cut.disks().get(0).changes());
            cut.committing();
            assertEquals(List.of(), cut.end(Cut.Outcome.COMMITTED));
            assertEquals(List.of(), cut.end(Cut.Outcome.FAILED));
        }
        machine.assertClean(1);
    }

    @Test
    void anIncrementKnowsEveryWriteZeroAndDiscardAndNothingElse() throws Exception {
        machine.data.write(0, 1 << 20, 0x11);
        machine.logs.write(0, 1 << 20, 0x22);
        client.close();
        machine.backUp(1, Map.of());
        client = machine.connect();
        for (int point = 2; point <= 4; point++) {
            machine.data.write(499_712 + point * 512, 1024, 0x44 + point);
            machine.data.zero(131_072, 65_536);
            machine.data.discard(262_144, 131_072);
            machine.logs.write(TwoDiskMachine.LOGS_SIZE - 512, 512, 0x55 + point);
            byte[] dataThen = machine.data.content();
            Set<Long> dataTouched = machine.data.takeTouched();
            Set<Long> logsTouched = machine.logs.takeTouched();
            try (Cut cut = machine.cut(client, point, since(point - 1))) {
                machine.data.write(8 << 20, 4096, 0x66); // belongs to the next round
                CutDisk dataDisk = cut.disks().get(0);
                CutDisk logsDisk = cut.disks().get(1);
                assertEquals(dataTouched, View.dirtyChunks(dataDisk));
                assertEquals(logsTouched, View.dirtyChunks(logsDisk));
                assertEquals(dataTouched.size() * 65_536L, ((Changes.Recorded) dataDisk.changes()).dirtyBytes());
                assertArrayEquals(dataThen, View.read(dataDisk));
                cut.committing();
                assertEquals(List.of(), cut.end(Cut.Outcome.COMMITTED));
            }
            machine.assertClean(point);
        }
    }

    /** Of all disks, with or without a cut in between, and nothing of what we read. */
    @Test
    void whatTheGuestDoesIsCounted() throws Exception {
        machine.data.write(0, 1 << 20, 0x11);
        try (Cut cut = machine.cut(client, 1, Map.of())) {
            GuestLoad before = cut.guestLoad();
            View.read(cut.disks().get(0));
            GuestLoad read = cut.guestLoad();
            assertEquals(before, new GuestLoad(read.reads(), read.readNanos(), read.writes(), read.writeNanos(), before.waitNanos()));
            machine.data.countedWrite(65_536, 4096, 0x22);
            machine.data.countedWrite(131_072, 4096, 0x22);
            machine.logs.countedWrite(0, 512, 0x33);
            GuestLoad after = cut.guestLoad();
            assertEquals(before.writes() + 3, after.writes());
            assertEquals(before.reads(), after.reads());
            assertTrue(after.writeNanos() > before.writeNanos(), after.toString());
            assertTrue(after.waitNanos() > 0, after.toString());
        }
    }

    @Test
    void aFailedBackupForgetsNoChange() throws Exception {
        client.close();
        machine.backUp(1, Map.of());
        client = machine.connect();
        machine.data.write(0, 4096, 0x11);
        try (Cut cut = machine.cut(client, 2, since(1))) {
            machine.data.write(1 << 20, 4096, 0x22);
            assertEquals(2, cut.disks().size());
        }
        machine.assertClean(1);
        machine.data.write(2 << 20, 4096, 0x33);
        try (Cut cut = machine.cut(client, 3, since(1))) {
            assertEquals(machine.data.takeTouched(), View.dirtyChunks(cut.disks().get(0)));
            assertEquals(Set.of(), View.dirtyChunks(cut.disks().get(1)));
        }
        machine.assertClean(1);
    }
}
