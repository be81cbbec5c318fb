package io.afterimage.fuse;

import java.nio.file.Path;
import java.time.Duration;

/**
 * How points are shown.
 *
 * @param folder empty; where they are shown
 * @param allowOther whether other users than the one who mounts, root among them, may see them
 * @param refresh how old a listing of points may be that is shown
 */
public record MountSettings(Path folder, boolean allowOther, Duration refresh) {

    /** For whoever mounts alone, and new points are seen within two seconds. */
    public static MountSettings at(Path folder) {
        return new MountSettings(folder, false, Duration.ofSeconds(2));
    }

    public MountSettings withAllowOther(boolean allow) {
        return new MountSettings(folder, allow, refresh);
    }
}
