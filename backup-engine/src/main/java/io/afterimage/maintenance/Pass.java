package io.afterimage.maintenance;

import io.afterimage.capture.Progress;
import io.afterimage.catalog.FoundLease;
import io.afterimage.catalog.LeaseTerms;
import io.afterimage.chunk.PackId;
import io.afterimage.maintenance.GcReport.Tally;
import io.afterimage.manifest.MachineName;
import io.afterimage.pack.PackObjects;
import io.afterimage.profile.BootProfiles;
import io.afterimage.repository.Condemnation;
import io.afterimage.repository.Damage;
import io.afterimage.repository.Repository;
import io.afterimage.store.KeyPrefix;
import io.afterimage.store.Listing;
import io.afterimage.store.ObjectInfo;
import io.afterimage.store.ObjectKey;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * One pass of a garbage collection: look, delete what was condemned long enough ago and is garbage still, condemn what else is garbage.
 *
 * <p>A condemnation may be carried out when it is armed, its grace period is over, and every backup that it names is over: then no backup that does not heed
 * it is left, and those that did refer to something of it have points by now, which the look has found. Deleting is the last thing done with what is
 * found to be so, and true for ever, so that it does no harm if it happens late, twice, or in part.
 */
final class Pass {

    private final Repository repository;
    private final InstantSource clock;
    private final LeaseTerms terms;
    private final SecureRandom random;
    private final GarbageCollection.Request request;
    private final Changes changes;

    private final List<Condemnation> condemned = new ArrayList<>();
    private final NavigableMap<PackId, Long> packs = new TreeMap<>();
    private final List<ObjectKey> profiles = new ArrayList<>();
    private Roots roots;
    private LiveFrames live;
    private MoveListing moves;
    private LockedObjects locked;
    private Tally deleted = Tally.NONE;
    private Tally compacted = Tally.NONE;

    Pass(
            Repository repository,
            InstantSource clock,
            LeaseTerms terms,
            SecureRandom random,
            GarbageCollection.Request request,
            Changes changes) {
        this.repository = repository;
        this.clock = clock;
        this.terms = terms;
        this.random = random;
        this.request = request;
        this.changes = changes;
    }

    GcReport run(Progress progress) throws IOException {
        condemned.addAll(Condemnation.list(repository.store()));
        listPacks();
        listProfiles();
        roots = Roots.find(repository, clock.instant(), terms, changes.storeAhead());
        live = LiveFrames.mark(repository, roots, progress);
        // Only now: a backup that tells where it has healed something does so before it gives its lease back.
        moves = MoveListing.of(repository);
        live.follow(moves.moves());
        locked = LockedObjects.of(repository, clock.instant());
        locked.look(unneeded());
        sweep();
        condemn();
        removeLeases();
        return report();
    }

    private void listPacks() throws IOException {
        Listing listing = repository.store().list(PackObjects.ALL);
        while (listing.hasNext()) {
            ObjectInfo pack = listing.next();
            PackObjects.id(pack.key()).ifPresent(id -> packs.put(id, pack.size()));
        }
    }

    /** Before the points: a machine that has a profile by now, and no point afterwards, is gone, and is not only new. */
    private void listProfiles() throws IOException {
        Listing listing = repository.store().list(BootProfiles.ALL);
        while (listing.hasNext()) {
            profiles.add(listing.next().key());
        }
    }

    /** What nobody needs, locked or not. */
    private List<ObjectKey> unneeded() {
        List<ObjectKey> keys = new ArrayList<>(
                packs.keySet().stream().filter(pack -> !live.packs().contains(pack)).map(PackObjects::key).toList());
        roots.manifests().keySet().stream().filter(manifest -> !roots.roots().containsKey(manifest)).forEach(keys::add);
        return keys;
    }

    /** Nobody needs it and it can be deleted. What is locked is no garbage yet: a backup may still refer to it, and so it is not condemned. */
    private boolean isGarbage(PackId pack) {
        return packs.containsKey(pack) && !live.packs().contains(pack) && !locked.contains(PackObjects.key(pack));
    }

    private boolean isGarbage(ObjectKey manifest) {
        return roots.manifests().containsKey(manifest) && !roots.roots().containsKey(manifest) && !locked.contains(manifest);
    }

