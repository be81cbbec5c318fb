package io.afterimage.maintenance;

import io.afterimage.chunk.PackId;
import io.afterimage.repository.DamagedFrame;
import java.util.List;
import java.util.Optional;

/**
 * How a pack was found.
 *
 * @param problem what is wrong with the pack itself, one clause; empty also if it does not matter because all that points need of it was moved
 * @param frames those that points need and that are damaged, or in a damaged pack
 * @param detail why one of them cannot be read, for people
 * @param read the number of chunks read
 */
record PackState(PackId pack, Optional<String> problem, List<DamagedFrame> frames, Optional<String> detail, int read) {

    boolean isWhole() {
        return problem.isEmpty() && frames.isEmpty();
    }

    List<DamagedFrame> unreadable() {
        return frames.stream().filter(frame -> !frame.readable()).toList();
    }
}
