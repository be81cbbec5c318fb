package io.afterimage.maintenance;

import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.PackId;
import io.afterimage.maintenance.GcReport.Tally;
import io.afterimage.pack.PackObjects;
import java.util.Map;

/**
 * How much of the packs is needed.
 *
 * @param liveBytes of frames
 * @param partlyDead packs that hold something besides; the bytes are what it takes
 * @param missing packs that are needed and not there
 */
record Usage(long liveBytes, Tally partlyDead, int missing) {

    static Usage of(LiveFrames live, Map<PackId, Long> packs, ChunkSize chunkSize) {
        long liveBytes = 0;
        int partlyDead = 0;
        long deadBytes = 0;
        int missing = 0;
        for (PackId pack : live.packs()) {
            long needed = live.of(pack).bytes(chunkSize);
            liveBytes += needed;
            Long length = packs.get(pack);
            if (length == null) {
                missing++;
                continue;
            }
            long dead = length - PackObjects.length(live.of(pack).count(), needed, chunkSize);
            if (dead > 0) {
                partlyDead++;
                deadBytes += dead;
            }
        }
        return new Usage(liveBytes, new Tally(partlyDead, 0, deadBytes), missing);
    }
}
