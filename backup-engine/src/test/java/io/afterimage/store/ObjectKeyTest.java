package io.afterimage.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ObjectKeyTest {

    @ParameterizedTest
    @ValueSource(strings = {"a", "repository.json", "packs/3f/3fa9", "points/web-01/2026_1.json", "a/.hidden", "...", "a..b/-"})
    void keys(String value) {
        assertEquals(value, new ObjectKey(value).toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "a b", "a\\b", "a\nb", "ä", "a~", "a%2fb", "a\0", "a\n"})
    void notKeys(String value) {
        assertFalse(ObjectKey.isValid(value));
        assertThrows(IllegalArgumentException.class, () -> new ObjectKey(value));
    }

    @Test
    void keysHaveBounds() {
        assertTrue(ObjectKey.isValid("a".repeat(255)));
        assertFalse(ObjectKey.isValid("a".repeat(256)));
        assertTrue(ObjectKey.isValid("ab/".repeat(170) + "c"));
        assertFalse(ObjectKey.isValid("ab/".repeat(171) + "c"));
    }

    @Test
    void segmentsCannotSmuggleSlashes() {
        assertEquals("points/m/p", ObjectKey.of("points", "m", "p").value());
        assertEquals("p", ObjectKey.of("points", "m", "p").name());
        assertThrows(IllegalArgumentException.class, () -> ObjectKey.of("points", "m/n"));
        assertThrows(IllegalArgumentException.class, () -> ObjectKey.of("points", ".."));
        assertThrows(IllegalArgumentException.class, () -> ObjectKey.of());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a", "a/", "a/b", "a/b/", "a/b."})
    void prefixes(String value) {
        assertTrue(new KeyPrefix(value).includes(new ObjectKey(value + "x")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "a//", "../", "a/../", "./", "a b", "~"})
    void notPrefixes(String value) {
        assertThrows(IllegalArgumentException.class, () -> new KeyPrefix(value));
    }

    @Test
    void aFolderEndsAtItsSlash() {
        assertTrue(KeyPrefix.folder("points", "m").includes(ObjectKey.of("points", "m", "p")));
        assertFalse(KeyPrefix.folder("points", "m").includes(ObjectKey.of("points", "m2", "p")));
    }
}
