package io.afterimage.catalog;

import io.afterimage.catalog.CatalogException.Reason;
import io.afterimage.keys.ObjectSeal;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.ManifestObjects;
import io.afterimage.manifest.PointId;
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
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * The machines and points of a repository, read from the store each time they are asked for, so that what another host did
 * a moment ago is seen. Descriptors never change, and so are fetched once. Thread-safe.
 *
 * <p>To find one point costs a listing of one page, or none for a whole id, and one GET, however many points there are. For the newest one only what is newer than the newest that was seen before is
 * listed, or what is new these days; all of them if there is nothing.
 */
public final class Catalog {

    private static final String POINTS = "points";
    private static final String SUFFIX = ".json";
    private static final int KEPT_DESCRIPTORS = 20_000;
    /** Most machines are backed up once a day at least: a thousand names cost a client that has just started more than the store. */
    private static final Duration RECENT = Duration.ofDays(2);
    private static final Pattern NAME = Pattern.compile("[0-9a-f]{32}\\.json");

    private final ObjectStore store;
    private final ObjectSeal seal;
    private final Map<ObjectKey, Point> descriptors = new ConcurrentHashMap<>();
    /** Of each machine the newest point that was seen, which may have been forgotten since. */
    private final Map<MachineName, PointId> newest = new ConcurrentHashMap<>();

    /** @param seal the repository's own, for descriptors */
    public Catalog(ObjectStore store, ObjectSeal seal) {
        this.store = store;
        this.seal = seal;
    }

    /** Where a point's descriptor lies: {@code points/<machine>/<point id>.json}. */
    public static ObjectKey key(MachineName machine, PointId point) {
        return ObjectKey.of(POINTS, machine.text(), point.hex() + SUFFIX);
    }

    /** The machines that have at least one point, by name. */
    public SortedSet<MachineName> machines() throws IOException {
        SortedSet<MachineName> machines = new TreeSet<>();
        all().forEach(name -> machines.add(name.machine()));
        return machines;
    }

    /** All points, by machine and time, without reading any descriptor. */
    public List<ManifestObjects.Name> all() throws IOException {
        List<ManifestObjects.Name> names = new ArrayList<>();
        Listing listing = store.list(KeyPrefix.folder(POINTS));
        while (listing.hasNext()) {
            String[] segments = listing.next().key().value().split("/", -1);
            if (segments.length == 3 && isPoint(segments[2]) && MachineName.isValid(segments[1])) {
                names.add(new ManifestObjects.Name(new MachineName(segments[1]), id(segments[2])));
            }
        }
        return names;
    }

    /** The ids of a machine's points, oldest first, without reading any descriptor. */
    public List<PointId> pointIds(MachineName machine) throws IOException {
        return ids(store.list(KeyPrefix.folder(POINTS, machine.text())));
    }

    /**
     * The points of a machine, oldest first; none when there is no such machine. One that vanishes meanwhile is left out.
     *
     * @throws CatalogException if a descriptor is damaged
     */
    public List<Point> points(MachineName machine) throws IOException {
        List<Point> points = new ArrayList<>();
        for (PointId id : pointIds(machine)) {
            find(machine, id).ifPresent(points::add);
        }
        return points;
    }

    /** The point of that id, if it is there. */
    public Optional<Point> find(MachineName machine, PointId id) throws IOException {
        return find(machine, id, Catalog::tellNobody);
    }

    private Optional<Point> find(MachineName machine, PointId id, Consumer<ManifestObjects.Name> likely) throws IOException {
        ObjectKey key = key(machine, id);
        try {
            Point known = descriptors.get(key);
            if (known != null) {
                return Optional.of(known);
            }
            likely.accept(new ManifestObjects.Name(machine, id));
            Point point = read(key);
            if (!point.id().equals(id) || !point.machine().equals(machine)) {
                throw new CatalogException(
                        Reason.DAMAGED, "The descriptor " + key + " is of another point: remove it, it was not put there by a backup.");
            }
            if (descriptors.size() < KEPT_DESCRIPTORS) {
                descriptors.put(key, point);
            }
            return Optional.of(point);
        } catch (ObjectNotFoundException e) {
            return Optional.empty();
        }
    }

    private static void tellNobody(ManifestObjects.Name name) {}

    private Point read(ObjectKey key) throws IOException {
        byte[] stored = store.getWhole(key, PointDescriptor.LARGEST + ObjectSeal.OVERHEAD);
        return PointDescriptor.parse(seal.open(key, stored), key.value());
    }

    /** Whether the point is there now, whatever was known before. */
    public boolean isThere(MachineName machine, PointId id) throws IOException {
        ObjectKey key = key(machine, id);
        descriptors.remove(key);
        return find(machine, id).isPresent();
    }

    /** Removes the point's descriptor: it is there no longer, and what it alone needs has become garbage. */
    public void forget(MachineName machine, PointId id) throws IOException {
        ObjectKey key = key(machine, id);
        store.delete(key);
        descriptors.remove(key);
    }

    /** The oldest point of a machine, if it has any. Costs a listing of one name, and one GET. */
    public Optional<Point> oldest(MachineName machine) throws IOException {
        Optional<ObjectInfo> first = store.first(KeyPrefix.folder(POINTS, machine.text()));
        if (first.isEmpty()) {
            return Optional.empty();
        }
        // What is no point may stand before all that are.
        String name = first.get().key().name();
        Optional<PointId> oldest = isPoint(name) ? Optional.of(id(name)) : pointIds(machine).stream().findFirst();
        return oldest.isEmpty() ? Optional.empty() : find(machine, oldest.get());
    }

