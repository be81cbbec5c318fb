package io.afterimage.capture.qemu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.capture.Definition;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What a real QEMU tells of its disks, however they were given to it. */
class QemuMachineIT {

    @TempDir
    Path folder;

    @BeforeEach
    void makeImages() throws IOException, InterruptedException {
        for (String name : List.of("a", "b", "c")) {
            Program.run("qemu-img", "create", "-q", "-f", "qcow2", file(name), "1M");
        }
        Program.run("qemu-img", "create", "-q", "-f", "qcow2", "-o", "compat=0.10", file("old"), "1M");
        Program.run("qemu-img", "create", "-q", "-f", "raw", file("flash"), "1M");
        Program.run("qemu-img", "create", "-q", "-f", "raw", file("raw"), "1M");
    }

    private String file(String name) {
        return folder.resolve(name).toString();
    }

    private static List<String> names(QemuMachine machine) {
        return machine.disks().stream().map(QemuDisk::name).toList();
    }

    @Test
    void writableFixedDisksAreBackedUpAndTheOthersSaidWhy() throws Exception {
        try (BareQemu qemu = BareQemu.start(folder, List.of(
                        "-S",
                        "-drive", "if=pflash,format=raw,file=" + file("flash"),
                        "-drive", "if=none,id=sys,format=qcow2,file=" + file("a"), "-device", "virtio-blk-pci,drive=sys,id=dev-sys",
                        "-drive", "if=none,id=ro,format=qcow2,read-only=on,file=" + file("b"), "-device", "virtio-blk-pci,drive=ro",
                        "-drive", "if=none,id=spare,format=qcow2,file=" + file("c"),
                        "-device", "ide-cd,id=cd0,bus=ide.0",
                        "-device", "virtio-scsi-pci,id=scsi",
                        "-blockdev", "driver=raw,node-name=logs,file.driver=file,file.filename=" + file("raw"),
                        "-device", "scsi-hd,drive=logs,bus=scsi.0,id=hd1",
                        "-blockdev", "driver=qcow2,node-name=old,file.driver=file,file.filename=" + file("old"),
                        "-device", "ide-hd,drive=old,bus=ide.1"));
                QmpClient client = QmpClient.connect(qemu.qmp())) {
            QemuMachine machine = QemuMachine.inspect(client);
            assertEquals(List.of("sys", "logs", "old"), names(machine));
            assertEquals(
                    List.of("pflash0: firmware flash", "ro: read-only", "spare: used by no device", "cd0: no medium"),
                    machine.skipped().stream().map(other -> other.name() + ": " + other.reason()).toList());
            QemuDisk sys = machine.disks().getFirst();
            assertTrue(sys.node().startsWith("#block"), sys.node());
            assertEquals("qcow2", sys.format());
            assertEquals(1 << 20, sys.size());
            assertEquals(List.of(true, false, false), machine.disks().stream().map(QemuDisk::storesBitmaps).toList());
            assertEquals("bare", machine.name());
            assertEquals("prelaunch", machine.status());
        }
    }

    @Test
    void filtersInFrontOfADiskDoNotHideIt() throws Exception {
        try (BareQemu qemu = BareQemu.start(folder, List.of(
                        "-object", "throttle-group,id=limit,x-iops-total=100000",
                        "-blockdev", "driver=qcow2,node-name=a,file.driver=file,file.filename=" + file("a"),
                        "-blockdev", "driver=throttle,node-name=slow,throttle-group=limit,file=a",
                        "-blockdev", "driver=copy-on-read,node-name=cor,file=slow",
                        "-device", "virtio-blk-pci,drive=cor,id=dev-a"));
                QmpClient client = QmpClient.connect(qemu.qmp())) {
            QemuDisk disk = QemuMachine.inspect(client).disks().getFirst();
            assertEquals("a", disk.name());
            assertEquals("a", disk.node());
            assertEquals("cor", disk.topNode());
            assertTrue(disk.storesBitmaps());
        }
    }

    @Test
    void nodesWithoutNamesTakeThatOfTheDevice() throws Exception {
        try (BareQemu qemu = BareQemu.start(folder, List.of(
                        "-drive", "if=none,format=qcow2,id=x,file=" + file("a"),
                        "-device", "virtio-scsi-pci,id=scsi",
                        "-device", "scsi-hd,drive=x,bus=scsi.0,id=system-disk",
                        "-drive", "if=virtio,format=qcow2,file=" + file("b")));
                QmpClient client = QmpClient.connect(qemu.qmp())) {
            assertEquals(List.of("x", "virtio0"), names(QemuMachine.inspect(client)).stream().sorted().toList().reversed());
            assertEquals(
                    List.of("kept", "virtio0"),
                    names(QemuMachine.inspect(client, List.of(), Map.of("system-disk", "kept"))).stream().sorted().toList());
        }
    }

