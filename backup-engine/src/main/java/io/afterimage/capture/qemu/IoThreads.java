package io.afterimage.capture.qemu;

import java.io.IOException;
import java.util.List;

/**
 * Keeps cuts away from disks whose reading would kill their machine.
 *
 * <p>An export runs in the thread of its disk. QEMU's fix of CVE-2024-7409 asserts that an NBD client which leaves is seen off in
 * the main thread, which the NBD server takes care of since 9.0. Older series have been given the fix without that (seen in
 * 7.2.22): there QEMU aborts when the reader of a disk in an I/O thread disconnects, or dies. The version does not tell whether a
 * distribution has the fix, so all before 9.0 are under suspicion.
 */
final class IoThreads {

    private static final QemuVersion FIRST_SAFE = new QemuVersion(9, 0);

    private final QmpClient client;

    private IoThreads(QmpClient client) {
        this.client = client;
    }

    static void requireSafeReading(QmpClient client, List<CutPlan.Disk> disks) throws IOException {
        QemuVersion version = QemuVersion.of(client);
        if (version.isFrom(FIRST_SAFE) || client.execute("query-iothreads").isEmpty()) {
            return;
        }
        var ioThreads = new IoThreads(client);
        for (CutPlan.Disk entry : disks) {
            if (ioThreads.handle(entry.disk().qdev())) {
                throw new QmpException("Disk " + entry.disk().name() + " is handled by an I/O thread, and QEMU " + version
                        + " may abort, and the machine with it, when the reader of such a disk disconnects: use QEMU " + FIRST_SAFE + " or later, or give the"
                        + " disk's device, or its controller, no iothread, or leave the disk out by naming the others with --disk");
            }
        }
    }

    /** The property is the device's own (virtio-blk), or that of the controller on whose bus it sits (virtio-scsi). */
    private boolean handle(String qdev) throws IOException {
        String path = qdev.startsWith("/") ? qdev : "/machine/peripheral/" + qdev;
        return anyAbove(path) || anyAbove(property(path, "parent_bus"));
    }

    private boolean anyAbove(String path) throws IOException {
        for (String part = path; !part.isEmpty(); part = part.substring(0, part.lastIndexOf('/'))) {
            if (!property(part, "iothread").isEmpty()) {
                return true;
            }
        }
        return false;
    }

    /** A link's target, or "" when the object has no such property or it is not set. */
    private String property(String path, String name) throws IOException {
        try {
            return client.execute("qom-get", QmpClient.arguments().put("path", path).put("property", name)).asString("");
        } catch (QmpCommandException e) {
            return "";
        }
    }
}
