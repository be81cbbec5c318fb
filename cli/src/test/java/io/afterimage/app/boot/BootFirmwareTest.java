package io.afterimage.app.boot;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.app.TargetException;
import io.afterimage.app.machine.CapturedMachine;
import io.afterimage.capture.Definition;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The machine that a point tells of, and what QEMU is told to make one like it. */
final class BootFirmwareTest {

    @TempDir
    Path folder;

    /** Any file below the one folder that firmware is taken from. */
    private static Path installed() throws IOException {
        try (Stream<Path> files = Files.walk(Path.of("/usr/share"), 2)) {
            return files.filter(Files::isRegularFile).findFirst().orElseThrow();
        }
    }

    private CapturedMachine byLibvirt(String loader) throws IOException {
        Definition definition = new Definition();
        definition.put("libvirt/domain.xml", """
                <domain><memory unit='MiB'>512</memory><vcpu>3</vcpu><os><type machine='pc-q35-7.2'>hvm</type>
                <loader readonly='yes' secure='yes' type='pflash'>%s</loader><nvram>/v</nvram></os></domain>""".formatted(loader));
        definition.put("libvirt/guest-info.json", "{\"os.pretty-name\":\"Debian GNU/Linux 12\",\"hostname\":\"web\"}");
        definition.putFile("libvirt/nvram.fd", Files.write(folder.resolve("vars"), new byte[] {4, 5}));
        return CapturedMachine.of(definition.documents());
    }

    @Test
    void aMachineOfLibvirtsGetsItsFirmwareAndItsVariables() throws IOException {
        Path code = installed();
        CapturedMachine machine = byLibvirt(code.toString());
        assertEquals(Optional.of(512L << 20), machine.memory());
        assertEquals(Optional.of(3), machine.processors());
        assertEquals(Optional.of("Debian GNU/Linux 12, web"), machine.guest());
        assertEquals("512 MiB, 3 CPUs, pc-q35-7.2, firmware " + code + " with its variables", machine.summary());
        Path nvram = folder.resolve("nvram.fd");
        assertEquals(
                List.of("-machine", "q35,smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on",
                        "-drive", "if=pflash,unit=0,readonly=on,format=raw,file=" + code,
                        "-drive", "if=pflash,unit=1,format=raw,file=" + nvram),
                new BootFirmware(machine).options(folder, List.of()));
        assertArrayEquals(new byte[] {4, 5}, Files.readAllBytes(nvram));
        assertEquals(List.of("-machine", "q35"), new BootFirmware(machine).options(folder, List.of("-bios", "mine.fd")));
    }

    @Test
    void aFirmwareFromAnywhereElseIsRefused() throws IOException {
        for (String path : List.of("/etc/passwd", "/usr/share/../../etc/passwd", "/usr/share/absent.fd")) {
            BootFirmware firmware = new BootFirmware(byLibvirt(path));
            String sentence = assertThrows(TargetException.class, () -> firmware.options(folder, List.of())).getMessage();
            assertTrue(sentence.contains(path) && sentence.contains("ovmf"), sentence);
        }
    }

    @Test
    void aMachineOfPlainQemuIsReadToo() throws IOException {
        SortedMap<String, String> documents = new TreeMap<>(Map.of(
                "query-memory-size-summary", "{\"base-memory\":268435456}",
                "query-cpus-fast", "[{},{}]",
                "machine-type", "\"pc-q35-7.2-machine\"",
                "query-block", """
                        [{"qdev":"/machine/system.flash0","inserted":{"ro":true,"drv":"raw","file":"%s"}},
                         {"qdev":"/machine/system.flash1","inserted":{"ro":false,"drv":"qcow2","file":"/v"}},
                         {"qdev":"/machine/peripheral/disk/virtio-backend","inserted":{"ro":true,"drv":"raw","file":"/d"}}]"""
                        .formatted(installed())));
        CapturedMachine machine = CapturedMachine.of(documents);
        assertEquals("256 MiB, 2 CPUs, pc-q35-7.2, firmware " + installed(), machine.summary());
        assertEquals(
                List.of("-machine", "q35", "-drive", "if=pflash,unit=0,readonly=on,format=raw,file=" + installed()),
                new BootFirmware(machine).options(folder, List.of()));
    }

    @Test
    void documentsThatMakeNoSenseTellNothing() {
        SortedMap<String, String> broken = new TreeMap<>(Map.of(
                "libvirt/domain.xml", "<domain", "libvirt/guest-info.json", "{", "query-block", "["));
        assertEquals("", CapturedMachine.of(broken).summary());
        assertEquals("", CapturedMachine.of(new TreeMap<>(Map.of("query-cpus-fast", "5", "machine-type", "\"a,b\""))).summary());
        assertEquals("", CapturedMachine.of(new TreeMap<>()).summary());
    }
}
