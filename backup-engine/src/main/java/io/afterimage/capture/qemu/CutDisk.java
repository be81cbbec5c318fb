package io.afterimage.capture.qemu;

import java.net.URI;

/**
 * A disk that is ready to be read as it was at the cut.
 *
 * @param disk as it was described before the cut
 * @param uri {@code nbd+unix:///NAME?socket=PATH}, read-only; serves until the cut ends
 * @param changes since the base that was asked for
 */
public record CutDisk(QemuDisk disk, URI uri, Changes changes) {}
