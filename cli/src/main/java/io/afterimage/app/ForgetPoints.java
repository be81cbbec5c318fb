package io.afterimage.app;

import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.CatalogException;
import io.afterimage.catalog.CatalogException.Reason;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.Protections;
import io.afterimage.catalog.Selector;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import io.afterimage.retention.Decision;
import io.afterimage.retention.RetentionPolicy;
import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Takes points out of the list: at once, whatever else goes on, without touching another point. What they alone needed stays as garbage
 * until it is collected; who has them open reads on.
 */
public final class ForgetPoints {

    private final Catalog catalog;
    private final Protections protections;
    private final InstantSource clock;

    public ForgetPoints(Catalog catalog, Protections protections, InstantSource clock) {
        this.catalog = catalog;
        this.protections = protections;
        this.clock = clock;
    }

    /** Forgets what the policy drops of each of these machines, unless it is a dry run. Returns all decisions, newest point first. */
    public List<Decision> byPolicy(Collection<MachineName> machines, RetentionPolicy policy, boolean dryRun) throws IOException {
        List<Decision> decisions = new ArrayList<>();
        for (MachineName machine : machines) {
            List<Point> points = catalog.points(machine);
            List<Decision> ofMachine = policy.decide(points, protections.of(machine), clock.instant());
            if (!dryRun) {
                // The oldest first: ended half-way, what is left is what a shorter history would have.
                for (Decision decision : ofMachine.reversed()) {
                    if (!decision.isKept()) {
                        catalog.forget(machine, decision.point().id());
                    }
                }
            }
            decisions.addAll(ofMachine);
        }
        return decisions;
    }

    /** Forgets the one point that the selector names, also when it is the newest, unless it is a dry run. */
    public Decision one(Selector selector, boolean dryRun) throws IOException {
        requireWhole(selector);
        Point point = catalog.resolve(selector);
        if (protections.of(point.machine()).contains(point.id())) {
            throw new CatalogException(
                    Reason.PROTECTED,
                    "The point " + point.id() + " of '" + point.machine() + "' is protected: 'afterimage protect " + point.machine() + "@"
                            + point.id() + " --off' lets it be forgotten.");
        }
        if (point.isImmutable(clock.instant())) {
            throw new CatalogException(
                    Reason.IMMUTABLE,
                    "The point " + point.id() + " of '" + point.machine() + "' is immutable until " + point.immutable().orElseThrow().until()
                            + ", and until then its objects could not be deleted: forget it later.");
        }
        if (!dryRun) {
            catalog.forget(point.machine(), point.id());
        }
        return new Decision(point, List.of());
    }

    /** Protects a point from being forgotten, or no longer. Returns the point. */
    public Point protect(Selector selector, boolean on) throws IOException {
        requireWhole(selector);
        Point point = catalog.resolve(selector);
        PointId id = point.id();
        if (!on) {
            protections.remove(point.machine(), id);
            return point;
        }
        protections.add(point.machine(), id);
        if (!catalog.isThere(point.machine(), id)) {
            protections.remove(point.machine(), id);
            throw new CatalogException(
                    Reason.NO_SUCH_POINT, "The point " + id + " of '" + point.machine() + "' has just been forgotten: choose another one.");
        }
        return point;
    }

    private static void requireWhole(Selector selector) throws CatalogException {
        if (selector.disk().isPresent()) {
            throw new CatalogException(
                    Reason.NOT_A_SELECTOR,
                    "'" + selector + "' names a disk, and a point has all disks of its machine or none: write "
                            + selector.machine() + "@" + selector.point() + ".");
        }
    }
}
