package io.afterimage.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Which folders a host keeps its own things in. */
class LocalFoldersTest {

    @Test
    void theMoreParticularWordCounts() {
        Path home = Path.of(System.getProperty("user.home"));
        assertEquals(home.resolve(".cache/afterimage"), LocalFolders.of(Map.of()).cache());
        assertEquals(home.resolve(".local/state/afterimage"), LocalFolders.of(Map.of("HOME", "")).state());
        assertEquals(Path.of("/home/a/.cache/afterimage"), LocalFolders.of(Map.of("HOME", "/home/a")).cache());
        assertEquals(Path.of("/c/afterimage"), LocalFolders.of(Map.of("HOME", "/home/a", "XDG_CACHE_HOME", "/c")).cache());
        assertEquals(Path.of("/own"), LocalFolders.of(Map.of("XDG_CACHE_HOME", "/c", "AFTERIMAGE_CACHE", "/own")).cache());
        assertEquals(Path.of("/home/a/.local/state/afterimage"), LocalFolders.of(Map.of("HOME", "/home/a", "AFTERIMAGE_CACHE", "/own")).state());
    }
}
