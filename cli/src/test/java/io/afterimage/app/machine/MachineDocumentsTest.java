package io.afterimage.app.machine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.app.TargetException;
import io.afterimage.capture.Definition;
import io.afterimage.capture.libvirt.RestoredDomain;
import io.afterimage.catalog.CatalogException;
import io.afterimage.manifest.DiskName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class MachineDocumentsTest {

    private static final String DOMAIN =
            "<domain><devices><disk type='block'><source dev='/dev/x'/><target dev='vda'/></disk></devices></domain>";

    private static final RestoredDomain.Source RESTORED = new RestoredDomain.Source(Path.of("/srv/vda.raw"), false, "raw");

    @TempDir
    Path folder;

    @Test
    void eachIsWrittenAsWhatItIs() throws IOException {
        Definition definition = new Definition();
        byte[] variables = {1, 2, 3};
        definition.putFile("libvirt/nvram.fd", Files.write(folder.resolve("vars"), variables));
        definition.put("libvirt/domain.xml", DOMAIN);
        definition.put("libvirt/domain-inactive.xml", DOMAIN);
        Path out = folder.resolve("out");
        MachineDocuments documents = new MachineDocuments(definition.documents());
        assertEquals(3, documents.write(out, Map.of(new DiskName("vda"), RESTORED), false));
        assertArrayEquals(variables, Files.readAllBytes(out.resolve("libvirt/nvram.fd")));
        assertEquals(DOMAIN, Files.readString(out.resolve("libvirt/domain.xml")));
        String restored = Files.readString(out.resolve("libvirt/domain-inactive.xml"));
        assertTrue(restored.contains("<source file=\"/srv/vda.raw\"/>") && !restored.contains("/dev/x"), restored);
        assertThrows(TargetException.class, () -> documents.write(out, Map.of(), false));
        assertEquals(3, documents.write(out, Map.of(), true));
        assertEquals(DOMAIN, Files.readString(out.resolve("libvirt/domain-inactive.xml")));
    }

    /** As it is where the machine was first backed up over QMP. */
    @Test
    void aDiskIsFoundInTheDefinitionByItsDevice() throws IOException {
        String running = DOMAIN.replace("<target", "<alias name='virtio-disk0'/><target bus='virtio'");
        MachineDocuments documents = new MachineDocuments(new TreeMap<>(Map.of(
                "libvirt/domain.xml", running,
                "libvirt/domain-inactive.xml", DOMAIN,
                "afterimage/disks.json", "{\"disks\":{\"root\":{\"device\":\"/machine/peripheral/virtio-disk0/virtio-backend\",\"node\":\"\",\"format\":\"raw\"}}}")));
        documents.write(folder, Map.of(new DiskName("root"), RESTORED), false);
        String restored = Files.readString(folder.resolve("libvirt/domain-inactive.xml"));
        assertTrue(restored.contains("/srv/vda.raw") && !restored.contains("/dev/x"), restored);
    }

    @ParameterizedTest
    @ValueSource(strings = {"../x", "/etc/x", "a/../../x", "a//b", ".hidden/x", "a/.b", "a\nb", "", "a/b/c/d/e/f/g"})
    void noDocumentIsWrittenElsewhere(String name) {
        Path out = folder.resolve("out");
        MachineDocuments documents = new MachineDocuments(new TreeMap<>(Map.of(name, "x")));
        String sentence = assertThrows(TargetException.class, () -> documents.write(out, Map.of(), true)).getMessage();
        assertTrue(sentence.contains("cannot be a file's") && sentence.lines().count() == 1, sentence);
        assertFalse(Files.exists(out));
    }

    @Test
    void whatIsNotThereIsToldWithWhatIs() {
        MachineDocuments documents = new MachineDocuments(new TreeMap<>(Map.of("query-pci", "[]")));
        String sentence = assertThrows(CatalogException.class, () -> documents.text("query-pic")).getMessage();
        assertTrue(sentence.contains("'query-pic'") && sentence.contains("it has query-pci"), sentence);
    }
}
