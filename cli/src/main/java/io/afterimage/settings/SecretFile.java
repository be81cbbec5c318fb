package io.afterimage.settings;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** The file that holds what opens an encrypted repository. Secrets come from files or a terminal, never from the command line, which {@code ps} shows. */
public sealed interface SecretFile {

    /** With a key that Afterimage made. */
    record Key(Path path) implements SecretFile {}

    /** With a passphrase in its first line. */
    record Passphrase(Path path) implements SecretFile {}

    Path path();

    /** The one of the two that is named, which the other is not; a path that is not named is null. */
    static SecretFile of(Path key, Path passphrase) {
        return key != null ? new Key(key) : new Passphrase(passphrase);
    }

    /** The one that {@code AFTERIMAGE_KEY_FILE} or {@code AFTERIMAGE_PASSPHRASE_FILE} names, if any does. */
    static Optional<SecretFile> of(Map<String, String> environment) {
        String key = environment.getOrDefault("AFTERIMAGE_KEY_FILE", "");
        String passphrase = environment.getOrDefault("AFTERIMAGE_PASSPHRASE_FILE", "");
        if (!key.isEmpty() && !passphrase.isEmpty()) {
            throw new IllegalArgumentException("Both AFTERIMAGE_KEY_FILE and AFTERIMAGE_PASSPHRASE_FILE are set: leave one of them.");
        }
        if (!key.isEmpty()) {
            return Optional.of(new Key(Path.of(key)));
        }
        return passphrase.isEmpty() ? Optional.empty() : Optional.of(new Passphrase(Path.of(passphrase)));
    }
}
