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
            paramLabel = "DIR|s3://BUCKET/PREFIX",
            required = true,
            defaultValue = "${env:AFTERIMAGE_REPO}",
            converter = Argument.Repository.class,
            description = "The repository: a folder, or a prefix of an S3 bucket. Default: AFTERIMAGE_REPO in the environment.")
    private RepositoryLocation location;

    Assembly assembly() {
        return assembly;
    }

    RepositoryLocation location() {
        return location;
    }

    Repository open() throws IOException {
        return assembly.open(location());
    }
}
