package io.afterimage.command.output;

import io.afterimage.files.FilePath;
import io.afterimage.files.FileStatus;
import io.afterimage.posix.EscapedText;
import io.afterimage.posix.FileKind;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;

/**
 * A file of a guest, as {@code --json} shows it. Fields may be added, never renamed or removed.
 *
 * @param path in its volume; U+FFFD stands for what is not UTF-8
 * @param pathBytes the path in base64 if it is not UTF-8, else null
 * @param kind file, folder, link, pipe, socket, character-device or block-device
 * @param mode the permissions, octal
 * @param allocated bytes that its file system keeps for it
 * @param target what a symbolic link leads to, else null
 */
public record FileView(
        String path,
        String pathBytes,
        String kind,
        String mode,
        int user,
        int group,
        long links,
        long size,
        long allocated,
        Instant modified,
        Instant changed,
        String target) {

    public static FileView of(FilePath path, FileStatus status) {
        return new FileView(
                path.text(),
                path.isText() ? null : Base64.getEncoder().encodeToString(path.bytes()),
                status.kind().name().toLowerCase(Locale.ROOT).replace('_', '-'),
                String.format("%04o", status.attributes().mode()),
                status.attributes().user(),
                status.attributes().group(),
                status.links(),
                status.size(),
                status.allocated(),
                status.attributes().modified(),
                status.changed(),
                status.target().map(target -> new String(EscapedText.parse(target), StandardCharsets.UTF_8)).orElse(null));
    }

    FilePath place() {
        byte[] bytes = pathBytes == null ? path.getBytes(StandardCharsets.UTF_8) : Base64.getDecoder().decode(pathBytes);
        return FilePath.parse(EscapedText.of(bytes));
    }

    /** One line a file, like {@code ls -l}; names are safe for a terminal. */
    public static String table(List<FileView> views) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("MODE", "USER", "GROUP", "SIZE", "MODIFIED", "NAME"));
        for (FileView view : views) {
            FilePath place = view.place();
            String name = place.isRoot() ? "/" : place.name().toString();
            String arrow = view.target == null ? "" : " -> " + EscapedText.of(view.target.getBytes(StandardCharsets.UTF_8));
            rows.add(List.of(
                    permissions(view),
                    String.valueOf(view.user),
                    String.valueOf(view.group),
                    String.valueOf(view.size),
                    view.modified.truncatedTo(ChronoUnit.SECONDS).toString(),
                    name + arrow));
        }
        return TextTable.of(rows);
    }

    private static String permissions(FileView view) {
        int mode = Integer.parseInt(view.mode, 8);
        StringBuilder text = new StringBuilder();
        text.append(FileKind.valueOf(view.kind.toUpperCase(Locale.ROOT).replace('-', '_')).letter());
        for (int bit = 8; bit >= 0; bit--) {
            text.append((mode & 1 << bit) == 0 ? '-' : "xwr".charAt(bit % 3));
        }
        special(text, mode, 04000, 3, 's');
        special(text, mode, 02000, 6, 's');
        special(text, mode, 01000, 9, 't');
        return text.toString();
    }

    private static void special(StringBuilder text, int mode, int bit, int at, char letter) {
        if ((mode & bit) != 0) {
            text.setCharAt(at, text.charAt(at) == 'x' ? letter : Character.toUpperCase(letter));
        }
    }
}
