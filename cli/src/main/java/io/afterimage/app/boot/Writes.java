package io.afterimage.app.boot;

import io.afterimage.image.OverlayName;
import io.afterimage.manifest.DiskName;
import java.util.Map;

/** What becomes of what a booted machine writes. */
public sealed interface Writes {

    /** It is gone when the machine ends. */
    record Discarded() implements Writes {}

    /**
     * It stays, in overlays of this host.
     *
     * @param overlays one for each disk of the point
     */
    record Kept(Map<DiskName, OverlayName> overlays) implements Writes {

        public Kept {
            overlays = Map.copyOf(overlays);
        }
    }

    /**
     * It stays, in a local image that the rest of the disk moves to while the machine runs.
     *
     * @param ended is told when all has moved
     */
    record Migrated(Migration migration, BootMigration ended) implements Writes {}
}
