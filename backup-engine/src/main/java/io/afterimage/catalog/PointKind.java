package io.afterimage.catalog;

/** How much a capture had to read. It says nothing of what a point needs to be read: that is never another point. */
public enum PointKind {
    /** The machine's first point: every disk was read whole. */
    FULL,
    /** Made from an earlier point and what has changed since. */
    INCREMENTAL
}
