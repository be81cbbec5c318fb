package io.afterimage.app.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Where the selector ends and the path begins. */
class GuestLocationTest {

    @ParameterizedTest
    @CsvSource({
        "web:p1/etc, web@latest, p1/etc",
        "web/vda:p1/a:b, web/vda@latest, p1/a:b",
        "web@2026-03-01T04:00:00Z:p1/etc/a:b, web@2026-03-01T04:00:00Z, p1/etc/a:b",
        "web@2026-03-01T04:00:vg/root, web@2026-03-01T04:00:00Z, vg/root",
        "web@0af3:p1, web@0af3, p1"
    })
    void theSelectorIsAsLongAsItCanBe(String text, String selector, String place) throws Exception {
        GuestLocation location = GuestLocation.parse(text);
        assertEquals(selector, location.selector().toString());
        assertEquals(Optional.of(place), location.place());
    }

    @Test
    void withoutAColonItIsASelector() throws Exception {
        assertEquals(Optional.empty(), GuestLocation.parse("web@latest").place());
        assertEquals(Optional.empty(), GuestLocation.parse("web@2026-03-01T04:00:00Z").place());
    }
}
