package io.afterimage.app.backup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.app.restore.RestoreDisk;
import io.afterimage.capture.Pace;
import io.afterimage.capture.Progress;
import io.afterimage.capture.Yielding;
import io.afterimage.capture.qemu.Cut;
import io.afterimage.catalog.LeaseTerms;
import io.afterimage.catalog.OpenPoints;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointDisk;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.fetch.FetchSettings;
import io.afterimage.image.ImageLibrary;
import io.afterimage.index.ChunkIndex;
import io.afterimage.lab.Deadline;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import io.afterimage.repository.Repository;
import io.afterimage.settings.ImageSource;
import io.afterimage.store.MemoryObjectStore;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;

/**
 * The life of a {@link RandomMachine}. Between backups its disks are written, discarded, grown, added, removed, swapped, put below snapshots and out
 * of them; it is stopped, killed, moved to another QEMU, and its disks are put back to an earlier point, or to a snapshot of any kind. Backups are
 * pulled or pushed, of all disks or of some, while the disks are written; some fail in the middle, or lose their machine; points are forgotten, the
 * newest as well.
 */
final class RandomLife implements Closeable {

    private static final MachineName MACHINE = new MachineName("web");
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int MOST_POINTS = 12;

    private final Path folder;
    private final boolean pushes;
    private final Random random;
    private final Repository repository;
    private final ChunkIndex index;
    private final ImageLibrary images;
    private final BackUpMachine backUpMachine;
    private final BackUpImages backUpImages;
    private final List<String> history = new ArrayList<>();
    /** What the disks of the points that are there looked like, by their names there. */
    private final Map<PointId, Map<String, Path>> references = new HashMap<>();
    private final RandomMachine machine;
    private int backups;

    /** Something that happens. */
    @FunctionalInterface
    private interface Event {
        void happen() throws IOException;
    }

    /** Has a backup fail when so much of it is done. */
    private record Mishap(AtomicLong left) implements Progress {

        @Override
        public void total(long bytes) {}

        @Override
        public void advance(long bytes) {
            if (left.addAndGet(-bytes) < 0) {
                throw new IllegalStateException("as planned");
            }
        }
    }

