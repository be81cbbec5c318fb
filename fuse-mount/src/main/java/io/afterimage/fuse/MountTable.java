package io.afterimage.fuse;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** What is mounted where, as this process sees it (proc(5), {@code /proc/pid/mountinfo}). */
final class MountTable {

    private static final Path TABLE = Path.of("/proc/self/mountinfo");
    private static final Pattern ESCAPE = Pattern.compile("\\\\([0-7]{3})");

    /**
     * One mount.
     *
     * @param device the file system's number, {@code major:minor}
     * @param folder where it is
     * @param type of the file system, such as {@code fuse.afterimage}
     */
    record Mount(String device, String folder, String type) {

        /** Fields are separated by spaces; some that not every mount has end with a hyphen. */
        private static Mount parse(String line) {
            List<String> fields = List.of(line.split(" "));
            return new Mount(fields.get(2), unescape(fields.get(4)), fields.get(fields.indexOf("-") + 1));
        }

        private static String unescape(String field) {
            return ESCAPE.matcher(field).replaceAll(escape -> Character.toString(Integer.parseInt(escape.group(1), 8)).replace("\\", "\\\\"));
        }
    }

    private MountTable() {}

    /** What is mounted at that folder; of several, the one that is seen. */
    static Optional<Mount> at(Path folder) throws IOException {
        // A folder's name is bytes; one that is no UTF-8 must not make the table unreadable.
        String table = new String(Files.readAllBytes(TABLE), StandardCharsets.UTF_8);
        return table.lines().map(Mount::parse).filter(mount -> mount.folder().equals(folder.toString())).reduce((_, later) -> later);
    }
}
