package io.afterimage.app.backup;

import io.afterimage.capture.Pace;
import io.afterimage.capture.Yielding;
import io.afterimage.capture.qemu.Cut;

/**
 * How a running machine's disks come to us.
 *
 * @param by who reads them
 * @param pace how fast; may change meanwhile
 * @param yielding how much of it the machine may feel
 * @param niceness how readily this process makes way for the machine's while it reads, 0 to {@value io.afterimage.posix.Niceness#MOST}
 */
public record Transfer(Cut.Transfer by, Pace pace, Yielding yielding, int niceness) {

    /** Pulled, as fast as can be, as anybody. */
    public static Transfer plain() {
        return new Transfer(Cut.Transfer.PULL, Pace.unlimited(), Yielding.NOT, 0);
    }
}
