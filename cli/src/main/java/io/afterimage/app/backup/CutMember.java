package io.afterimage.app.backup;

import io.afterimage.capture.qemu.HostCommand;
import java.io.IOException;

/** One running machine, step by step, so that several can take each step together. */
interface CutMember {

    /** Takes the agent at its word: {@link #thaw} finds out whether it was true. */
    void freeze(Quiescing quiescing) throws IOException;

    /** Cuts the disks. */
    void cut() throws IOException;

    void thaw(Quiescing quiescing) throws IOException;

    /** {@link System#nanoTime} right before the cut was asked for. */
    long beforeNanos();

    /** {@link System#nanoTime} when the cut had been made. */
    long afterNanos();

    /** From now on until {@link #paid}, the command is run by the watchdog if we die. */
    void owe(HostCommand command);

    /** The command has been run. */
    void paid();
}
