package io.afterimage.catalog;

import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;

/** A point that somebody works with, and the seal of its manifest, which must stay although the descriptor may go. */
public record HeldPoint(MachineName machine, PointId point, Point.Seal manifest) {

    public static HeldPoint of(Point point) {
        return new HeldPoint(point.machine(), point.id(), point.manifest());
    }
}
