package io.afterimage.catalog;

import io.afterimage.store.KeyPrefix;
import io.afterimage.store.Listing;
import io.afterimage.store.ObjectInfo;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectNotFoundException;
import io.afterimage.store.ObjectStore;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** A lease of anybody, as it lies in the store. Immutable. */
public final class FoundLease {

    /** All leases of a repository. */
    public static final KeyPrefix ALL = KeyPrefix.folder("leases");

    /** The leases that give the right to back up some machine. */
    public static final KeyPrefix BACKUPS = KeyPrefix.folder("leases", "backup");

    private final ObjectKey key;
    private final Instant stored;
    private final Optional<LeaseContent> content;

    /**
     * @param stored when it was written last, by the store's clock
     * @param content what it says; empty when it is damaged or of a later program
     */
    private FoundLease(ObjectKey key, Instant stored, Optional<LeaseContent> content) {
        this.key = key;
        this.stored = stored;
        this.content = content;
    }

    /** The leases below {@code prefix}, read now. One that is given back meanwhile is left out. */
    public static List<FoundLease> list(ObjectStore store, KeyPrefix prefix) throws IOException {
        return list(store, prefix, _ -> true);
    }

    /** Those below {@code prefix} whose keys are wanted; the others are not read. */
    static List<FoundLease> list(ObjectStore store, KeyPrefix prefix, Predicate<ObjectKey> wanted) throws IOException {
        List<FoundLease> leases = new ArrayList<>();
        Listing listing = store.list(prefix);
        while (listing.hasNext()) {
            ObjectInfo object = listing.next();
            if (!wanted.test(object.key())) {
                continue;
            }
            try {
                byte[] json = store.getWhole(object.key(), LeaseContent.LARGEST);
                leases.add(new FoundLease(object.key(), object.lastModified(), LeaseContent.parse(json)));
            } catch (ObjectNotFoundException e) {
                // Given back between the listing and now.
            }
        }
        return leases;
    }

    public ObjectKey key() {
        return key;
    }

    /**
     * Whether nothing that its holder has begun can take effect any more. The death of a holder proves that he begins nothing new; not that the
     * store has not still to carry out what he has asked for.
     */
    public boolean isOver(Instant now, LeaseTerms terms) {
        return expires(terms).plus(terms.margin()).isBefore(now);
    }

    /** Whether the holder may begin something new. Of one that cannot be told, since a later program wrote it, that is believed until it must have been renewed. */
    boolean isHeld(Instant now, LeaseTerms terms) throws IOException {
        return expires(terms).isAfter(now) && !(content.isPresent() && content.get().holder().isDead());
    }

    /** When it expires unless it is renewed, as far as can be told. */
    Instant expires(LeaseTerms terms) {
        return content.map(LeaseContent::expires).orElseGet(() -> stored.plus(terms.life()));
    }

    /** Whether what the lease says can be told. */
    public boolean isReadable() {
        return content.isPresent();
    }

    /** The points that its holder works with. */
    public List<HeldPoint> points() {
        return content.map(LeaseContent::heldPoints).orElse(List.of());
    }
}