    private void sweep() throws IOException {
        Instant now = earlier();
        Set<ObjectKey> alive = roots.alive(clock.instant(), terms);
        List<Condemnation> ripe = condemned.stream().filter(condemnation -> isRipe(condemnation, now, alive)).toList();
        Set<ObjectKey> manifests =
                ripe.stream().flatMap(each -> each.manifests().stream()).filter(this::isGarbage).collect(Collectors.toSet());
        Set<PackId> deadPacks = ripe.stream().flatMap(Condemnation::allPacks).filter(this::isGarbage).collect(Collectors.toSet());
        long bytes = manifests.stream().mapToLong(roots.manifests()::get).sum() + deadPacks.stream().mapToLong(packs::get).sum();
        changes.delete(manifests);
        changes.delete(deadPacks.stream().map(PackObjects::key).toList());
        deleted = new Tally(deadPacks.size(), manifests.size(), bytes);
        deadPacks.forEach(packs::remove);
        manifests.forEach(roots.manifests()::remove);
        compact(ripe);
        removeRecords();
        List<Condemnation> done = ripe.stream().filter(condemnation -> isDone(condemnation, now)).toList();
        changes.delete(done.stream().map(Condemnation::key).toList());
        condemned.removeAll(done);
    }

    private void compact(List<Condemnation> ripe) throws IOException {
        List<PackId> from = ripe.stream()
                .flatMap(condemnation -> condemnation.compact().stream())
                .filter(pack -> packs.containsKey(pack) && live.packs().contains(pack))
                .sorted()
                .distinct()
                .toList();
        if (request.compactBelow() > 0 && !changes.isDry()) {
            compacted = new Compaction(repository, random, changes, live, moves, packs, locked).run(locked.free(from));
        }
    }

    /** What was known of packs that are gone, and that no point names any more; and how machines booted that have no points. */
    private void removeRecords() throws IOException {
        List<ObjectKey> keys = new ArrayList<>();
        moves.objects().forEach((pack, objects) -> keys.addAll(isForgotten(pack) ? objects : List.of()));
        locked.look(keys);
        keys.removeIf(locked::contains);
        Listing damaged = repository.store().list(Damage.ALL);
        while (damaged.hasNext()) {
            ObjectKey key = damaged.next().key();
            Damage.pack(key).filter(this::isForgotten).ifPresent(_ -> keys.add(key));
        }
        Set<MachineName> machines = roots.machines();
        for (ObjectKey key : profiles) {
            BootProfiles.machine(key).filter(machine -> !machines.contains(machine)).ifPresent(_ -> keys.add(key));
        }
        changes.delete(keys);
    }

    private boolean isForgotten(PackId pack) {
        return !packs.containsKey(pack) && !live.packs().contains(pack);
    }

    private boolean isRipe(Condemnation condemnation, Instant now, Set<ObjectKey> alive) {
        return condemnation.leases().isPresent()
                && condemnation.leases().get().stream().noneMatch(alive::contains)
                && (request.grace().isZero() || !condemnation.time().plus(request.grace()).isAfter(now));
    }

    /** The instant by this host's clock or by the store's: grace periods begin by the later and end by the earlier, since hosts may differ. */
    private Instant later() {
        Duration ahead = changes.storeAhead();
        return ahead.isNegative() ? clock.instant() : clock.instant().plus(ahead);
    }

    private Instant earlier() {
        Duration ahead = changes.storeAhead();
        return ahead.isNegative() ? clock.instant().plus(ahead) : clock.instant();
    }

    /**
     * Whether the condemnation has served. One that names what is needed again is lifted with it, though not before any late PUT of it must have reached the
     * store: it would condemn as of long ago what backups may refer to by then.
     */
    private boolean isDone(Condemnation condemnation, Instant now) {
        boolean carriedOut = condemnation.allPacks().noneMatch(packs::containsKey)
                && condemnation.manifests().stream().noneMatch(roots.manifests()::containsKey);
        return carriedOut || condemnation.time().plus(terms.life()).plus(terms.margin()).isBefore(now);
    }

    private void condemn() throws IOException {
        Set<PackId> known = condemned.stream().flatMap(Condemnation::allPacks).collect(Collectors.toSet());
        List<PackId> newPacks = packs.keySet().stream().filter(pack -> isGarbage(pack) && !known.contains(pack)).toList();
        Set<ObjectKey> knownManifests = condemned.stream().flatMap(each -> each.manifests().stream()).collect(Collectors.toSet());
        List<ObjectKey> newManifests = roots.manifests().keySet().stream()
                .filter(manifest -> isGarbage(manifest) && !knownManifests.contains(manifest))
                .toList();
        List<Condemnation> unarmed = new ArrayList<>(
                condemned.stream().filter(condemnation -> condemnation.leases().isEmpty()).toList());
        condemned.removeAll(unarmed);
        List<PackId> compact = locked.free(
                usage().below(request.compactBelow()).stream().filter(pack -> !known.contains(pack)).sorted().toList());
        for (Condemnation condemnation : written(newPacks, compact, newManifests)) {
            changes.put(condemnation);
            unarmed.add(condemnation);
        }
        if (!unarmed.isEmpty()) {
            arm(unarmed);
        }
    }

