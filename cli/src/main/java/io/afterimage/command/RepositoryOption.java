package io.afterimage.command;

import io.afterimage.app.KeyException;
import io.afterimage.assembly.Assembly;
import io.afterimage.repository.KeySlots;
import io.afterimage.repository.Repository;
import io.afterimage.settings.RepositoryLocation;
import java.io.IOException;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Where the repository is, and what opens it: the same for every command. */
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

    @Mixin
    private KeyOption key;

    Assembly assembly() {
        return assembly;
    }

    RepositoryLocation location() {
        return location;
    }

    KeyOption key() {
        return key;
    }

    /** The key slots of the repository, which must be encrypted. */
    KeySlots slots(Repository opened) throws KeyException {
        return opened.keySlots()
                .orElseThrow(() -> new KeyException(
                        "The repository in " + location + " is not encrypted and has no keys: 'afterimage init --encrypt' makes one that is."));
    }

    Repository open() throws IOException {
        return assembly.open(location(), key);
    }
}
