package io.afterimage.command;

import io.afterimage.app.KeyException;
import io.afterimage.app.SecretFiles;
import io.afterimage.assembly.Assembly;
import io.afterimage.keys.Secret;
import io.afterimage.repository.KeySource;
import io.afterimage.repository.Repository;
import io.afterimage.settings.RepositoryLocation;
import io.afterimage.settings.SecretFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** A second repository, with a key of its own: nothing of it is taken from the environment, which speaks of the first. */
final class TargetRepositoryOption implements KeySource {

    @Option(
            names = "--to",
            paramLabel = "DIR|s3://BUCKET/PREFIX",
            required = true,
            converter = Argument.Repository.class,
            description = "The other repository, made with 'afterimage init' before.")
    private RepositoryLocation location;

    @ArgGroup
    private Named named;

    /** One of the two. */
    private static final class Named {

        @Option(names = "--to-key-file", paramLabel = "FILE", description = "The key file of the other repository, if it is encrypted.")
        private Path keyFile;

        @Option(
                names = "--to-passphrase-file",
                paramLabel = "FILE",
                description = "A file whose first line is the passphrase of the other repository; else it is asked for on a terminal.")
        private Path passphraseFile;
    }

    Repository open(Assembly assembly) throws IOException {
        return assembly.open(location, this);
    }

    @Override
    public Optional<Secret> given() throws IOException {
        return named == null
                ? Optional.empty()
                : Optional.of(SecretFiles.read(SecretFile.of(named.keyFile, named.passphraseFile)));
    }

    @Override
    public Optional<Secret> ask() throws KeyException {
        return PassphrasePrompt.ask();
    }
}
