package io.afterimage.app.backup;

import static org.junit.jupiter.api.Assertions.assertFalse;

import io.afterimage.app.boot.Writes;
import io.afterimage.lab.Deadline;
import io.afterimage.lab.Guest;
import io.afterimage.lab.GuestDisk;
import io.afterimage.lab.GuestPlan;
import io.afterimage.lab.Tool;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A QEMU whose processors stand still, so that it costs nothing: what a guest would write, its monitor writes through the guest's devices. What is
 * done to the machine is up to the caller, where and how much is chance.
 */
final class RandomMachine implements Closeable {

    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final long SIZE = 4L << 20;
    private static final int MOST_DISKS = 3;
    private static final int SECTOR = 4096;

    private final Path folder;
    private final String qemu;
    private final Random random;
    private final List<Disk> disks = new ArrayList<>();
    /** Copies of whole image files, as the snapshots of a volume or of the file system below are: what was in the images is in them, bitmaps too. */
    private final Map<String, GuestDisk> kept = new HashMap<>();
    private Guest guest;
    private int files;
    private int starts;

    /** One of the machine's disks; {@code chain} holds its image last, what that is an overlay on before it. */
    static final class Disk {
        private final String name;
        private final List<GuestDisk> chain = new ArrayList<>();
        private long size = SIZE;

        private Disk(String name) {
            this.name = name;
        }

        String name() {
            return name;
        }

        GuestDisk image() {
            return chain.getLast();
        }

        /** Has other images, from now on under its own name. */
        private void takes(List<GuestDisk> images) {
            List<GuestDisk> named = images.stream().map(image -> new GuestDisk(name, image.file(), image.format())).toList();
            chain.clear();
            chain.addAll(named);
        }

        /** Whether it began as a raw file. */
        boolean isRaw() {
            return chain.getFirst().format().equals("raw");
        }
    }

    /** @param qemu the program */
    RandomMachine(Path folder, String qemu, Random random) throws IOException {
        this.folder = folder;
        this.qemu = qemu;
        this.random = random;
        addDisk();
        start();
    }

    Guest guest() {
        return guest;
    }

    List<Disk> disks() {
        return List.copyOf(disks);
    }

    Disk pick() {
        return disks.get(random.nextInt(disks.size()));
    }

    /** A name in the folder that no file has. */
    Path newFile() {
        return folder.resolve("disk" + files++);
    }

    /** Stops it, has something happen, and starts it again. */
    void whileOff(Runnable change) throws IOException {
        guest.quit();
        change.run();
        start();
    }

    /** As by a power cut of the host. */
    void kill() throws IOException {
        guest.kill();
        start();
    }

    /** Under the lowest name that is free, which may be that of a disk that was removed. */
    void addDisk() {
        if (disks.size() < MOST_DISKS) {
            int number = 0;
            while (has("d" + number)) {
                number++;
            }
            Disk disk = new Disk("d" + number);
            String format = number == 1 ? "raw" : "qcow2";
            Path file = newFile();
            Tool.run("qemu-img", "create", "-q", "-f", format, file.toString(), Long.toString(SIZE)).orFail();
            disk.chain.add(new GuestDisk(disk.name, file, format));
            disks.add(disk);
        }
    }

    private boolean has(String name) {
        return disks.stream().anyMatch(disk -> disk.name.equals(name));
    }

    void removeDisk() {
        if (disks.size() > 1) {
            disks.remove(random.nextInt(disks.size()));
        }
    }

    /** Another file in the place of a disk, with all that is below it. */
    void replace(Disk disk, Path file) {
        disk.takes(List.of(new GuestDisk(disk.name, file, disk.isRaw() ? "raw" : "qcow2")));
    }

    /** Two disks are plugged in the other way round, images, bitmaps and all. */
    void swapDisks() {
        if (disks.size() > 1) {
            Collections.shuffle(disks, random);
            List<GuestDisk> first = List.copyOf(disks.get(0).chain);
            disks.get(0).takes(disks.get(1).chain);
            disks.get(1).takes(first);
        }
    }

    /** Keeps a copy of a disk's image file. */
    void keepImage() {
        Disk disk = pick();
        if (disk.chain.size() == 1) {
            kept.put(disk.name, copyOf(disk.image()));
        }
    }

    /** Puts a disk back to the copy of its image file, in the state of that time. */
    void revertToKeptImage() {
        Disk disk = pick();
        if (kept.containsKey(disk.name)) {
            disk.takes(List.of(copyOf(kept.get(disk.name))));
        }
    }

