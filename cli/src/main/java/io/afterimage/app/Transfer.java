package io.afterimage.app;

import io.afterimage.capture.Pace;
import io.afterimage.capture.qemu.Cut;

/**
 * How a running machine's disks come to us.
 *
 * @param by who reads them
 * @param pace how fast; may change meanwhile
 */
public record Transfer(Cut.Transfer by, Pace pace) {

    /** Pulled, as fast as can be. */
    public static Transfer plain() {
        return new Transfer(Cut.Transfer.PULL, Pace.unlimited());
    }
}
