package io.afterimage.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.capture.Progress;
import io.afterimage.catalog.LeaseTerms;
import io.afterimage.catalog.OpenPoints;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointDisk;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.fetch.FetchSettings;
import io.afterimage.image.ImageLibrary;
import io.afterimage.index.ChunkIndex;
import io.afterimage.lab.Deadline;
import io.afterimage.lab.Guest;
import io.afterimage.lab.GuestDisk;
import io.afterimage.lab.GuestPlan;
import io.afterimage.lab.Tool;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.repository.Repository;
import io.afterimage.settings.ImageSource;
import io.afterimage.store.MemoryObjectStore;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import tools.jackson.databind.JsonNode;

/**
 * A QEMU whose processors stand still, so that it costs nothing: what a guest would write, its monitor writes through the guest's devices.
 * Between backups its disks are written, discarded, grown, added, put below snapshots and out of them; it is stopped, killed, moved to another
 * QEMU, and put back to an earlier point.
 */
final class RandomLife implements Closeable {

    private static final MachineName MACHINE = new MachineName("web");
    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final long SIZE = 4L << 20;
    private static final int MOST_DISKS = 3;
    private static final int SECTOR = 4096;

    private final Path folder;
    private final Random random;
    private final Repository repository;
    private final ChunkIndex index;
    private final ImageLibrary images;
    private final BackUpMachine backUpMachine;
    private final BackUpImages backUpImages;
    private final List<Disk> disks = new ArrayList<>();
    private final List<String> history = new ArrayList<>();
    private Guest guest;
    private int files;
    private int starts;
    private int backups;

    /** One of the machine's disks; {@code chain} holds its image last, what that is an overlay on before it. */
    private static final class Disk {
        private final String name;
        private final List<GuestDisk> chain = new ArrayList<>();

        private Disk(String name) {
            this.name = name;
        }

        private GuestDisk image() {
            return chain.getLast();
        }
    }

    /** Something that happens. */
    @FunctionalInterface
    private interface Event {
        void happen() throws IOException;
    }

    RandomLife(Path folder, long seed) throws IOException {
        this.folder = folder;
        random = new Random(seed);
        repository = Repository.create(new MemoryObjectStore(), ChunkSize.DEFAULT, new SecureRandom());
        index = ChunkIndex.open(folder.resolve("index"));
        images = new ImageLibrary(
                repository,
                new OpenPoints(repository.store(), InstantSource.system(), LeaseTerms.DEFAULT),
                16 << 20,
                Optional.empty(),
                FetchSettings.DEFAULT);
        backUpMachine = new BackUpMachine(repository, index, InstantSource.system(), new SecureRandom());
        backUpImages = new BackUpImages(repository, index, folder.resolve("seen"), InstantSource.system(), new SecureRandom());
        addDisk();
        start();
    }

    int backups() {
        return backups;
    }

    String history() {
        return String.join(", ", history);
    }

    /** Some writes, then something else. */
    void step() throws IOException {
        for (int i = random.nextInt(4); i > 0; i--) {
            write(pick());
        }
        happen();
        if (random.nextInt(3) > 0) {
            run("backup", this::backUp);
        }
    }

    private void happen() throws IOException {
        switch (random.nextInt(12)) {
            case 0 -> run("stop", () -> { guest.quit(); start(); });
            case 1 -> run("kill", () -> { guest.kill(); start(); });
            case 2 -> run("add disk", () -> { guest.quit(); addDisk(); start(); });
            case 3 -> run("migrate", this::migrate);
            case 4, 5 -> run("snapshot", () -> snapshot(pick()));
            case 6, 7 -> run("commit", () -> commit(pick()));
            case 8 -> run("grow", () -> grow(pick()));
            case 9 -> run("backup of the images", this::backUpOffline);
            case 10 -> run("revert", () -> revert(pick()));
            default -> run("nothing", () -> {});
        }
    }

    private void run(String name, Event event) throws IOException {
        history.add(name);
        event.happen();
    }

    private Disk pick() {
        return disks.get(random.nextInt(disks.size()));
    }

    private void addDisk() {
        if (disks.size() < MOST_DISKS) {
            Disk disk = new Disk("d" + disks.size());
            boolean raw = disks.size() == 1;
            Path file = folder.resolve("disk" + files++);
            Tool.run("qemu-img", "create", "-q", "-f", raw ? "raw" : "qcow2", file.toString(), Long.toString(SIZE)).orFail();
            disk.chain.add(new GuestDisk(disk.name, file, raw ? "raw" : "qcow2"));
            disks.add(disk);
        }
    }

    private GuestPlan plan() {
        GuestPlan plan = Guest.in(folder.resolve("g" + starts++)).memoryMiB(32);
        disks.forEach(disk -> plan.disk(disk.image()));
        return plan;
    }

    private void start() throws IOException {
        if (guest != null) {
            guest.close();
        }
        guest = plan().options("-S").start();
    }

    private void write(Disk disk) {
        long size = size(disk);
        long offset = random.nextLong(size / SECTOR) * SECTOR;
        long length = Math.min(size - offset, SECTOR * (1L + random.nextInt(60)));
        switch (random.nextInt(4)) {
            case 0 -> io(disk, "write -z " + offset + " " + length);
            case 1 -> io(disk, "discard " + offset + " " + length);
            default -> io(disk, "write -P " + (1 + random.nextInt(255)) + " " + offset + " " + length);
        }
    }

    private void io(Disk disk, String command) {
        guest.qmp().execute("human-monitor-command",
                "{\"command-line\":\"qemu-io -d /machine/peripheral/dev-" + disk.name + "/virtio-backend \\\"" + command + "\\\"\"}");
    }

