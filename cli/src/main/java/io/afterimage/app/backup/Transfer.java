package io.afterimage.app.backup;

import io.afterimage.capture.Pace;
import io.afterimage.capture.Yielding;
import io.afterimage.capture.qemu.Cut;
import io.afterimage.posix.Niceness;
import io.afterimage.posix.PosixException;
import io.afterimage.posix.TimeSlices;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a running machine's disks come to us.
 *
 * @param by who reads them
 * @param pace how fast; may change meanwhile
 * @param yielding how much of it the machine may feel
 * @param niceness how readily this process makes way for the machine's while it reads, 0 to {@value Niceness#MOST}
 */
public record Transfer(Cut.Transfer by, Pace pace, Yielding yielding, int niceness) {

    private static final Logger LOG = LoggerFactory.getLogger(Transfer.class);

    /** From now on this process makes way. There is no way back, so that whoever waits for it must have what it waits for. */
    public void makeWay() throws PosixException {
        Niceness.of(niceness);
        if (niceness > 0) {
            try {
                TimeSlices.ofTheLongest();
            } catch (PosixException e) {
                // As where a unit's SystemCallFilter= has it: no reason not to back up.
                LOG.info("Whoever wakes up waits for the backup's time slices: {}", e.getMessage());
            }
        }
    }

    /** Pulled, as fast as can be, as anybody. */
    public static Transfer plain() {
        return new Transfer(Cut.Transfer.PULL, Pace.unlimited(), Yielding.NOT, 0);
    }
}
