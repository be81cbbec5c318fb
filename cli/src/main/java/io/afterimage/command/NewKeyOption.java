package io.afterimage.command;

import io.afterimage.keys.Secret;
import io.afterimage.settings.SecretFile;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** What is to open a key slot from now on. */
final class NewKeyOption {

    @ArgGroup
    private Named named;

    /** One of the two. */
    private static final class Named {

        @Option(names = "--new-key-file", paramLabel = "FILE", description = "The key file for the slot; made if it is not there.")
        private Path keyFile;

        @Option(
                names = "--new-passphrase-file",
                paramLabel = "FILE",
                description = "A file whose first line is the passphrase for the slot. With neither, it is asked for on a terminal.")
        private Path passphraseFile;
    }

    Secret create(CommandSpec spec, SecureRandom random) throws IOException {
        if (named == null) {
            return PassphrasePrompt.askForNew();
        }
        return KeyOption.create(SecretFile.of(named.keyFile, named.passphraseFile), spec, random);
    }
}
