package io.afterimage.fuse.tree;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.afterimage.catalog.Catalog;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.ManifestObjects;
import io.afterimage.manifest.PointId;
import io.afterimage.store.Ticker;
import java.io.IOException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** The machines and their points, by id alone, as they were a moment ago: one look at a folder asks for them many times. Thread-safe. */
final class Listings {

    private static final int KEPT_MACHINES = 1_000;

    private final Catalog catalog;
    private final Ticker ticker;
    private final Duration lifetime;
    private final Kept<SortedMap<MachineName, PointId>> machines;
    private final Cache<MachineName, Kept<List<PointId>>> points = Caffeine.newBuilder().maximumSize(KEPT_MACHINES).build();

    Listings(Catalog catalog, Ticker ticker, Duration lifetime) {
        this.catalog = catalog;
        this.ticker = ticker;
        this.lifetime = lifetime;
        machines = new Kept<>(this::newest, ticker, lifetime);
    }

    private SortedMap<MachineName, PointId> newest() throws IOException {
        SortedMap<MachineName, PointId> newest = new TreeMap<>();
        for (ManifestObjects.Name point : catalog.all()) {
            newest.merge(point.machine(), point.point(), (one, other) -> one.compareTo(other) < 0 ? other : one);
        }
        return Collections.unmodifiableSortedMap(newest);
    }

    /** The machines that have points, and the newest of each. */
    SortedMap<MachineName, PointId> machines() throws IOException {
        return machines.get();
    }

    /** The machine's points, oldest first; none if there is no such machine. */
    List<PointId> points(MachineName machine) throws IOException {
        return points.get(machine, name -> new Kept<>(() -> List.copyOf(catalog.pointIds(name)), ticker, lifetime)).get();
    }

    /** Where in a machine's points the first stands whose id is not before those hex digits. */
    static int insertion(List<PointId> points, String digits) {
        int low = 0;
        int high = points.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (points.get(middle).hex().compareTo(digits) < 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** Where in a machine's points that id stands. */
    static Optional<Integer> index(List<PointId> points, String id) {
        int index = insertion(points, id);
        return index < points.size() && points.get(index).hex().equals(id) ? Optional.of(index) : Optional.empty();
    }
}
