package io.afterimage.command;

import io.afterimage.assembly.Assembly;
import io.afterimage.image.ImageLibrary;
import io.afterimage.image.OverlayLibrary;
import io.afterimage.repository.Repository;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Where overlays lie: the same for every command that uses them. */
final class OverlaysOption {

    @Option(
            names = "--overlays",
            paramLabel = "DIR",
            description = "Where the overlays of this repository lie. Default: a folder of its own below AFTERIMAGE_STATE, else below ~/.local/state/afterimage.")
    private Path folder;

    OverlayLibrary library(Assembly assembly, Repository opened, ImageLibrary images) {
        return assembly.overlays(folder != null ? folder : assembly.folders().overlays(opened.id()), opened, images);
    }
}
