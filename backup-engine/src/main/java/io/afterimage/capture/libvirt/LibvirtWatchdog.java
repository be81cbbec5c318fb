package io.afterimage.capture.libvirt;

import io.afterimage.capture.qemu.Checkpoint;
import io.afterimage.capture.qemu.WatchdogProcess;
import io.afterimage.capture.qemu.WatchdogProcess.Fate;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * A small process that outlives a backup which is killed, and ends its job in libvirt: else the guest would be stopped when the
 * scratch is full. When it is killed as well, the next backup does the work ({@link LibvirtStrays}).
 */
final class LibvirtWatchdog {

    private LibvirtWatchdog() {}

    static WatchdogProcess start(LibvirtDomain domain, Path folder, Checkpoint checkpoint) throws IOException {
        return WatchdogProcess.start(
                LibvirtWatchdog.class,
                List.of(domain.connection().uri(), domain.uuid(), folder.toString(), checkpoint.name()));
    }

    /** Arguments: libvirt's URI, the domain's UUID, the cut's scratch folder, the name of the new checkpoint. */
    public static void main(String[] args) throws IOException {
        Fate fate = WatchdogProcess.watch();
        if (fate == Fate.DONE) {
            return;
        }
        try (LibvirtConnection connection = LibvirtConnection.open(args[0])) {
            LibvirtDomain domain = connection.domain(args[1]);
            new CutEnd(domain, Path.of(args[2])).run();
            if (fate == Fate.DEAD) {
                new LibvirtCheckpoints(domain).remove(checkpoint -> checkpoint.id().name().equals(args[3]));
            }
        }
    }
}
