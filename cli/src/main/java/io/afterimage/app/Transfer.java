package io.afterimage.app;

import io.afterimage.capture.Pace;
import io.afterimage.capture.qemu.Cut;

/**
 * How a running machine's disks come to us.
 *
 * @param by who reads them
 * @param pace how fast; may change meanwhile
 * @param checkUnchanged the share of what a bitmap calls unchanged that is read and compared all the same, from 0 to 1
 */
public record Transfer(Cut.Transfer by, Pace pace, double checkUnchanged) {

    /** Pulled, as fast as can be, bitmaps believed. */
    public static Transfer plain() {
        return new Transfer(Cut.Transfer.PULL, Pace.unlimited(), 0);
    }
}