    private GuestDisk copyOf(GuestDisk image) {
        Path copy = newFile();
        Tool.run("cp", "--sparse=always", image.file().toString(), copy.toString()).orFail();
        return new GuestDisk(image.name(), copy, image.format());
    }

    /** Puts a disk back to the snapshot that its overlay is on. */
    void dropOverlay() {
        Disk disk = pick();
        if (disk.chain.size() > 1) {
            disk.chain.removeLast();
        }
    }

    /** Takes a snapshot inside of a disk's image; of several the last one counts. */
    void takeInternalSnapshot() {
        Disk disk = pick();
        if (disk.chain.size() == 1 && !disk.isRaw()) {
            Tool.run("qemu-img", "snapshot", "-d", "kept", disk.image().file().toString());
            Tool.run("qemu-img", "snapshot", "-c", "kept", disk.image().file().toString()).orFail();
        }
    }

    /** QEMU puts no image back to a snapshot while it has bitmaps, which would say that nothing has changed: whoever wants to must remove them. */
    void revertToInternalSnapshot() {
        Disk disk = pick();
        if (disk.chain.size() > 1 || disk.isRaw()) {
            return;
        }
        String image = disk.image().file().toString();
        JsonNode info = new JsonMapper().readTree(Tool.run("qemu-img", "info", "--output=json", image).orFail().text());
        if (info.path("snapshots").isEmpty()) {
            return;
        }
        for (JsonNode bitmap : info.path("format-specific").path("data").path("bitmaps")) {
            assertFalse(Tool.run("qemu-img", "snapshot", "-a", "kept", image).exit() == 0, "a bitmap has survived a revert");
            Tool.run("qemu-img", "bitmap", "--remove", image, bitmap.path("name").asString()).orFail();
        }
        Tool.run("qemu-img", "snapshot", "-a", "kept", image).orFail();
    }

    private GuestPlan plan() {
        GuestPlan plan = Guest.in(folder.resolve("g" + starts++)).program(qemu).memoryMiB(32);
        disks.forEach(disk -> plan.disk(disk.image()));
        return plan;
    }

    private void start() throws IOException {
        if (guest != null) {
            guest.close();
        }
        guest = plan().options("-S").start();
        disks.forEach(disk -> disk.size = inserted(disk).path("image").path("virtual-size").asLong());
    }

    /** Writes, zeroes or discards something somewhere. */
    void write() {
        Disk disk = pick();
        long offset = random.nextLong(disk.size / SECTOR) * SECTOR;
        long length = Math.min(disk.size - offset, SECTOR * (1L + random.nextInt(60)));
        switch (random.nextInt(4)) {
            case 0 -> io(disk, "write -z " + offset + " " + length);
            case 1 -> io(disk, "discard " + offset + " " + length);
            default -> io(disk, "write -P " + (1 + random.nextInt(255)) + " " + offset + " " + length);
        }
    }

    private void io(Disk disk, String command) {
        String said = guest.qmp().execute("human-monitor-command",
                "{\"command-line\":\"qemu-io -d /machine/peripheral/dev-" + disk.name + "/virtio-backend \\\"" + command + "\\\"\"}").asString();
        if (said.contains("failed") || said.contains("Error")) {
            throw new AssertionError(disk.name + ": " + command + ": " + said);
        }
    }

    /** A copy of a disk as it is now. */
    Path copy(Disk disk) {
        Path target = newFile();
        io(disk, "flush");
        Tool.run("qemu-img", "convert", "--force-share", "-f", disk.image().format(), "-O", "raw", disk.image().file().toString(), target.toString())
                .orFail();
        return target;
    }

    private JsonNode inserted(Disk disk) {
        for (JsonNode device : guest.qmp().execute("query-block")) {
            if (device.path("qdev").asString("").contains("/dev-" + disk.name + "/")) {
                return device.path("inserted");
            }
        }
        throw new AssertionError("QEMU has no disk " + disk.name);
    }

    /** The node on top of it. */
    String node(Disk disk) {
        return inserted(disk).path("node-name").asString();
    }

    /** Puts an overlay onto a disk, as others do who take a snapshot of it. */
    void snapshot() {
        Disk disk = pick();
        if (disk.chain.size() > 2) {
            return;
        }
        Path overlay = newFile();
        String name = "overlay" + files;
        Tool.run("qemu-img", "create", "-q", "-f", "qcow2", "-b", disk.image().file().toString(), "-F", disk.image().format(), overlay.toString(),
                Long.toString(disk.size)).orFail();
        guest.qmp().execute("blockdev-add", "{\"driver\":\"qcow2\",\"node-name\":\"" + name + "\",\"discard\":\"unmap\",\"backing\":null,"
                + "\"file\":{\"driver\":\"file\",\"filename\":\"" + overlay + "\",\"discard\":\"unmap\"}}");
        guest.qmp().execute("blockdev-snapshot", "{\"node\":\"" + node(disk) + "\",\"overlay\":\"" + name + "\"}");
        disk.chain.add(GuestDisk.qcow2(disk.name, overlay));
    }

