package io.afterimage.app.backup;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.afterimage.app.boot.Writes;
import io.afterimage.app.restore.RestoreDisk;
import io.afterimage.capture.Progress;
import io.afterimage.catalog.LeaseTerms;
import io.afterimage.catalog.OpenPoints;
import io.afterimage.catalog.Point;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.fetch.FetchSettings;
import io.afterimage.image.ImageLibrary;
import io.afterimage.index.ChunkIndex;
import io.afterimage.lab.Guest;
import io.afterimage.lab.GuestPlan;
import io.afterimage.lab.Tool;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.repository.Repository;
import io.afterimage.store.MemoryObjectStore;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;

/** A machine whose processors stand still, to be backed up into a repository in memory; what a guest would write is written through its devices. */
final class StillMachine implements Closeable {

    private static final MachineName MACHINE = new MachineName("web");

    private final Path folder;
    private final Repository repository;
    private final ChunkIndex index;
    private final ImageLibrary images;
    private final BackUpMachine backUpMachine;
    private final Map<String, Disk> disks = new LinkedHashMap<>();
    private Guest guest;
    private int starts;

    /**
     * A disk as the machine has it.
     *
     * @param file of the image that is written to
     * @param node the node of its format
     */
    record Disk(Path file, String format, String device, String node) {}

    StillMachine(Path folder) throws IOException {
        this.folder = folder;
        repository = Repository.create(new MemoryObjectStore(), ChunkSize.DEFAULT, new SecureRandom());
        index = ChunkIndex.open(folder.resolve("index"));
        images = new ImageLibrary(
                repository, new OpenPoints(repository.store(), InstantSource.system(), LeaseTerms.DEFAULT), 16 << 20, Optional.empty(), FetchSettings.DEFAULT);
        backUpMachine = new BackUpMachine(repository, index, InstantSource.system(), new SecureRandom());
    }

    /** A new image of random bytes. */
    Path image(String name, String format, long bytes) {
        Path raw = folder.resolve(name + ".random");
        Tool.run("sh", "-c", "head -c " + bytes + " /dev/urandom > " + raw).orFail();
        return converted(raw, "raw", name, format);
    }

    /** What an image shows, in a new one; without its bitmaps. */
    Path converted(Path from, String fromFormat, String name, String format) {
        Path to = folder.resolve(name);
        Tool.run("qemu-img", "convert", "-f", fromFormat, "-O", format, from.toString(), to.toString()).orFail();
        return to;
    }

    /** The device and the node are called as the disk is. */
    StillMachine disk(String name, Path file, String format) {
        return disk(name, new Disk(file, format, "dev-" + name, name));
    }

    /** @param name what the disk is to be called in the points */
    StillMachine disk(String name, Disk disk) {
        disks.put(name, disk);
        return this;
    }

    Disk disk(String name) {
        return disks.get(name);
    }

    void remove(String name) {
        disks.remove(name);
    }

    StillMachine start() throws IOException {
        if (guest != null) {
            guest.close();
        }
        GuestPlan plan = Guest.in(folder.resolve("g" + starts++)).memoryMiB(32).options("-S");
        disks.values().forEach(disk -> plan.options(
                "-blockdev", "{\"driver\":\"" + disk.format + "\",\"node-name\":\"" + disk.node + "\",\"discard\":\"unmap\",\"file\":"
                        + "{\"driver\":\"file\",\"filename\":\"" + disk.file + "\",\"discard\":\"unmap\"}}",
                "-device", "virtio-blk-pci,drive=" + disk.node + ",id=" + disk.device));
        guest = plan.start();
        return this;
    }

    /** Ends QEMU in order: bitmaps in qcow2 images are kept. */
    void quit() {
        guest.quit();
    }

    /** SIGKILL. */
    void kill() {
        guest.kill();
    }

    JsonNode execute(String command, String arguments) {
        return guest.qmp().execute(command, arguments);
    }

    /** As qemu-io spells it, by the disk's device. */
    void io(String disk, String command) {
        execute("human-monitor-command", "{\"command-line\":\"qemu-io -d /machine/peripheral/" + disks.get(disk).device
                + "/virtio-backend \\\"" + command + "\\\"\"}");
    }

    /** The names of the bitmaps on the disk's node. */
    SortedSet<String> bitmaps(String disk) {
        var names = new TreeSet<String>();
        for (JsonNode node : execute("query-named-block-nodes", "{\"flat\":true}")) {
            if (node.path("node-name").asString("").equals(disks.get(disk).node)) {
                node.path("dirty-bitmaps").forEach(bitmap -> names.add(bitmap.path("name").asString("")));
            }
        }
        return names;
    }

    /** The one bitmap on the disk's node. */
    String bitmap(String disk) {
        assertEquals(1, bitmaps(disk).size(), () -> bitmaps(disk).toString());
        return bitmaps(disk).first();
    }

    /** A point that shows what the images do; checked. */
    Point backUp() throws IOException {
        disks.keySet().forEach(name -> io(name, "flush"));
        Point point = backUpMachine.run(
                new BackUpMachine.Request(MACHINE, guest.qmpSocket(), List.of(), false, folder.resolve("scratch"), Optional.empty()), Progress.NONE);
        assertEquals(List.copyOf(disks.keySet()), point.disks().stream().map(disk -> disk.name().text()).toList());
        disks.forEach((name, disk) -> assertExact(point, name, disk));
        return point;
    }

    private void assertExact(Point point, String name, Disk disk) {
        Path restored = folder.resolve("restored.raw");
        try {
            restore(point, name, restored);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Tool.run("qemu-img", "compare", "--force-share", "-f", disk.format, "-F", "raw", disk.file.toString(), restored.toString()).orFail();
    }

    /** Writes a disk of a point out. */
    void restore(Point point, String disk, Path target) throws IOException {
        new RestoreDisk(images, repository.id()).run(point, new DiskName(disk), target.toString(), true, Progress.NONE);
    }

    @Override
    public void close() throws IOException {
        guest.close();
        images.close();
        index.close();
        repository.close();
    }
}
