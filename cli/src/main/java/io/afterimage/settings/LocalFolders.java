package io.afterimage.settings;

import java.nio.file.Path;
import java.util.Map;

/**
 * Where this host keeps what can be lost: indexes and scratch. Everything below it may be deleted while nothing runs.
 *
 * @param cache {@code $AFTERIMAGE_CACHE}, else {@code $XDG_CACHE_HOME/afterimage}, else {@code ~/.cache/afterimage}
 */
public record LocalFolders(Path cache) {

    /** Where everybody may go, into folders that are theirs: a service's user cannot enter what is below most homes. */
    private static final Path SHARED_SCRATCH = Path.of("/var/lib/afterimage/scratch");

    public static LocalFolders of(Map<String, String> environment) {
        String own = environment.getOrDefault("AFTERIMAGE_CACHE", "");
        if (!own.isEmpty()) {
            return new LocalFolders(Path.of(own));
        }
        String xdg = environment.getOrDefault("XDG_CACHE_HOME", "");
        Path base = xdg.isEmpty() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(xdg);
        return new LocalFolders(base.resolve("afterimage"));
    }

    /** The dedupe index of a repository. */
    public Path index(String repositoryId) {
        return cache.resolve(repositoryId).resolve("index");
    }

    /** How far a verification of a repository has come that was interrupted. */
    public Path verified(String repositoryId) {
        return cache.resolve(repositoryId).resolve("verified");
    }

    /** What guests overwrite while they are backed up. */
    public Path scratch() {
        return cache.resolve("scratch");
    }

    /** The same where it is not we who write it, but another user's QEMU. */
    public Path sharedScratch() {
        return SHARED_SCRATCH;
    }
}
