package io.afterimage.catalog;

import io.afterimage.manifest.DiskName;
import java.util.Optional;

/**
 * One disk of a point.
 *
 * @param name unique within the point
 * @param size in bytes
 * @param change how the changes since the parent point were found
 * @param reason why the disk was read whole though the machine had a parent point; one clause
 * @param bytes what its capture cost; stored bytes and the manifest's are of the point as a whole, and 0 here
 */
public record PointDisk(DiskName name, long size, Change change, Optional<String> reason, CaptureBytes bytes) {

    /** How changes were found. */
    public enum Change {
        /** By the dirty bitmap that began at the parent point. */
        BITMAP,
        /** By reading everything and comparing hashes. */
        WHOLE
    }
}
