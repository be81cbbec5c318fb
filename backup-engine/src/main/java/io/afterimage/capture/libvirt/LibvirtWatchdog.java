package io.afterimage.capture.libvirt;

import io.afterimage.capture.agent.Freezer;
import io.afterimage.capture.qemu.Checkpoint;
import io.afterimage.capture.qemu.ScratchFolder;
import io.afterimage.capture.qemu.Watchdog;
import io.afterimage.capture.qemu.WatchdogProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * A small process that outlives a backup which is killed, and ends its job in libvirt: else the guest would be stopped when the
 * scratch is full. When it is killed as well, the next backup does the work ({@link LibvirtStrays}).
 */
final class LibvirtWatchdog implements Watchdog.Duties {

    private final String uri;
    private final String uuid;
    private final Path folder;
    private final String checkpoint;

    private LibvirtWatchdog(String uri, String uuid, Path folder, String checkpoint) {
        this.uri = uri;
        this.uuid = uuid;
        this.folder = folder;
        this.checkpoint = checkpoint;
    }

    static WatchdogProcess start(LibvirtDomain domain, Path folder, Checkpoint checkpoint) throws IOException {
        return WatchdogProcess.start(
                LibvirtWatchdog.class,
                List.of(domain.connection().uri(), domain.uuid(), folder.toString(), checkpoint.name()));
    }

    /** Arguments: libvirt's URI, the domain's UUID, the cut's scratch folder, the name of the new checkpoint. */
    public static void main(String[] args) throws IOException {
        Watchdog.run(new LibvirtWatchdog(args[0], args[1], Path.of(args[2]), args[3]));
    }

    @Override
    public Freezer.Connector guest(String agent) {
        return () -> LibvirtFreezer.ofWatchdog(uri, uuid);
    }

    @Override
    public void thawed() throws IOException {
        ScratchFolder.noteThawed(folder);
    }

    @Override
    public void cleanUp(boolean committing) throws IOException {
        try (LibvirtConnection connection = LibvirtConnection.open(uri)) {
            LibvirtDomain domain = connection.domain(uuid);
            new CutEnd(domain, folder).run();
            if (!committing) {
                new LibvirtCheckpoints(domain).remove(found -> found.id().name().equals(checkpoint));
            }
        }
    }
}