    /** The newest point of a machine, if it has any. */
    public Optional<Point> latest(MachineName machine) throws IOException {
        return latest(machine, Catalog::tellNobody);
    }

    private Optional<Point> latest(MachineName machine, Consumer<ManifestObjects.Name> likely) throws IOException {
        PointId seen = newest.get(machine);
        // Nothing but the cost depends on the clock.
        String from = seen != null ? seen.hex() : PointId.timeDigits(Instant.now().minus(RECENT));
        // The beginning of a name stands before the name, and behind those of all that are less.
        Listing names = store.listAfter(KeyPrefix.folder(POINTS, machine.text()), ObjectKey.of(POINTS, machine.text(), from));
        Optional<Point> recent = last(machine, ids(names), likely);
        if (recent.isPresent()) {
            return recent;
        }
        if (seen != null) {
            newest.remove(machine, seen);
        }
        return last(machine, pointIds(machine), likely);
    }

    private Optional<Point> last(MachineName machine, List<PointId> ids, Consumer<ManifestObjects.Name> likely) throws IOException {
        for (PointId id : ids.reversed()) {
            Optional<Point> point = find(machine, id, likely);
            if (point.isPresent()) {
                newest.merge(machine, id, (one, other) -> one.compareTo(other) > 0 ? one : other);
                return point;
            }
        }
        return Optional.empty();
    }

    /**
     * The point that a selector means.
     *
     * @throws CatalogException if there is none, or if the beginning of an id fits several
     */
    public Point resolve(Selector selector) throws IOException {
        return resolve(selector, Catalog::tellNobody);
    }

    /**
     * The same.
     *
     * @param likely is told which point it will probably be before the descriptor of that is asked for, if it is; called by the caller's thread, perhaps for several
     * @throws CatalogException if there is none, or if the beginning of an id fits several
     */
    public Point resolve(Selector selector, Consumer<ManifestObjects.Name> likely) throws IOException {
        MachineName machine = selector.machine();
        Point point = switch (selector.point()) {
            case Selector.Which.Latest _ -> latest(machine, likely).orElseThrow(() -> noSuchMachine(machine));
            case Selector.Which.Id id -> byPrefix(machine, id.prefix(), likely);
            case Selector.Which.At at -> notAfter(machine, at.instant(), likely);
        };
        if (selector.disk().isPresent() && point.disk(selector.disk().get()).isEmpty()) {
            throw new CatalogException(
                    Reason.NO_SUCH_DISK,
                    "The point " + point.id() + " of machine '" + machine + "' has no disk '" + selector.disk().get()
                            + "': its disks are " + point.disks().stream().map(PointDisk::name).toList() + ".");
        }
        return point;
    }

    private Point byPrefix(MachineName machine, String prefix, Consumer<ManifestObjects.Name> likely) throws IOException {
        List<PointId> ids = ids(store.list(new KeyPrefix(KeyPrefix.folder(POINTS, machine.text()).value() + prefix)));
        if (ids.size() > 1) {
            throw new CatalogException(
                    Reason.AMBIGUOUS,
                    "'" + prefix + "' is the beginning of " + ids.size() + " points of machine '" + machine
                            + "': give more digits of " + ids.getFirst() + " or " + ids.get(1) + ".");
        }
        Optional<Point> point = ids.isEmpty() ? Optional.empty() : find(machine, ids.getFirst(), likely);
        return point.isPresent() ? point.get() : missing(machine, "whose id begins with '" + prefix + "'");
    }

    private Point notAfter(MachineName machine, Instant instant, Consumer<ManifestObjects.Name> likely) throws IOException {
        String last = PointId.timeDigits(instant);
        for (PointId id : pointIds(machine).reversed()) {
            if (id.hex().substring(0, last.length()).compareTo(last) <= 0) {
                Optional<Point> point = find(machine, id, likely);
                // An id tells when a capture began; what counts is the instant that the disks show.
                if (point.isPresent() && !point.get().time().isAfter(instant)) {
                    return point.get();
                }
            }
        }
        return missing(machine, "at or before " + instant);
    }

    private Point missing(MachineName machine, String which) throws IOException {
        if (!hasPoints(machine)) {
            throw noSuchMachine(machine);
        }
        throw new CatalogException(
                Reason.NO_SUCH_POINT,
                "Machine '" + machine + "' has no point " + which + ": 'afterimage list " + machine + "' shows those it has.");
    }

    /** Costs one page of a listing: whoever asks for a name that does not exist shall not make the catalogue be read. */
    private boolean hasPoints(MachineName machine) throws IOException {
        Listing listing = store.list(KeyPrefix.folder(POINTS, machine.text()));
        while (listing.hasNext()) {
            if (isPoint(listing.next().key().name())) {
                return true;
            }
        }
        return false;
    }

    private static CatalogException noSuchMachine(MachineName machine) {
        return new CatalogException(
                Reason.NO_SUCH_MACHINE,
                "The repository has no machine '" + machine + "': 'afterimage list' shows those it has.");
    }

    private static List<PointId> ids(Listing listing) throws IOException {
        List<PointId> ids = new ArrayList<>();
        while (listing.hasNext()) {
            ObjectInfo object = listing.next();
            String name = object.key().name();
            if (isPoint(name)) {
                ids.add(id(name));
            }
        }
        return ids;
    }

    private static PointId id(String name) {
        return new PointId(name.substring(0, name.length() - SUFFIX.length()));
    }

    private static boolean isPoint(String name) {
        return NAME.matcher(name).matches();
    }
}
