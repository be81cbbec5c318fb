package io.afterimage.repository;

import io.afterimage.keys.Secret;
import java.io.IOException;
import java.util.Optional;

/** Where the secret comes from that opens an encrypted repository. */
public interface KeySource {

    /** Nobody has one, and nobody can be asked. */
    KeySource NONE = () -> Optional.empty();

    /** The secret that the user has named. A repository that is not encrypted is not opened with one. */
    Optional<Secret> given() throws IOException;

    /** Asks for a passphrase. Called when a repository is encrypted and none was given; empty when there is nobody to ask. */
    default Optional<Secret> ask() throws IOException {
        return Optional.empty();
    }

    static KeySource of(Secret secret) {
        return () -> Optional.of(secret);
    }
}
