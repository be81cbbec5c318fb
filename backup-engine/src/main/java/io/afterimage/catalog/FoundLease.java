package io.afterimage.catalog;

import io.afterimage.store.KeyPrefix;
import io.afterimage.store.Listing;
import io.afterimage.store.ObjectInfo;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectNotFoundException;
import io.afterimage.store.ObjectStore;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

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
     * @param stored when it was written last, by the reader's clock
     * @param content what it says; empty when it is damaged or of a later program
     */
    private FoundLease(ObjectKey key, Instant stored, Optional<LeaseContent> content) {
        this.key = key;
        this.stored = stored;
        this.content = content;
    }

    /**
     * The leases below {@code prefix}, read now. One that is given back meanwhile is left out.
     *
     * @param ahead how far the store's clock is ahead of the reader's, as a lease of its own {@linkplain Lease#storeAhead tells}
     */
    public static List<FoundLease> list(ObjectStore store, KeyPrefix prefix, Duration ahead) throws IOException {
        List<FoundLease> leases = new ArrayList<>();
        Listing listing = store.list(prefix);
        while (listing.hasNext()) {
            read(store, listing.next(), ahead).ifPresent(leases::add);
        }
        return leases;
    }

    /** The lease that was listed so; empty if it has been given back since. */
    static Optional<FoundLease> read(ObjectStore store, ObjectInfo listed, Duration ahead) throws IOException {
        try {
            byte[] json = store.getWhole(listed.key(), LeaseContent.LARGEST);
            return Optional.of(new FoundLease(listed.key(), listed.lastModified().minus(ahead), LeaseContent.parse(json)));
        } catch (ObjectNotFoundException e) {
            return Optional.empty();
        }
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

    /** When it expires unless it is renewed: as its holder says, and no earlier than it does by when it was written, since the holder's clock may be wrong. */
    Instant expires(LeaseTerms terms) {
        Instant least = stored.plus(terms.life());
        return content.map(LeaseContent::expires).filter(least::isBefore).orElse(least);
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
