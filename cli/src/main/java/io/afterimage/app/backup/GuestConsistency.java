package io.afterimage.app.backup;

import io.afterimage.app.SourceException;
import io.afterimage.capture.agent.AgentException;
import io.afterimage.catalog.Consistency;
import io.afterimage.manifest.MachineName;
import java.io.IOException;
import java.util.Optional;

/** Whether a machine's guest was frozen for the cut, and what that means for its point. */
final class GuestConsistency {

    private final MachineName machine;
    private Optional<Consistency> found = Optional.empty();

    GuestConsistency(MachineName machine) {
        this.machine = machine;
    }

    /** A step that an agent may refuse. */
    @FunctionalInterface
    interface Step {
        void run() throws IOException;
    }

    void freeze(Quiescing quiescing, Step freeze) throws IOException {
        if (quiescing.mode() == Quiescing.Mode.OFF) {
            return;
        }
        try {
            freeze.run();
            found = Optional.of(Consistency.FILE_SYSTEM);
        } catch (AgentException e) {
            notFrozen(quiescing, e);
        }
    }

    void thaw(Quiescing quiescing, Step thaw) throws IOException {
        try {
            thaw.run();
        } catch (AgentException e) {
            notFrozen(quiescing, e);
        }
    }

    private void notFrozen(Quiescing quiescing, AgentException reason) throws SourceException {
        if (quiescing.mode() == Quiescing.Mode.REQUIRED) {
            throw new SourceException("The guest of '" + machine + "' was not frozen, since " + reason.getMessage()
                    + ": mend its agent, or back up with --quiesce preferred.", reason);
        }
        found = Optional.of(Consistency.crash(reason.getMessage()));
    }

    /** Empty when the guest was not asked. */
    Optional<Consistency> found() {
        return found;
    }
}
