package io.afterimage.store;

import java.util.List;

/**
 * A piece of a listing.
 *
 * @param objects in the order of their keys, at most {@link ObjectStore#PAGE}; empty only if this is the last page
 * @param last    whether nothing follows
 */
public record ListPage(List<ObjectInfo> objects, boolean last) {

    public ListPage {
        objects = List.copyOf(objects);
        if (objects.isEmpty() && !last) {
            throw new IllegalArgumentException("an empty page that is not the last");
        }
    }
}
