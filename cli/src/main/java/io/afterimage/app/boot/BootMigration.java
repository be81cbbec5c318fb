package io.afterimage.app.boot;

import io.afterimage.app.TargetException;
import io.afterimage.capture.qemu.Checkpoint;
import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.HeldPoint;
import io.afterimage.catalog.LastingHolds;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointDisk;
import io.afterimage.catalog.Selector;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.util.Optional;
import java.util.UUID;

/**
 * Finds the local image that a machine is to move to, or makes it: the first boot begins at the point that the selector means, and where that one has ended before all had moved, the
 * next goes on from the same point, whatever is the latest by then, and forgotten or not.
 */
public final class BootMigration {

    private final Repository repository;
    private final LastingHolds holds;

    public BootMigration(Repository repository) {
        this.repository = repository;
        holds = new LastingHolds(repository.store(), repository.catalog());
    }

    /** What is to move, held. */
    public Migration run(Selector selector, LocalImage image) throws IOException {
        Optional<Migration> begun = image.migration();
        Migration migration = begun.isPresent() ? begun.get() : begin(selector, image);
        requireSame(selector, migration);
        // Behind the image, which names the hold: else nobody would know of it, were we to die in between. Nothing has been written yet.
        if (!migration.hold(holds)) {
            throw new TargetException("The point " + migration + " that " + image + " still needs was forgotten, and what held it was deleted from the"
                    + " repository, or had not come to be: what the machine has not written itself cannot be had any more. Choose another name.");
        }
        return migration;
    }

    /** It needs nothing more. */
    void ended(Migration migration) throws IOException {
        holds.remove(migration.hold());
    }

    private Migration begin(Selector selector, LocalImage image) throws IOException {
        Point point = repository.catalog().resolve(selector);
        if (point.disks().size() != 1) {
            throw new TargetException("The point " + point.id() + " of '" + point.machine() + "' has " + point.disks().size()
                    + " disks and " + image + " would be one, so the machine would lose what it writes to the others: restore them with 'afterimage restore'.");
        }
        PointDisk disk = point.disks().getFirst();
        Migration migration = new Migration(image, HeldPoint.of(point), disk.name(), UUID.randomUUID());
        Checkpoint checkpoint = new Checkpoint(repository.id().substring(0, 8), point.id().hex());
        image.create(migration, disk.size(), checkpoint.on(disk.name().text()), repository.chunkSize().bytes());
        return migration;
    }

    private void requireSame(Selector selector, Migration migration) throws IOException {
        Catalog catalog = repository.catalog();
        boolean same = selector.machine().equals(migration.base().machine())
                && selector.disk().map(migration.disk()::equals).orElse(true)
                && (selector.point() instanceof Selector.Which.Latest || catalog.resolve(selector).id().equals(migration.base().point()));
        if (!same) {
            throw new TargetException("The disk that is on its way to " + migration.image() + " is " + migration + " and not " + selector + ": choose another name.");
        }
    }
}
