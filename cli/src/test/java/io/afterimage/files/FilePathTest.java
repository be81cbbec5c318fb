package io.afterimage.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Paths as they are typed and shown. */
class FilePathTest {

    @ParameterizedTest
    @ValueSource(strings = {"/", "/etc", "/etc/a b", "/new\\nline", "/latin-\\xe9/x", "/back\\\\slash", "/ümläut/漢字"})
    void whatIsShownCanBeTyped(String text) {
        assertEquals(text, FilePath.parse(text).toString());
    }

    @Test
    void slashesAddNothing() {
        assertEquals(FilePath.parse("/a/b"), FilePath.parse("a//b/./"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/a/../b", "..", "/a\\q", "/a\\x00b", "/a\\x2fb"})
    void whatIsNoPathIsRefused(String text) {
        assertThrows(IllegalArgumentException.class, () -> FilePath.parse(text));
    }
}
