package io.afterimage.capture.libvirt;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What the documents of a domain are called, and where some of them come from. */
final class LibvirtDefinitionTest {

    @Test
    void statesOfTpmsAreWhereEitherDaemonHasThem() {
        Path system = Path.of("/var/lib/libvirt/swtpm");
        assertEquals(List.of(system, Path.of("/home/anna/.config/libvirt/qemu/swtpm")), LibvirtDefinition.tpmStates(Map.of("HOME", "/home/anna")));
        assertEquals(List.of(system, Path.of("/etc/anna/libvirt/qemu/swtpm")),
                LibvirtDefinition.tpmStates(Map.of("HOME", "/home/anna", "XDG_CONFIG_HOME", "/etc/anna")));
    }

    @Test
    void aNameBecomesAPartOfAFilesName() {
        assertEquals("lan-1.default", LibvirtDefinition.word("lan-1.default"));
        assertEquals("lab_20net", LibvirtDefinition.word("lab net"));
        assertEquals("B_c3bcro_2f.", LibvirtDefinition.word("B\u00fcro/."));
    }
}
