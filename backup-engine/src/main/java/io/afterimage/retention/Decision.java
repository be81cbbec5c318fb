package io.afterimage.retention;

import io.afterimage.catalog.Point;
import java.util.List;

/**
 * What becomes of a point.
 *
 * @param reasons why it is kept, such as {@code daily 2026-11-20} or {@code protected}; none when it is dropped
 */
public record Decision(Point point, List<String> reasons) {

    public Decision {
        reasons = List.copyOf(reasons);
    }

    public boolean isKept() {
        return !reasons.isEmpty();
    }
}