    @Test
    void aSelectionTakesAnyOfADisksNamesAndAnUnknownOneIsRefused() throws Exception {
        var arguments = new ArrayList<>(BareQemu.disk("a", "qcow2", folder.resolve("a")));
        arguments.addAll(BareQemu.disk("b", "qcow2", folder.resolve("b")));
        arguments.addAll(List.of("-drive", "if=none,id=spare,format=qcow2,file=" + file("c")));
        try (BareQemu qemu = BareQemu.start(folder, arguments); QmpClient client = QmpClient.connect(qemu.qmp())) {
            assertEquals(List.of("b"), names(QemuMachine.inspect(client, List.of("b"), Map.of())));
            assertEquals(List.of("spare"), names(QemuMachine.inspect(client, List.of("spare"), Map.of())));
            assertEquals(
                    List.of("a"),
                    names(QemuMachine.inspect(client, List.of("/machine/peripheral/dev-a/virtio-backend"), Map.of())));
            String message = assertThrows(QmpException.class, () -> QemuMachine.inspect(client, List.of("z"), Map.of())).getMessage();
            assertTrue(message.startsWith("The machine has no disk 'z'"), message);
            assertTrue(message.contains("a (not selected)"), message);
        }
    }

    /** QEMU itself refuses equal ids; a name that a disk keeps from an earlier point can clash. */
    @Test
    void disksOfOneNameAreRefused() throws Exception {
        var arguments = new ArrayList<>(BareQemu.disk("a", "qcow2", folder.resolve("a")));
        arguments.addAll(BareQemu.disk("b", "qcow2", folder.resolve("b")));
        try (BareQemu qemu = BareQemu.start(folder, arguments); QmpClient client = QmpClient.connect(qemu.qmp())) {
            String message = assertThrows(
                            QmpException.class,
                            () -> QemuMachine.inspect(client, List.of(), Map.of("/machine/peripheral/dev-b/virtio-backend", "a")))
                    .getMessage();
            assertTrue(message.contains("both called 'a' (nodes a and b)"), message);
        }
    }

    @Test
    void theDefinitionHoldsWhatQmpTells() throws Exception {
        var arguments = new ArrayList<>(BareQemu.disk("a", "qcow2", folder.resolve("a")));
        arguments.addAll(List.of("-netdev", "user,id=net0", "-device", "virtio-net-pci,netdev=net0,id=nic0"));
        byte[] variables = new byte[128 << 10];
        variables[7] = 7;
        Files.write(folder.resolve("vars"), variables);
        arguments.addAll(List.of(
                "-object", "secret,id=s0,data=hunter2",
                "-drive", "if=pflash,unit=0,readonly=on,format=raw,file=/usr/share/seabios/bios-256k.bin",
                "-drive", "if=pflash,unit=1,format=raw,file=" + folder.resolve("vars")));
        try (BareQemu qemu = BareQemu.start(folder, arguments); QmpClient client = QmpClient.connect(qemu.qmp())) {
            Map<String, String> definition = QemuMachine.inspect(client).definition();
            JsonNode devices = JsonMapper.shared().readTree(definition.get("peripheral"));
            assertEquals("virtio-blk-pci", devices.path("dev-a").asString());
            assertEquals("virtio-net-pci", devices.path("nic0").asString());
            assertTrue(definition.get("machine-type").contains("q35"));
            assertTrue(definition.get("info-network").contains("net0"));
            assertTrue(definition.get("query-memory-size-summary").contains("67108864"));
            assertArrayEquals(variables, Definition.decode(definition.get("nvram.fd" + Definition.BINARY)));
            assertTrue(definition.get("command-line").contains("\"secret,id=s0,data=***\""), definition.get("command-line"));
            for (Map.Entry<String, String> document : definition.entrySet()) {
                assertFalse(document.getValue().contains("hunter2"), document::getKey);
                assertTrue(document.getKey().endsWith(Definition.BINARY) || !JsonMapper.shared().readTree(document.getValue()).isMissingNode());
            }
        }
    }

    @Test
    void aMonitorServesOneClientAtATime() throws Exception {
        try (BareQemu qemu = BareQemu.start(folder, List.of())) {
            try (QmpClient first = QmpClient.connect(qemu.qmp())) {
                String message = assertThrows(QmpException.class, () -> QmpClient.connect(qemu.qmp(), Duration.ofMillis(300)))
                        .getMessage();
                assertTrue(message.contains("another program holds it"), message);
                assertEquals("bare", first.execute("query-name").path("name").asString());
            }
            try (QmpClient second = QmpClient.connect(qemu.qmp())) {
                assertEquals("bare", second.execute("query-name").path("name").asString());
            }
        }
    }

    @Test
    void aStoppedQemuCostsATimeoutAndIsUsableAfterwards() throws Exception {
        try (BareQemu qemu = BareQemu.start(folder, List.of()); QmpClient client = QmpClient.connect(qemu.qmp())) {
            Program.run("kill", "-STOP", "" + qemu.pid());
            try {
                String message = assertThrows(
                                QmpException.class,
                                () -> client.execute("query-name", QmpClient.arguments(), Duration.ofMillis(300)))
                        .getMessage();
                assertTrue(message.contains("did not answer 'query-name'"), message);
                assertThrows(QmpException.class, () -> QmpClient.connect(qemu.qmp(), Duration.ofMillis(300)));
            } finally {
                Program.run("kill", "-CONT", "" + qemu.pid());
            }
            assertEquals("bare", client.execute("query-name").path("name").asString());
            qemu.kill();
            assertThrows(QmpException.class, () -> client.execute("query-name"));
            String message = assertThrows(QmpException.class, () -> QmpClient.connect(qemu.qmp())).getMessage();
            assertTrue(message.startsWith("Nothing listens on"), message);
        }
    }
}
