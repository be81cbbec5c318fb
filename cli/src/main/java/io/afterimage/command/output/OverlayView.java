package io.afterimage.command.output;

import io.afterimage.image.Overlay;
import io.afterimage.settings.ByteSize;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/**
 * An overlay as {@code --json} shows it. Fields may be added, never renamed or removed.
 *
 * @param base the selector of the disk that it stands on
 * @param size of the disk
 * @param used bytes on this host
 * @param limit most of them; null when there is no limit
 */
public record OverlayView(String name, String base, long size, long used, Long limit, Instant created) {

    public static OverlayView of(Overlay overlay, long used) {
        return new OverlayView(
                overlay.name().text(),
                overlay.selector(),
                overlay.size(),
                used,
                overlay.limit().isPresent() ? overlay.limit().getAsLong() : null,
                overlay.created());
    }

    /** One line an overlay. */
    public static String table(List<OverlayView> views) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("NAME", "BASE", "SIZE", "USED", "LIMIT", "CREATED"));
        for (OverlayView view : views) {
            rows.add(List.of(
                    view.name,
                    view.base,
                    ByteSize.format(view.size),
                    ByteSize.format(view.used),
                    view.limit == null ? "-" : ByteSize.format(view.limit),
                    view.created.truncatedTo(ChronoUnit.SECONDS).toString()));
        }
        return TextTable.of(rows);
    }
}
