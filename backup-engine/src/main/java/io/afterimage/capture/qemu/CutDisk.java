package io.afterimage.capture.qemu;

import java.net.URI;

/**
 * A disk that is ready to be read as it was at the cut.
 *
 * @param disk as it was described before the cut
 * @param uri {@code nbd+unix:///NAME?socket=PATH}. Of a cut that is pulled: read-only, serves until the cut ends. Of one that is pushed:
 *     what QEMU connects to and writes, to be served by the caller
 * @param changes since the base that was asked for
 */
public record CutDisk(QemuDisk disk, URI uri, Changes changes) implements HeldDisk {

    @Override
    public String name() {
        return disk.name();
    }
}
