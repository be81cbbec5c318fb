package io.afterimage.capture.qemu;

import java.net.URI;

/** A disk that is ready to be read as it was at the cut, whoever runs the machine. */
public interface HeldDisk {

    /** As it was called before the cut. */
    String name();

    /** {@code nbd+unix:///NAME?socket=PATH}, read-only where the cut is not pushed; serves until the cut ends. */
    URI uri();

    /** Since the base that was asked for. */
    Changes changes();
}
