package io.afterimage.command;

import io.afterimage.app.TargetException;
import io.afterimage.fuse.MountSettings;
import io.afterimage.fuse.RepositoryMount;
import io.afterimage.image.ImageLibrary;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** How points are shown as files: the same for {@code mount} and {@code serve --mount}. */
final class MountOptions {

    @Option(names = "--allow-other", description = "Let other users see the mounted files, too; root is another user.")
    private boolean allowOther;

    RepositoryMount start(Path folder, Repository opened, ImageLibrary images) throws TargetException {
        try {
            return RepositoryMount.start(MountSettings.at(folder).withAllowOther(allowOther), opened, images);
        } catch (IOException e) {
            throw new TargetException(e.getMessage(), e);
        }
    }
}
