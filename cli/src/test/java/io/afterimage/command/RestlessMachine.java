package io.afterimage.command;

import io.afterimage.lab.Deadline;
import io.afterimage.lab.Guest;
import io.afterimage.lab.GuestDisk;
import io.afterimage.lab.Tool;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/**
 * A guest that writes to its disk {@value #DISK} as fast as it can for as long as it lives, and what can be seen of it from outside. The
 * first {@value #QUIET_BYTES} bytes are written at the first boot only.
 */
final class RestlessMachine implements Closeable {

    static final String DISK = "data";
    static final int QUIET_BYTES = 2 << 20;
    private static final String OURS = "afterimage-";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private Guest guest;
    private Path disk;
    private Path below;
    private final Path root;

    private RestlessMachine(Guest guest, Path root, Path disk) {
        this.guest = guest;
        this.root = root;
        this.disk = disk;
    }

    /** Boots it, with sockets and logs in {@code folder}; it writes when this returns. */
    static RestlessMachine boot(Path folder, Path disk, int seed) {
        Guest guest = Guest.tiny(folder).disk(GuestDisk.qcow2(DISK, disk)).start().awaitReady();
        RestlessMachine machine = new RestlessMachine(guest, folder.resolve("root.qcow2"), disk);
        guest.run("[ -n \"$(head -c 512 /dev/vdb | tr -d '\\000')\" ] || head -c " + QUIET_BYTES + " /dev/urandom > /dev/vdb; sync");
        guest.run("torture /dev/vdb --seed " + seed + " --span " + QUIET_BYTES + ":$(($(blockdev --getsize64 /dev/vdb) - " + QUIET_BYTES
                + ")) > /run/torture.log 2>&1 &");
        machine.awaitWrites(100);
        return machine;
    }

    /** Has another QEMU take over the running guest; the disk is where it was. Its bitmaps go with it as QEMU does that, or with the stream. */
    void migrate(Path folder, boolean bitmapsInStream) throws IOException {
        Path socket = folder.resolve("in.sock");
        Files.createDirectories(folder);
        Guest target = Guest.in(folder)
                .disk(GuestDisk.qcow2("root", root))
                .disk(GuestDisk.qcow2(DISK, disk))
                .byKernel()
                .options("-incoming", "defer")
                .start();
        for (Guest side : List.of(guest, target)) {
            side.qmp().execute("migrate-set-capabilities",
                    "{\"capabilities\":[{\"capability\":\"dirty-bitmaps\",\"state\":" + bitmapsInStream + "}]}");
        }
        guest.qmp().execute("migrate-set-parameters", "{\"downtime-limit\":10000,\"max-bandwidth\":10000000000}");
        target.qmp().execute("migrate-incoming", "{\"uri\":\"unix:" + socket + "\"}");
        guest.qmp().execute("migrate", "{\"uri\":\"unix:" + socket + "\"}");
        Guest source = guest;
        Deadline.in(PATIENCE).await(
                () -> source.qmp().execute("query-migrate").path("status").asString("").equals("completed"),
                () -> "the migration does not come to its end: " + source.qmp().execute("query-migrate"));
        Deadline.in(PATIENCE).await(() -> target.status().equals("running"), () -> "the guest is " + target.status());
        guest = target;
        source.close();
        awaitWrites(20);
    }

    /** Puts an overlay onto the disk, as others do who take a snapshot of it; it takes all writes from now on. */
    void snapshot(Path overlay) {
        Tool.run("qemu-img", "create", "-q", "-f", "qcow2", "-b", disk.toString(), "-F", "qcow2", overlay.toString()).orFail();
        guest.qmp().execute("blockdev-add", "{\"driver\":\"qcow2\",\"node-name\":\"snapshot\",\"discard\":\"unmap\",\"backing\":null,"
                + "\"file\":{\"driver\":\"file\",\"filename\":\"" + overlay + "\",\"discard\":\"unmap\"}}");
        guest.qmp().execute("blockdev-snapshot", "{\"node\":\"" + DISK + "\",\"overlay\":\"snapshot\"}");
        below = disk;
        disk = overlay;
        awaitWrites(20);
    }

    /** Has QEMU write the overlay's contents into the image below, which is the disk again then. */
    void removeSnapshot() {
        guest.qmp().execute("block-commit", "{\"job-id\":\"commit\",\"device\":\"snapshot\"}");
        guest.qmp().awaitEvent("BLOCK_JOB_READY", PATIENCE);
        guest.qmp().execute("job-complete", "{\"id\":\"commit\"}");
        guest.qmp().awaitEvent("BLOCK_JOB_COMPLETED", PATIENCE);
        guest.qmp().execute("blockdev-del", "{\"node-name\":\"snapshot\"}");
        disk = below;
        awaitWrites(20);
    }

    Guest guest() {
        return guest;
    }

    /** Waits until the guest has written that often from now on: so it runs, and nothing holds its writes. */
    void awaitWrites(long more) {
        long wanted = writes() + more;
        Deadline.in(PATIENCE).await(() -> writes() >= wanted,
                () -> "the guest (" + guest.status() + ") does not write: " + guest.run("cat /run/torture.log"));
    }

    private long writes() {
        for (JsonNode device : guest.qmp().execute("query-blockstats")) {
            if (device.path("qdev").asString("").contains("dev-" + DISK)) {
                return device.path("stats").path("wr_operations").asLong();
            }
        }
        throw new AssertionError("QEMU has no device for " + DISK);
    }

    /** Stops the guest and copies the disk as it is then. */
    void pauseAndCopy(Path reference) {
        guest.pause();
        Tool.run("qemu-img", "convert", "-U", "-f", "qcow2", "-O", "raw", disk.toString(), reference.toString()).orFail();
    }

    Set<String> exports() {
        Set<String> ids = new TreeSet<>();
        guest.qmp().execute("query-block-exports").forEach(export -> ids.add(export.path("id").asString()));
        return ids;
    }

    /** The exports, jobs and nodes that a backup has made in QEMU, and the folders of its scratch. */
    Set<String> traces(Path scratch) {
        Set<String> traces = exports();
        guest.qmp().execute("query-jobs").forEach(job -> traces.add(job.path("id").asString()));
        guest.qmp().execute("query-named-block-nodes", "{\"flat\":true}")
                .forEach(node -> traces.add(node.path("node-name").asString()));
        traces.removeIf(name -> !name.startsWith(OURS));
        if (Files.isDirectory(scratch)) {
            try (Stream<Path> folders = Files.list(scratch)) {
                folders.map(Path::toString).forEach(traces::add);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return traces;
    }

    /** The names of the dirty bitmaps that backups have made. */
    Set<String> checkpoints() {
        Set<String> names = new TreeSet<>();
        for (JsonNode node : guest.qmp().execute("query-named-block-nodes", "{\"flat\":true}")) {
            node.path("dirty-bitmaps").forEach(bitmap -> names.add(bitmap.path("name").asString("")));
        }
        names.removeIf(name -> !name.startsWith(OURS));
        return names;
    }

    @Override
    public void close() throws IOException {
        guest.close();
    }
}
