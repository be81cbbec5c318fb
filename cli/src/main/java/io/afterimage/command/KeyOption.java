package io.afterimage.command;

import io.afterimage.app.KeyException;
import io.afterimage.app.SecretFiles;
import io.afterimage.keys.Secret;
import io.afterimage.repository.KeySource;
import io.afterimage.settings.SecretFile;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Optional;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** What opens an encrypted repository: named on the command line, else in the environment, else asked for on a terminal. */
final class KeyOption implements KeySource {

    @ArgGroup
    private Named named;

    /** One of the two. */
    private static final class Named {

        @Option(
                names = "--key-file",
                paramLabel = "FILE",
                description = "The key file of an encrypted repository. Default: AFTERIMAGE_KEY_FILE in the environment.")
        private Path keyFile;

        @Option(
                names = "--passphrase-file",
                paramLabel = "FILE",
                description = "A file whose first line is the passphrase of an encrypted repository. Default: AFTERIMAGE_PASSPHRASE_FILE"
                        + " in the environment; else it is asked for on a terminal.")
        private Path passphraseFile;
    }

    /** The file that was named. */
    Optional<SecretFile> named() throws IOException {
        if (named != null) {
            return Optional.of(SecretFile.of(named.keyFile, named.passphraseFile));
        }
        try {
            return SecretFile.of(System.getenv());
        } catch (IllegalArgumentException e) {
            throw new KeyException(e.getMessage(), e);
        }
    }

    /** The secret of a repository that is to be made; a key file that is not there is made. */
    Secret create(CommandSpec spec, SecureRandom random) throws IOException {
        Optional<SecretFile> file = named();
        return file.isPresent() ? create(file.get(), spec, random) : PassphrasePrompt.askForNew();
    }

    /** The secret in a file; a key file that is not there is made. */
    static Secret create(SecretFile file, CommandSpec spec, SecureRandom random) throws IOException {
        if (file instanceof SecretFile.Key key && SecretFiles.makeKeyFile(key.path(), random)) {
            spec.commandLine().getErr().println(
                    "Made the key file " + key.path() + ": keep a copy of it elsewhere, since what only it opens is lost with it.");
        }
        return SecretFiles.read(file);
    }

    @Override
    public Optional<Secret> given() throws IOException {
        Optional<SecretFile> file = named();
        return file.isPresent() ? Optional.of(SecretFiles.read(file.get())) : Optional.empty();
    }

    @Override
    public Optional<Secret> ask() {
        return PassphrasePrompt.ask();
    }
}
