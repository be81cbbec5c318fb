package io.afterimage.profile;

import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.CatalogException;
import io.afterimage.catalog.Point;
import io.afterimage.keys.BrokenSealException;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import io.afterimage.repository.Repository;
import io.afterimage.store.KeyPrefix;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectNotFoundException;
import io.afterimage.store.Problem;
import io.afterimage.store.StoreException;
import java.io.IOException;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The boot profiles of a repository: at most one for each disk of each machine, which all points of the machine share. Each is one object,
 * {@code profiles/<machine>/<disk>}, that a newer one replaces; of two written at the same time one stays, and either is good. A machine that has none boots as
 * the base image did that it was launched from. Thread-safe.
 */
public final class BootProfiles {

    /** All of them. */
    public static final KeyPrefix ALL = KeyPrefix.folder("profiles");

    /** Nobody launches from what was launched from what was launched so often: a tree that is deeper was not put there by backups. */
    private static final int DEEPEST = 16;

    private static final Logger LOG = LoggerFactory.getLogger(BootProfiles.class);

    private final Repository repository;

    public BootProfiles(Repository repository) {
        this.repository = repository;
    }

    /** Where it lies. */
    public static ObjectKey key(MachineName machine, DiskName disk) {
        return ObjectKey.of("profiles", machine.text(), disk.text());
    }

    /** The machine whose profile lies at {@code key}; empty if that is no place of a profile. */
    public static Optional<MachineName> machine(ObjectKey key) {
        String[] segments = key.value().split("/", -1);
        try {
            MachineName machine = new MachineName(segments[segments.length - 2]);
            return key(machine, new DiskName(key.name())).equals(key) ? Optional.of(machine) : Optional.empty();
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            return Optional.empty();
        }
    }

    /** The disk's profile, if it has one that can be understood; of one that cannot, the log tells. One request. */
    public Optional<BootProfile> find(MachineName machine, DiskName disk) throws IOException {
        ObjectKey key = key(machine, disk);
        try {
            return Optional.of(ProfileCodec.decode(repository.getSealed(key, ProfileCodec.LARGEST)));
        } catch (ObjectNotFoundException e) {
            return Optional.empty();
        } catch (IllegalArgumentException | BrokenSealException e) {
            LOG.warn("The boot profile {} is passed over, and replaced by the next boot: {}", key, e.getMessage());
        } catch (StoreException e) {
            if (e.problem() != Problem.TOO_LARGE && e.problem() != Problem.TOO_SHORT) {
                throw e;
            }
            LOG.warn("The boot profile {} is passed over, and replaced by the next boot: {}", key, e.getMessage());
        }
        return Optional.empty();
    }

    /**
     * The disk's own profile, else that of the disk below it in the machine's backup tree, or below that. One request for a machine that has one of its
     * own; three at most for each level.
     *
     * @param point which of the machine's points is asked about; it may have been forgotten
     */
    public Optional<FoundProfile> nearest(MachineName machine, PointId point, DiskName disk) throws IOException {
        Set<MachineName> seen = new HashSet<>();
        Optional<FoundProfile.Place> at = Optional.of(new FoundProfile.Place(machine, disk));
        Optional<PointId> hook = Optional.of(point);
        while (at.isPresent() && seen.size() < DEEPEST && seen.add(at.get().machine())) {
            FoundProfile.Place place = at.get();
            Optional<BootProfile> profile = find(place.machine(), place.disk());
            if (profile.isPresent()) {
                return Optional.of(new FoundProfile(profile.get(), place));
            }
            Optional<Point> launched = launched(place.machine(), hook);
            at = launched.flatMap(Point::base)
                    .flatMap(base -> Optional.ofNullable(base.disks().get(place.disk())).map(below -> new FoundProfile.Place(base.machine(), below)));
            hook = launched.flatMap(Point::parent);
        }
        return Optional.empty();
    }

    /** The point where the machine hangs on another one's: this one, else its oldest, which the later ones count from. */
    private Optional<Point> launched(MachineName machine, Optional<PointId> point) throws IOException {
        Catalog catalog = repository.catalog();
        try {
            Optional<Point> itself = point.isPresent() ? catalog.find(machine, point.get()) : Optional.empty();
            if (itself.flatMap(Point::base).isPresent()) {
                return itself;
            }
            return catalog.oldest(machine);
        } catch (CatalogException e) {
            LOG.warn("It cannot be told what {} was launched from: {}", machine, e.getMessage());
            return Optional.empty();
        }
    }

    /** Stores it in the place of the one before. One request. */
    public void put(MachineName machine, DiskName disk, BootProfile profile) throws IOException {
        repository.putSealed(key(machine, disk), ProfileCodec.encode(profile));
    }
}
