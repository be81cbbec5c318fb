package io.afterimage.nbd.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class NbdUriTest {

    @ParameterizedTest
    @ValueSource(strings = {
        "nbd://localhost:10809/",
        "nbd://127.0.0.1:1/vm/disk@latest",
        "nbds://[::1]:10809/a%20b",
        "nbd+unix:///?socket=/run/s",
        "nbd+unix:///vm/disk@2026-11-21T10:00:00Z?socket=/run/a%26b",
        "nbds+unix:///e?socket=/run/s&tls-certificates=/etc/pki&tls-hostname=h"
    })
    void readsWhatItWrites(String text) {
        assertEquals(text, NbdUri.parse(text).toString());
    }

    @Test
    void takesUrisApart() {
        NbdUri uri = NbdUri.parse("nbds+unix:///a%2Fb+c?socket=/s+t&tls-certificates=/d&unknown=1");
        assertEquals(new NbdUri(true, new NbdUri.Unix(Path.of("/s+t")), "a/b+c", Optional.of(Path.of("/d")), Optional.empty()), uri);
        assertEquals(new NbdUri.Tcp("h", 10809), NbdUri.parse("nbd://h").place());
        assertEquals("", NbdUri.parse("nbd://h").export());
        assertEquals("/x", NbdUri.parse("nbd://h//x").export());
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "x", "http://h/", "nbd:", "nbd:///x", "nbd+unix:///x", "nbd+unix://host/x?socket=/s", "nbd+unix:///x?socket=", "nbd://h/?a",
        "nbd://h:99999/", "nbd://h/ x", "nbds://h/?tls-psk-file=/k"
    })
    void refusesTheRestInOneSentence(String text) {
        String message = assertThrows(IllegalArgumentException.class, () -> NbdUri.parse(text)).getMessage();
        assertTrue(message.startsWith("not a"), message);
    }
}
