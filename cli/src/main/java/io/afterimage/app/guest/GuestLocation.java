package io.afterimage.app.guest;

import io.afterimage.catalog.CatalogException;
import io.afterimage.catalog.Selector;
import java.util.Optional;

/**
 * What the user has written to name files of a guest: {@code SELECTOR}, or {@code SELECTOR:VOLUME/path}.
 *
 * @param selector the point, and the disk if one was named
 * @param place the volume and the path behind it, as they were written; empty for all volumes
 */
public record GuestLocation(Selector selector, Optional<String> place) {

    /** Reads it. A colon may be in the selector's time and in the path; the selector is as long as it can be. */
    public static GuestLocation parse(String text) throws CatalogException {
        try {
            return new GuestLocation(Selector.parse(text), Optional.empty());
        } catch (CatalogException _) {
            // There is more than a selector.
        }
        for (int colon = text.lastIndexOf(':'); colon > 0; colon = text.lastIndexOf(':', colon - 1)) {
            try {
                return new GuestLocation(Selector.parse(text.substring(0, colon)), Optional.of(text.substring(colon + 1)));
            } catch (CatalogException _) {
                // This colon is not the one.
            }
        }
        return new GuestLocation(Selector.parse(text), Optional.empty());
    }
}