    private List<Condemnation> written(List<PackId> newPacks, List<PackId> compact, List<ObjectKey> newManifests) {
        List<Condemnation> written = new ArrayList<>();
        int most = Math.max(Math.max(newPacks.size(), compact.size()), newManifests.size());
        for (int i = 0; i < most; i += Condemnation.MOST_ENTRIES) {
            written.add(Condemnation.of(later(), slice(newPacks, i), slice(compact, i), slice(newManifests, i)));
        }
        return written;
    }

    private Usage usage() {
        return new Usage(live, moves, packs, repository.chunkSize());
    }

    private static <T> Set<T> slice(List<T> all, int from) {
        return Set.copyOf(all.subList(Math.min(from, all.size()), Math.min(from + Condemnation.MOST_ENTRIES, all.size())));
    }

    /** All of these are seen by whoever looks from now on; those who may have looked before have leases, which are listed now. */
    private void arm(List<Condemnation> unarmed) throws IOException {
        Set<ObjectKey> running = new HashSet<>();
        Listing listing = repository.store().list(FoundLease.BACKUPS);
        while (listing.hasNext()) {
            running.add(listing.next().key());
        }
        for (Condemnation condemnation : unarmed) {
            Condemnation armed = condemnation.armed(later(), running);
            changes.put(armed);
            condemned.add(armed);
        }
    }

    private void removeLeases() throws IOException {
        Instant now = clock.instant();
        changes.delete(roots.leases().stream().filter(lease -> lease.isOver(now, terms)).map(FoundLease::key).toList());
    }

    /** Of points that came to be after packs were listed the packs are there all the same: each that was not seen is looked for. */
    private int missing(Usage usage) throws IOException {
        int missing = 0;
        for (PackId pack : usage.missing()) {
            missing += repository.store().list(new KeyPrefix(PackObjects.key(pack).value())).hasNext() ? 0 : 1;
        }
        return missing;
    }

    private GcReport report() throws IOException {
        Set<PackId> waitingPacks = condemned.stream().flatMap(Condemnation::allPacks).filter(this::isGarbage).collect(Collectors.toSet());
        Set<ObjectKey> waitingManifests =
                condemned.stream().flatMap(each -> each.manifests().stream()).filter(this::isGarbage).collect(Collectors.toSet());
        long waitingBytes = waitingPacks.stream().mapToLong(packs::get).sum()
                + waitingManifests.stream().mapToLong(roots.manifests()::get).sum();
        Optional<Instant> deletableFrom = condemned.isEmpty()
                ? Optional.empty()
                : condemned.stream().map(condemnation -> condemnation.time().plus(request.grace())).min(Instant::compareTo);
        Set<ObjectKey> alive = roots.alive(clock.instant(), terms);
        long backups = condemned.stream()
                .flatMap(condemnation -> condemnation.leases().stream())
                .flatMap(Collection::stream)
                .distinct()
                .filter(alive::contains)
                .count();
        Usage usage = usage();
        Tally toCompact = usage.tally(condemned.stream().flatMap(each -> each.compact().stream()).toList());
        List<ObjectKey> held = unneeded().stream().filter(locked::contains).toList();
        return new GcReport(
                roots.points(),
                usage.liveBytes(),
                deleted,
                new Tally(waitingPacks.size(), waitingManifests.size(), waitingBytes),
                deletableFrom,
                (int) backups,
                compacted,
                toCompact,
                tally(held),
                held.stream().map(locked.all()::get).min(Instant::compareTo),
                usage.partlyDead(),
                missing(usage));
    }

    private Tally tally(List<ObjectKey> objects) {
        List<PackId> ofPacks = objects.stream().flatMap(key -> PackObjects.id(key).stream()).toList();
        List<ObjectKey> manifests = objects.stream().filter(roots.manifests()::containsKey).toList();
        long bytes = ofPacks.stream().mapToLong(packs::get).sum() + manifests.stream().mapToLong(roots.manifests()::get).sum();
        return new Tally(ofPacks.size(), manifests.size(), bytes);
    }
}
