package io.afterimage.capture.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** A real QEMU with a qcow2 and a raw disk, "data" and "logs", neither of a size that chunks divide, and the cuts of them. */
final class TwoDiskMachine implements AutoCloseable {

    static final String REPOSITORY = "0a1b2c3d";
    static final int DATA_SIZE = 9_000_448;
    static final int LOGS_SIZE = 5_000_192;

    final GuestDisk data;
    final GuestDisk logs;
    private final Path folder;
    private BareQemu qemu;

    TwoDiskMachine(Path folder) throws IOException, InterruptedException {
        Files.createDirectories(folder);
        this.folder = folder;
        Program.run("qemu-img", "create", "-q", "-f", "qcow2", folder.resolve("data.qcow2").toString(), "" + DATA_SIZE);
        Program.run("qemu-img", "create", "-q", "-f", "raw", folder.resolve("logs.raw").toString(), "" + LOGS_SIZE);
        boot();
        data = new GuestDisk(this::qemu, "dev-data", DATA_SIZE);
        logs = new GuestDisk(this::qemu, "dev-logs", LOGS_SIZE);
    }

    /** Starts QEMU again, on the same disks. */
    void boot() throws IOException, InterruptedException {
        var arguments = new ArrayList<>(BareQemu.disk("data", "qcow2", folder.resolve("data.qcow2")));
        arguments.addAll(BareQemu.disk("logs", "raw", folder.resolve("logs.raw")));
        qemu = BareQemu.start(folder, arguments);
    }

    BareQemu qemu() {
        return qemu;
    }

    QmpClient connect() throws IOException {
        return QmpClient.connect(qemu.qmp());
    }

    Path scratch() {
        return folder.resolve("scratch");
    }

    static String point(int number) {
        return "%032x".formatted(number);
    }

    static String bitmap(int number, String disk) {
        return new Checkpoint(REPOSITORY, point(number)).on(disk).name();
    }

    /** The bases of both disks, at their first size. */
    static Map<String, CutPlan.Base> since(int point) {
        return Map.of("data", new CutPlan.Base(point(point), "data", DATA_SIZE), "logs", new CutPlan.Base(point(point), "logs", LOGS_SIZE));
    }

    Cut cut(QmpClient client, int point, Map<String, CutPlan.Base> bases) throws IOException {
        return Cut.begin(client, plan(client, scratch(), new Checkpoint(REPOSITORY, point(point)), bases));
    }

    static CutPlan plan(QmpClient client, Path scratch, Checkpoint checkpoint, Map<String, CutPlan.Base> bases) throws IOException {
        return new CutPlan(
                checkpoint,
                QemuMachine.inspect(client).disks().stream()
                        .map(disk -> new CutPlan.Disk(disk, Optional.ofNullable(bases.get(disk.name()))))
                        .toList(),
                scratch);
    }

    /** A whole backup, but for the reading. */
    void backUp(int point, Map<String, CutPlan.Base> bases) throws IOException {
        try (QmpClient client = connect(); Cut cut = cut(client, point, bases)) {
            cut.committing();
            assertEquals(List.of(), cut.end(Cut.Outcome.COMMITTED));
        }
        data.takeTouched();
        logs.takeTouched();
    }

    /** Nothing of a cut is left in QEMU or on disk, but for the checkpoints of these points, and the guest runs. */
    void assertClean(Integer... points) throws IOException {
        assertEquals(List.of(), qemu.traces());
        for (String disk : List.of("data", "logs")) {
            assertEquals(Stream.of(points).map(point -> bitmap(point, disk)).toList(), qemu.bitmaps(disk));
        }
        assertEquals("running", qemu.status());
        assertEquals(List.of(), scratchFolders());
    }

    List<Path> scratchFolders() throws IOException {
        if (!Files.exists(scratch())) {
            return List.of();
        }
        try (Stream<Path> left = Files.list(scratch())) {
            return left.toList();
        }
    }

    @Override
    public void close() {
        qemu.close();
    }
}
