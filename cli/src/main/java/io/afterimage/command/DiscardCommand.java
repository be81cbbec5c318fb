package io.afterimage.command;

import io.afterimage.image.ImageLibrary;
import io.afterimage.image.OverlayName;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code afterimage discard}. */
@Command(
        name = "discard",
        description = "Remove an overlay with all that was written to it. Nobody may be using it. The point that it stands on stays as it is.",
        mixinStandardHelpOptions = true,
        footer = {"", "Example:", "  afterimage discard trial"})
final class DiscardCommand implements Callable<Integer> {

    @Mixin
    private RepositoryOption repository;

    @Mixin
    private OverlaysOption folder;

    @Parameters(paramLabel = "NAME", converter = Argument.Overlay.class, description = "The overlay's name.")
    private OverlayName name;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        try (Repository opened = repository.open();
                ImageLibrary images = repository.assembly().images(opened)) {
            folder.library(repository.assembly(), opened, images).discard(name);
            spec.commandLine().getOut().println("The overlay " + name + " is gone.");
        }
        return ExitCode.OK.number();
    }
}
