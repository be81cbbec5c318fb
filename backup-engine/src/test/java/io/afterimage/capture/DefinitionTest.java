package io.afterimage.capture;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DefinitionTest {

    @TempDir
    Path folder;

    private final Definition definition = new Definition();

    @Test
    void bytesComeBackAsTheyWere() throws IOException {
        byte[] bytes = new byte[300_000];
        new Random(7).nextBytes(bytes);
        definition.putFile("nvram.fd", Files.write(folder.resolve("x"), bytes));
        assertArrayEquals(bytes, Definition.decode(definition.documents().get("nvram.fd.gz.base64")));
    }

    @Test
    void anEmptyFlashOfAnArmMachineIsSmall() throws IOException {
        definition.putFile("nvram.fd", Files.write(folder.resolve("x"), new byte[64 << 20]));
        assertTrue(definition.documents().get("nvram.fd.gz.base64").length() < 100_000);
    }

    @Test
    void whatIsTooLongOrNotThereIsLeftOut() throws IOException {
        definition.put("long", "x".repeat((2 << 20) + 1));
        definition.putFile("absent", folder.resolve("absent"));
        byte[] noise = new byte[2 << 20];
        new Random(8).nextBytes(noise);
        definition.putFile("noise", Files.write(folder.resolve("noise"), noise));
        definition.putFile("endless", Path.of("/dev/zero"));
        definition.put("short", "y");
        assertEquals(Set.of("short"), definition.documents().keySet());
    }

    @Test
    void whatIsNoBinaryDocumentIsRefused() {
        assertThrows(IOException.class, () -> Definition.decode("!"));
        assertThrows(IOException.class, () -> Definition.decode("AAAA"));
        assertThrows(IOException.class, () -> Definition.decode(""));
    }
}