    /** Writes an overlay into the image right below it, which takes its place. */
    void commit() {
        Disk disk = pick();
        if (disk.chain.size() < 2) {
            return;
        }
        String job = "commit" + files++;
        String overlay = node(disk);
        guest.qmp().execute("block-commit", "{\"job-id\":\"" + job + "\",\"device\":\"" + overlay + "\",\"base\":\""
                + disk.chain.get(disk.chain.size() - 2).file() + "\"}");
        Deadline.in(PATIENCE).await(() -> status(job).equals("ready"), () -> "the commit does not come to its end: " + status(job));
        guest.qmp().execute("job-complete", "{\"id\":\"" + job + "\"}");
        Deadline.in(PATIENCE).await(() -> status(job).isEmpty(), () -> "the commit does not end: " + status(job));
        // One that QEMU has named itself, since it was below another when it was started, goes by itself.
        if (!overlay.startsWith("#")) {
            guest.qmp().execute("blockdev-del", "{\"node-name\":\"" + overlay + "\"}");
        }
        disk.chain.removeLast();
    }

    /** What becomes of a job; nothing when it is gone. */
    private String status(String id) {
        return guest.qmp().execute("query-jobs").valueStream()
                .filter(job -> job.path("id").asString().equals(id))
                .map(job -> job.path("status").asString())
                .findFirst()
                .orElse("");
    }

    void grow() {
        Disk disk = pick();
        if (disk.chain.size() == 1) {
            disk.size += (1 + random.nextInt(3)) * 32768L;
            guest.qmp().execute("block_resize", "{\"node-name\":\"" + node(disk) + "\",\"size\":" + disk.size + "}");
        }
    }

    /** Another QEMU takes over; bitmaps go with the images, or in the stream. */
    void migrate() throws IOException {
        Guest target = plan().options("-incoming", "defer", "-S").start();
        boolean inStream = random.nextBoolean() && bitmapsCanBeSent();
        for (Guest side : List.of(guest, target)) {
            side.qmp().execute("migrate-set-capabilities", "{\"capabilities\":[{\"capability\":\"dirty-bitmaps\",\"state\":" + inStream + "}]}");
        }
        String uri = "{\"uri\":\"unix:" + folder.resolve("m.sock") + "\"}";
        target.qmp().execute("migrate-incoming", uri);
        guest.qmp().execute("migrate", uri);
        Guest source = guest;
        Deadline.in(PATIENCE).await(() -> source.qmp().execute("query-migrate").path("status").asString("").equals("completed"),
                () -> "the migration does not end: " + source.qmp().execute("query-migrate") + said(source) + said(target));
        Deadline.in(PATIENCE).await(() -> !target.status().equals("inmigrate"), () -> "the target does not take over");
        source.close();
        // Newer QEMUs take the images over when the machine goes on, and not before.
        target.resume();
        target.pause();
        guest = target;
    }

    /** What QEMU has complained of. */
    private static String said(Guest guest) {
        try {
            return " " + Files.readString(guest.qmpSocket().resolveSibling("qemu.log"));
        } catch (IOException e) {
            return " " + e.getMessage();
        }
    }

    /**
     * The stream says by the names of nodes whose bitmaps are whose, and the other side has only those that it began with; QEMU's own names, as those
     * of images below an overlay are here, are not sent at all. What a crash has left of a bitmap is not sent, and neither is anything else then.
     */
    private boolean bitmapsCanBeSent() {
        Set<String> tops = disks.stream().map(this::node).collect(Collectors.toSet());
        return disks.stream().allMatch(disk -> tops.contains(disk.name))
                && guest.qmp().execute("query-named-block-nodes", "{\"flat\":true}").valueStream().allMatch(node -> node.path("dirty-bitmaps").isEmpty()
                        || (tops.contains(node.path("node-name").asString()) && node.path("dirty-bitmaps").valueStream()
                                .noneMatch(bitmap -> bitmap.path("inconsistent").asBoolean(false))));
    }

    @Override
    public void close() throws IOException {
        guest.close();
    }
}