    private JsonNode inserted(Disk disk) {
        for (JsonNode device : guest.qmp().execute("query-block")) {
            if (device.path("qdev").asString("").contains("/dev-" + disk.name + "/")) {
                return device.path("inserted");
            }
        }
        throw new AssertionError("QEMU has no disk " + disk.name);
    }

    private String node(Disk disk) {
        return inserted(disk).path("node-name").asString();
    }

    private long size(Disk disk) {
        return inserted(disk).path("image").path("virtual-size").asLong();
    }

    private void snapshot(Disk disk) {
        if (disk.chain.size() > 2) {
            return;
        }
        Path overlay = folder.resolve("disk" + files++);
        String name = "overlay" + files;
        Tool.run("qemu-img", "create", "-q", "-f", "qcow2", "-b", disk.image().file().toString(), "-F", disk.image().format(), overlay.toString(),
                Long.toString(size(disk))).orFail();
        guest.qmp().execute("blockdev-add", "{\"driver\":\"qcow2\",\"node-name\":\"" + name + "\",\"discard\":\"unmap\",\"backing\":null,"
                + "\"file\":{\"driver\":\"file\",\"filename\":\"" + overlay + "\",\"discard\":\"unmap\"}}");
        guest.qmp().execute("blockdev-snapshot", "{\"node\":\"" + node(disk) + "\",\"overlay\":\"" + name + "\"}");
        disk.chain.add(GuestDisk.qcow2(disk.name, overlay));
    }

    private void commit(Disk disk) {
        if (disk.chain.size() < 2) {
            return;
        }
        // Into the image right below.
        String job = "commit" + files++;
        String overlay = node(disk);
        guest.qmp().execute("block-commit", "{\"job-id\":\"" + job + "\",\"device\":\"" + overlay + "\",\"base\":\""
                + disk.chain.get(disk.chain.size() - 2).file() + "\"}");
        guest.qmp().awaitEvent("BLOCK_JOB_READY", PATIENCE);
        guest.qmp().execute("job-complete", "{\"id\":\"" + job + "\"}");
        guest.qmp().awaitEvent("BLOCK_JOB_COMPLETED", PATIENCE);
        guest.qmp().execute("blockdev-del", "{\"node-name\":\"" + overlay + "\"}");
        disk.chain.removeLast();
    }

    private void grow(Disk disk) {
        if (disk.chain.size() == 1) {
            guest.qmp().execute("block_resize", "{\"node-name\":\"" + node(disk) + "\",\"size\":" + (size(disk) + (1 + random.nextInt(3)) * 32768L) + "}");
        }
    }

    private void migrate() throws IOException {
        Guest target = plan().options("-incoming", "defer", "-S").start();
        String uri = "{\"uri\":\"unix:" + folder.resolve("m.sock") + "\"}";
        target.qmp().execute("migrate-incoming", uri);
        guest.qmp().execute("migrate", uri);
        Guest source = guest;
        Deadline.in(PATIENCE).await(() -> source.qmp().execute("query-migrate").path("status").asString("").equals("completed"),
                () -> "the migration does not end: " + source.qmp().execute("query-migrate"));
        Deadline.in(PATIENCE).await(() -> !target.status().equals("inmigrate"), () -> "the target does not take over");
        source.close();
        guest = target;
    }

    private void revert(Disk disk) throws IOException {
        List<Point> points = repository.catalog().points(MACHINE);
        Collections.shuffle(points, random);
        Optional<Point> point = points.stream().filter(one -> one.disk(new DiskName(disk.name)).isPresent()).findFirst();
        if (point.isEmpty()) {
            return;
        }
        guest.quit();
        boolean raw = disk.chain.getFirst().format().equals("raw");
        Path restored = folder.resolve("disk" + files++ + (raw ? ".raw" : ".qcow2"));
        new RestoreDisk(images, repository.id())
                .run(point.get(), new DiskName(disk.name), restored.toString(), false, Progress.NONE);
        disk.chain.clear();
        disk.chain.add(new GuestDisk(disk.name, restored, raw ? "raw" : "qcow2"));
        start();
    }

    private void backUp() throws IOException {
        disks.forEach(disk -> io(disk, "flush"));
        Point point = backUpMachine.run(new BackUpMachine.Request(
                MACHINE, guest.qmpSocket(), List.of(), false, folder.resolve("scratch"), Optional.empty()), Progress.NONE);
        assertExact(point);
        for (JsonNode node : guest.qmp().execute("query-named-block-nodes", "{\"flat\":true}")) {
            assertTrue(node.path("dirty-bitmaps").size() <= 1, node::toString);
        }
    }

    private void backUpOffline() throws IOException {
        guest.quit();
        List<ImageSource> sources = disks.stream()
                .map(disk -> ImageSource.parse(disk.name + "=" + disk.image().format() + ":" + disk.image().file()))
                .toList();
        assertExact(backUpImages.run(new BackUpImages.Request(MACHINE, sources, Optional.empty()), Progress.NONE));
        start();
    }

    private void assertExact(Point point) throws IOException {
        backups++;
        history.add(point.disks().stream().map(disk -> disk.change() == PointDisk.Change.BITMAP ? "+" : "=").reduce("", String::concat));
        assertEquals(disks.stream().map(disk -> disk.name).toList(), point.disks().stream().map(disk -> disk.name().text()).toList());
        for (Disk disk : disks) {
            Path restored = folder.resolve("restored.raw");
            new RestoreDisk(images, repository.id())
                    .run(point, new DiskName(disk.name), restored.toString(), true, Progress.NONE);
            Tool.run("qemu-img", "compare", "--force-share", "-f", disk.image().format(), "-F", "raw", disk.image().file().toString(),
                    restored.toString()).orFail();
        }
    }

    @Override
    public void close() throws IOException {
        guest.close();
        images.close();
        index.close();
        repository.close();
    }
}
