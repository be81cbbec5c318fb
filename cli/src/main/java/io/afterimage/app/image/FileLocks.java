package io.afterimage.app.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Whether QEMU has an image open for writing. QEMU says so by a lock on byte 101 of the file (its {@code RAW_LOCK_PERM_BASE} plus the
 * number of the write permission), which the kernel lists.
 */
public final class FileLocks {

    private static final Path LOCKS = Path.of("/proc/locks");
    private static final long WRITE_PERMISSION = 101;

    private FileLocks() {}

    /** Whether a QEMU of this host, or a tool of it, may write to the image now; no where the kernel does not tell. */
    public static boolean isOpenForWriting(Path file) throws IOException {
        if (!Files.isReadable(LOCKS)) {
            return false;
        }
        String inode = ":" + Files.getAttribute(file, "unix:ino");
        for (String line : Files.readAllLines(LOCKS)) {
            // 1: OFDLCK ADVISORY  READ  -1 fe:00:123456 101 101
            String[] fields = line.strip().split("\\s+", -1);
            if (fields.length >= 8
                    && fields[1].equals("OFDLCK")
                    && fields[5].endsWith(inode)
                    && Long.parseLong(fields[6]) <= WRITE_PERMISSION
                    && (fields[7].equals("EOF") || Long.parseLong(fields[7]) >= WRITE_PERMISSION)) {
                return true;
            }
        }
        return false;
    }
}
