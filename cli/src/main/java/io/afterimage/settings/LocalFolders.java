package io.afterimage.settings;

import java.nio.file.Path;
import java.util.Map;

/**
 * Where this host keeps what is its own: in one place what can be lost, indexes, what was fetched, and scratch, all of which may be deleted while nothing runs; in
 * another what cannot.
 *
 * @param cache {@code $AFTERIMAGE_CACHE}, else {@code $XDG_CACHE_HOME/afterimage}, else {@code ~/.cache/afterimage}
 * @param state {@code $AFTERIMAGE_STATE}, else {@code $XDG_STATE_HOME/afterimage}, else {@code ~/.local/state/afterimage}
 */
public record LocalFolders(Path cache, Path state) {

    /** Where everybody may go, into folders that are theirs: a service's user cannot enter what is below most homes. */
    private static final Path SHARED_SCRATCH = Path.of("/var/lib/afterimage/scratch");

    public static LocalFolders of(Map<String, String> environment) {
        return new LocalFolders(
                folder(environment, "AFTERIMAGE_CACHE", "XDG_CACHE_HOME", ".cache"),
                folder(environment, "AFTERIMAGE_STATE", "XDG_STATE_HOME", ".local/state"));
    }

    private static Path folder(Map<String, String> environment, String ours, String everybodys, String inHome) {
        String own = environment.getOrDefault(ours, "");
        if (!own.isEmpty()) {
            return Path.of(own);
        }
        String xdg = environment.getOrDefault(everybodys, "");
        String home = environment.getOrDefault("HOME", "");
        Path base = xdg.isEmpty() ? Path.of(home.isEmpty() ? System.getProperty("user.home") : home, inHome) : Path.of(xdg);
        return base.resolve("afterimage");
    }

    /** What was written over points of a repository. */
    public Path overlays(String repositoryId) {
        return state.resolve(repositoryId).resolve("overlays");
    }

    /** The dedupe index of a repository. */
    public Path index(String repositoryId) {
        return cache.resolve(repositoryId).resolve("index");
    }

    /** How far a verification of a repository has come that was interrupted. */
    public Path verified(String repositoryId) {
        return cache.resolve(repositoryId).resolve("verified");
    }

    /** What was fetched from stores, of all repositories. */
    public Path frames() {
        return cache.resolve("frames");
    }

    /** Which image files were seen to be which disks of a repository's points. */
    public Path seen(String repositoryId) {
        return cache.resolve(repositoryId).resolve("seen");
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
