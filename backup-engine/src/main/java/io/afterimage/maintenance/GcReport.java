package io.afterimage.maintenance;

import java.time.Instant;
import java.util.Optional;

/**
 * What a garbage collection has found and done; with a dry run, what it would do.
 *
 * @param points that are there
 * @param liveBytes of frames that points need
 * @param deleted in this run
 * @param condemned and not deleted yet
 * @param deletableFrom when the first of what is condemned may be deleted; empty if nothing is
 * @param waitingForBackups how many backups must end before all that is condemned can be deleted
 * @param compacted packs that were emptied into others and deleted; the bytes are those won
 * @param toCompact packs that are to be, not before {@code deletableFrom} either; the bytes are those that will be won
 * @param held what nobody needs and the store keeps all the same, by object lock
 * @param heldUntil when the first of that may be condemned; empty if nothing is held
 * @param partlyDead packs of which points need a part; the bytes are those that nobody needs
 * @param missingPacks that points need and that are not there: {@code verify} tells whose
 */
public record GcReport(
        int points,
        long liveBytes,
        Tally deleted,
        Tally condemned,
        Optional<Instant> deletableFrom,
        int waitingForBackups,
        Tally compacted,
        Tally toCompact,
        Tally held,
        Optional<Instant> heldUntil,
        Tally partlyDead,
        int missingPacks) {

    /** Objects, and their bytes together. */
    public record Tally(int packs, int manifests, long bytes) {

        public static final Tally NONE = new Tally(0, 0, 0);

        public Tally plus(Tally other) {
            return new Tally(packs + other.packs, manifests + other.manifests, bytes + other.bytes);
        }

        public boolean isEmpty() {
            return packs == 0 && manifests == 0;
        }
    }

    /** Whether something was found that a pass without grace period may do at once. */
    boolean isUnfinished() {
        return !condemned.isEmpty() || !toCompact.isEmpty();
    }

    /** This and a later pass as one: what was deleted in both, and what the later one has left. */
    GcReport then(GcReport later) {
        return new GcReport(
                later.points,
                later.liveBytes,
                deleted.plus(later.deleted),
                later.condemned,
                later.deletableFrom,
                later.waitingForBackups,
                compacted.plus(later.compacted),
                later.toCompact,
                later.held,
                later.heldUntil,
                later.partlyDead,
                later.missingPacks);
    }
}
