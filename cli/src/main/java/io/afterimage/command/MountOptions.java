package io.afterimage.command;

import io.afterimage.fuse.MountSettings;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** How points are shown as files: the same for {@code mount} and {@code serve --mount}. */
final class MountOptions {

    @Option(names = "--allow-other", description = "Let other users see the mounted files, too; root is another user.")
    private boolean allowOther;

    MountSettings at(Path folder) {
        return MountSettings.at(folder).withAllowOther(allowOther);
    }
}