    /**
     * @param qemu the program
     * @param pushes whether it sends disks, too
     */
    RandomLife(Path folder, String qemu, boolean pushes, long seed) throws IOException {
        this.folder = folder;
        this.pushes = pushes;
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
        machine = new RandomMachine(folder, qemu, random);
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
            machine.write();
        }
        happen();
        if (random.nextInt(3) > 0) {
            run("backup", this::backUp);
        }
        while (references.size() > MOST_POINTS) {
            forget();
        }
    }

    private void happen() throws IOException {
        switch (random.nextInt(23)) {
            case 0 -> run("stop", () -> machine.whileOff(() -> {}));
            case 1 -> run("kill", machine::kill);
            case 2 -> run("add disk", () -> machine.whileOff(machine::addDisk));
            case 3 -> run("migrate", machine::migrate);
            case 4, 5 -> run("snapshot", machine::snapshot);
            case 6, 7 -> run("commit", machine::commit);
            case 8 -> run("grow", machine::grow);
            case 9 -> run("backup of the images", this::backUpOffline);
            case 10 -> run("revert", this::revert);
            case 11 -> run("remove disk", () -> machine.whileOff(machine::removeDisk));
            case 12 -> run("forget", this::forget);
            case 13 -> run("backup that fails", this::fail);
            case 14 -> run("backup of a machine that is killed", this::killUnderBackup);
            case 15 -> run("swap disks", () -> machine.whileOff(machine::swapDisks));
            case 16 -> run("keep image", () -> machine.whileOff(machine::keepImage));
            case 17 -> run("revert to kept image", () -> machine.whileOff(machine::revertToKeptImage));
            case 18 -> run("internal snapshot", () -> machine.whileOff(machine::takeInternalSnapshot));
            case 19 -> run("revert to internal snapshot", () -> machine.whileOff(machine::revertToInternalSnapshot));
            case 20 -> run("drop overlay", () -> machine.whileOff(machine::dropOverlay));
            default -> run("nothing", () -> {});
        }
    }

    private void run(String name, Event event) throws IOException {
        history.add(name);
        event.happen();
    }

    private void forget() throws IOException {
        List<PointId> points = repository.catalog().pointIds(MACHINE);
        if (!points.isEmpty()) {
            PointId victim = points.get(random.nextInt(points.size()));
            repository.catalog().forget(MACHINE, victim);
            for (Path reference : references.remove(victim).values()) {
                Files.delete(reference);
            }
        }
    }

    private void revert() throws IOException {
        RandomMachine.Disk disk = machine.pick();
        List<Point> points = repository.catalog().points(MACHINE).stream()
                .filter(one -> one.disk(new DiskName(disk.name())).isPresent()).toList();
        if (points.isEmpty()) {
            return;
        }
        Point point = points.get(random.nextInt(points.size()));
        Path restored = Path.of(machine.newFile() + (disk.isRaw() ? ".raw" : ".qcow2"));
        new RestoreDisk(images, repository.id()).run(point, new DiskName(disk.name()), restored.toString(), false, Progress.NONE);
        machine.whileOff(() -> machine.replace(disk, restored));
    }

    private BackUpMachine.Request request(List<String> disks, Transfer transfer) {
        return new BackUpMachine.Request(MACHINE, machine.guest().qmpSocket(), disks, random.nextInt(10) == 0, folder.resolve("scratch"),
                Optional.empty(), Optional.empty(), Optional.empty(), transfer);
    }

    private Transfer transfer() {
        Cut.Transfer by = pushes && random.nextInt(3) == 0 ? Cut.Transfer.PUSH : Cut.Transfer.PULL;
        history.add(by.name().toLowerCase(Locale.ROOT));
        return new Transfer(by, new Pace(random.nextInt(3) == 0 ? 0 : 4 << 20, random.nextInt(3)), Yielding.NOT, 0);
    }

    /** Of all disks, or of one, which the machine goes on writing. */
    private void backUp() throws IOException {
        List<RandomMachine.Disk> disks = random.nextInt(6) == 0 ? List.of(machine.pick()) : machine.disks();
        List<Path> reference = copies(disks);
        FutureTask<Point> backup = begin(request(disks.stream().map(machine::node).toList(), transfer()));
        for (int i = random.nextInt(8); i > 0; i--) {
            machine.write();
        }
        assertExact(end(backup), reference);
        for (JsonNode node : machine.guest().qmp().execute("query-named-block-nodes", "{\"flat\":true}")) {
            assertTrue(node.path("dirty-bitmaps").size() <= 1, node::toString);
        }
    }

    /** Returns when the disks are cut. */
    private FutureTask<Point> begin(BackUpMachine.Request request) {
        Set<String> before = cuts();
        FutureTask<Point> backup = new FutureTask<>(() -> backUpMachine.run(request, Progress.NONE));
        Thread.ofPlatform().name("backup").start(backup);
        Deadline.in(PATIENCE).await(() -> backup.isDone() || !before.containsAll(cuts()), () -> "no backup begins");
        return backup;
    }

    /** A point comes of it only if all had been read. */
    private void killUnderBackup() throws IOException {
        List<Path> reference = copies(machine.disks());
        List<PointId> before = repository.catalog().pointIds(MACHINE);
        FutureTask<Point> backup = begin(request(List.of(), transfer()));
        machine.kill();
        Point point;
        try {
            point = end(backup);
        } catch (IOException e) {
            assertEquals(before, repository.catalog().pointIds(MACHINE));
            return;
        }
        assertExact(point, reference);
    }

    private static Point end(FutureTask<Point> backup) throws IOException {
        try {
            return backup.get();
        } catch (ExecutionException e) {
            throw new IOException("the backup failed", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    /** The transaction of a cut begins its jobs, or none. */
    private Set<String> cuts() {
        return machine.guest().qmp().execute("query-jobs").valueStream()
                .map(job -> job.path("id").asString())
                .filter(id -> id.matches("afterimage-.*-job0"))
                .collect(Collectors.toSet());
    }

    private void fail() throws IOException {
        Mishap mishap = new Mishap(new AtomicLong(random.nextInt(1 << 20)));
        int before = repository.catalog().pointIds(MACHINE).size();
        try {
            List<Path> reference = copies(machine.disks());
            // Little enough may have changed for it to come through.
            assertExact(backUpMachine.run(request(List.of(), transfer()), mishap), reference);
        } catch (IOException | IllegalStateException e) {
            if (mishap.left().get() >= 0) {
                throw e;
            }
            assertEquals(before, repository.catalog().pointIds(MACHINE).size());
        }
    }

    private void backUpOffline() throws IOException {
        List<Path> reference = copies(machine.disks());
        List<ImageSource> sources = machine.disks().stream()
                .map(disk -> ImageSource.parse(disk.name() + "=" + disk.image().format() + ":" + disk.image().file()))
                .toList();
        List<Point> made = new ArrayList<>();
        machine.whileOff(() -> made.add(offline(sources)));
        assertExact(made.getFirst(), reference);
    }

    private Point offline(List<ImageSource> sources) {
        try {
            return backUpImages.run(new BackUpImages.Request(MACHINE, sources, Optional.empty()), Progress.NONE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The disks as they are now, in their order. */
    private List<Path> copies(List<RandomMachine.Disk> disks) {
        return disks.stream().map(machine::copy).toList();
    }

    private void assertExact(Point point, List<Path> copies) throws IOException {
        backups++;
        history.add(point.disks().stream().map(disk -> disk.change() == PointDisk.Change.BITMAP ? "+" : "=").reduce("", String::concat));
        assertEquals(copies.size(), point.disks().size());
        // In the machine's order; a disk that was below a snapshot when it was first seen is called as the node on top was.
        Map<String, Path> reference = new TreeMap<>();
        for (int i = 0; i < copies.size(); i++) {
            reference.put(point.disks().get(i).name().text(), copies.get(i));
        }
        references.put(point.id(), reference);
        assertExact(point);
    }

    private void assertExact(Point point) throws IOException {
        for (Map.Entry<String, Path> disk : references.get(point.id()).entrySet()) {
            Path restored = folder.resolve("restored.raw");
            new RestoreDisk(images, repository.id()).run(point, new DiskName(disk.getKey()), restored.toString(), true, Progress.NONE);
            long at = Files.mismatch(disk.getValue(), restored);
            assertEquals(-1, at, () -> "disk " + disk.getKey() + " of " + point.id() + ": " + sectors(disk.getValue(), restored));
        }
    }

    /** The 4 KiB in which two files differ, and what they begin with, for who has to find out why. */
    private static String sectors(Path expected, Path actual) {
        try {
            byte[] left = Files.readAllBytes(expected);
            byte[] right = Files.readAllBytes(actual);
            List<String> differences = new ArrayList<>();
            for (int at = 0; at < Math.min(left.length, right.length); at += 4096) {
                int end = Math.min(at + 4096, Math.min(left.length, right.length));
                if (!Arrays.equals(left, at, end, right, at, end)) {
                    differences.add(at + ": " + (left[at] & 0xff) + " and not " + (right[at] & 0xff));
                }
            }
            return left.length + " and " + right.length + " bytes; " + differences;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** That all points are still what they were. */
    void assertAllExact() throws IOException {
        List<Point> points = repository.catalog().points(MACHINE);
        assertEquals(references.keySet(), Set.copyOf(points.stream().map(Point::id).toList()));
        for (Point point : points) {
            assertExact(point);
        }
    }

    @Override
    public void close() throws IOException {
        machine.close();
        images.close();
        index.close();
        repository.close();
    }
}
