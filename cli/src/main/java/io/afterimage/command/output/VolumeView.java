package io.afterimage.command.output;

import io.afterimage.guestfs.Volume;
import io.afterimage.settings.ByteSize;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A volume in the disks of a point, as {@code --json} shows it. Fields may be added, never renamed or removed.
 *
 * @param name what {@code files} takes behind the colon
 * @param kind {@code disk}, {@code partition}, {@code logical-volume} or {@code raid}
 * @param type what is on it, such as {@code ext4} or {@code LVM2_member}; null if that is not known
 * @param files whether it has files that can be read
 */
public record VolumeView(String name, String kind, String type, boolean files, String label, String uuid, long size) {

    public static VolumeView of(Volume volume) {
        return new VolumeView(
                volume.name(),
                volume.kind().name().toLowerCase(Locale.ROOT).replace('_', '-'),
                volume.content().orElse(null),
                volume.mountable(),
                volume.label().orElse(null),
                volume.uuid().orElse(null),
                volume.size());
    }

    /** One line a volume. */
    public static String table(List<VolumeView> views) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("VOLUME", "KIND", "TYPE", "SIZE", "LABEL", "UUID"));
        for (VolumeView view : views) {
            rows.add(List.of(view.name, view.kind, orDash(view.type), ByteSize.format(view.size), orDash(view.label), orDash(view.uuid)));
        }
        return TextTable.of(rows);
    }

    private static String orDash(String text) {
        return text == null ? "-" : text;
    }
}
