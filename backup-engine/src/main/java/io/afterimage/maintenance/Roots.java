package io.afterimage.maintenance;

import io.afterimage.catalog.CatalogException;
import io.afterimage.catalog.CatalogException.Reason;
import io.afterimage.catalog.FoundLease;
import io.afterimage.catalog.HeldPoint;
import io.afterimage.catalog.LeaseTerms;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.ManifestObjects;
import io.afterimage.repository.Repository;
import io.afterimage.repository.RequestWindow;
import io.afterimage.store.Listing;
import io.afterimage.store.ObjectInfo;
import io.afterimage.store.ObjectKey;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Whose manifests must be read to know what is needed: the points that are listed, those that somebody has open or builds on, and those that came to be
 * while this was found out. What is needed by a point that is neither is needed by nobody.
 *
 * <p>The order of the listings is what makes this true although nothing stands still: manifests, leases, points, leases, manifests. A backup that inherits
 * from a point that was forgotten before the points were listed, and that is not listed itself, had its lease on that point when the leases
 * were listed for the second time; or it had sealed its manifest by then, which is in the second listing of manifests and not in the first, unless the backup had its lease
 * when the leases were listed for the first time. {@code docs/decisions/0009-visibility-orders-gc.md} has the argument in full.
 *
 * @param manifests all manifests that were there in the beginning, with their lengths
 * @param leases the leases that were there before the points were listed
 * @param roots by the key of the manifest, and so by machine and time; with a seal unless the manifest was stored meanwhile
 * @param points how many of them are points that are there
 */
record Roots(
        NavigableMap<ObjectKey, Long> manifests, List<FoundLease> leases, NavigableMap<ObjectKey, Optional<HeldPoint>> roots, int points) {

    /** @param ahead how far the store's clock is ahead of that which tells {@code now} */
    static Roots find(Repository repository, Instant now, LeaseTerms terms, Duration ahead) throws IOException {
        NavigableMap<ObjectKey, Long> manifests = manifests(repository);
        List<FoundLease> leases = leases(repository, now, terms, ahead);
        NavigableMap<ObjectKey, Optional<HeldPoint>> roots = new TreeMap<>();
        new RequestWindow(repository.requestsAtOnce()).forEach(
                repository.catalog().all(),
                name -> repository.catalog().find(name.machine(), name.point()),
                found -> found.map(HeldPoint::of).ifPresent(point -> add(roots, point)));
        int points = roots.size();
        leases.forEach(lease -> lease.points().forEach(point -> add(roots, point)));
        leases(repository, now, terms, ahead).forEach(lease -> lease.points().forEach(point -> add(roots, point)));
        manifests(repository).keySet().stream()
                .filter(key -> !manifests.containsKey(key))
                .forEach(key -> roots.putIfAbsent(key, Optional.empty()));
        return new Roots(manifests, leases, roots, points);
    }

    private static void add(Map<ObjectKey, Optional<HeldPoint>> roots, HeldPoint point) {
        roots.putIfAbsent(ManifestObjects.key(point.machine(), point.point()), Optional.of(point));
    }

    private static NavigableMap<ObjectKey, Long> manifests(Repository repository) throws IOException {
        NavigableMap<ObjectKey, Long> found = new TreeMap<>();
        Listing listing = repository.store().list(ManifestObjects.ALL);
        while (listing.hasNext()) {
            ObjectInfo object = listing.next();
            if (ManifestObjects.name(object.key()).isPresent()) {
                found.put(object.key(), object.size());
            }
        }
        return found;
    }

    /** @throws CatalogException if one of them cannot be read and may yet be somebody's */
    private static List<FoundLease> leases(Repository repository, Instant now, LeaseTerms terms, Duration ahead) throws IOException {
        List<FoundLease> leases = FoundLease.list(repository.store(), FoundLease.ALL, ahead);
        for (FoundLease lease : leases) {
            if (!lease.isReadable() && !lease.isOver(now, terms)) {
                throw new CatalogException(
                        Reason.DAMAGED,
                        "The lease " + lease.key() + " cannot be read, so nobody can tell what its holder needs: nothing was deleted; run gc again in "
                                + terms.life().plus(terms.margin()).toMinutes() + " minutes, when it has expired, or with a newer Afterimage.");
            }
        }
        return leases;
    }

    /** The machines that have points, or are about to. */
    Set<MachineName> machines() {
        return roots.keySet().stream()
                .flatMap(key -> ManifestObjects.name(key).stream())
                .map(ManifestObjects.Name::machine)
                .collect(Collectors.toSet());
    }

    /** The leases whose holders may still bring something about. */
    Set<ObjectKey> alive(Instant now, LeaseTerms terms) {
        return leases.stream().filter(lease -> !lease.isOver(now, terms)).map(FoundLease::key).collect(Collectors.toSet());
    }
}
