package io.afterimage.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.nbd.protocol.NbdUri;
import io.afterimage.settings.ImageSource.Export;
import io.afterimage.settings.ImageSource.Format;
import io.afterimage.settings.ImageSource.LocalFile;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageSourceTest {

    private static final String POINT = "01a1ff1644fed8d8c7441bff3dd0dbda";

    @Test
    void aFileItsFormatAndAnExport() {
        assertEquals(new LocalFile(Optional.empty(), Path.of("/srv/a=b.img")), ImageSource.parse("vda=/srv/a=b.img").place());
        assertEquals(new LocalFile(Optional.of(Format.QCOW2), Path.of("/srv/a")), ImageSource.parse("vda=qcow2:/srv/a").place());
        assertEquals(new Export(NbdUri.tcp("host", 10809, "x")), ImageSource.parse("vda=nbd://host/x").place());
        assertEquals(new Export(NbdUri.unix(Path.of("/s"), "x")), ImageSource.parse("vda=nbd+unix:///x?socket=/s").place());
    }

    @ParameterizedTest
    @ValueSource(strings = {"/srv/a", "=/srv/a", "vda=", "v/a=/srv/a", "vda=nbd+unix:///x", "vda=nbds://"})
    void whatIsNone(String text) {
        assertThrows(IllegalArgumentException.class, () -> ImageSource.parse(text));
    }

    @Test
    void aContextThatBearsItsPoint() {
        assertEquals(POINT, ChangedContext.of("x-afterimage:changed-since/" + POINT, Optional.empty()).since());
        assertEquals(POINT, ChangedContext.of("qemu:dirty-bitmap:afterimage-0a1b2c3d-" + POINT, Optional.empty()).since());
        assertEquals("latest", ChangedContext.of("qemu:dirty-bitmap:daily", Optional.of("latest")).since());
        String complaint = assertThrows(IllegalArgumentException.class, () -> ChangedContext.of("qemu:dirty-bitmap:daily", Optional.empty()))
                .getMessage();
        assertTrue(complaint.contains("--changed-since"), complaint);
    }
}
