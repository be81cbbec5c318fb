package io.afterimage.command;

import io.afterimage.app.KeyException;
import io.afterimage.keys.Secret;
import java.io.Console;
import java.io.IOException;
import java.util.Arrays;
import java.util.Optional;

/** Asks for passphrases, where somebody sits at a terminal. */
final class PassphrasePrompt {

    private PassphrasePrompt() {}

    /** The passphrase of a repository; empty when there is nobody to ask. */
    static Optional<Secret> ask() {
        return terminal().flatMap(console -> read(console, "Passphrase of the repository: "))
                .map(String::new)
                .filter(typed -> !typed.isEmpty())
                .map(Secret::passphrase);
    }

    /** A passphrase that is to be set, typed twice. */
    static Secret askForNew() throws IOException {
        Console console = terminal().orElseThrow(() -> new KeyException("There is no terminal to ask for a passphrase: name a file with one, or a key file."));
        char[] first = read(console, "New passphrase: ").orElse(new char[0]);
        char[] second = read(console, "The same again: ").orElse(new char[0]);
        if (!Arrays.equals(first, second)) {
            throw new KeyException("The two passphrases are not the same: nothing has been changed, try it again.");
        }
        if (first.length == 0) {
            throw new KeyException("The passphrase is empty: choose one of several words.");
        }
        return Secret.passphrase(new String(first));
    }

    private static Optional<Console> terminal() {
        return Optional.ofNullable(System.console()).filter(Console::isTerminal);
    }

    private static Optional<char[]> read(Console console, String prompt) {
        return Optional.ofNullable(console.readPassword("%s", prompt));
    }
}
