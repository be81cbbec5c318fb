package io.afterimage.command;

import io.afterimage.assembly.Assembly;
import io.afterimage.repository.Repository;
import io.afterimage.settings.RepositoryLocation;
import java.io.IOException;
import picocli.CommandLine.Option;

/** Where the repository is: the same for every command. */
final class RepositoryOption {

    private final Assembly assembly = new Assembly(System.getenv());

    @Option(
            names = "--repo",
            paramLabel = "DIR",
            required = true,
            defaultValue = "${env:AFTERIMAGE_REPO}",
            description = "The repository's folder. Default: AFTERIMAGE_REPO in the environment.")
    private String place;

    Assembly assembly() {
        return assembly;
    }

    RepositoryLocation location() {
        return RepositoryLocation.parse(place);
    }

    Repository open() throws IOException {
        return assembly.open(location());
    }
}
