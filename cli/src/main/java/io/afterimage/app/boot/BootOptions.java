package io.afterimage.app.boot;

import io.afterimage.app.export.OverlayExports;
import io.afterimage.app.machine.CapturedMachine;
import io.afterimage.manifest.DiskName;
import io.afterimage.nbd.server.NbdServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Makes QEMU's options for a boot. */
final class BootOptions {

    /** What QEMU calls that which lies below a local image. */
    static final String BELOW = "afterimage-below";

    private static final String QEMU_NAME = "[A-Za-z][A-Za-z0-9._-]{0,30}";

    private final BootPoint.Request request;
    private final CapturedMachine captured;
    private final NbdServer server;
    private final Path folder;

    /**
     * @param server offers the disks
     * @param folder where sockets and copies of what the machine may write to go
     */
    BootOptions(BootPoint.Request request, CapturedMachine captured, NbdServer server, Path folder) {
        this.request = request;
        this.captured = captured;
        this.server = server;
        this.folder = folder;
    }

    /** Where QEMU listens for us while a disk moves. */
    static Path monitor(Path folder) {
        return folder.resolve("qmp.sock");
    }

    /** What QEMU calls a local image: as the disk is called, so that the next backup finds it under that name. */
    static String node(DiskName disk) {
        return disk.text().matches(QEMU_NAME) && !disk.text().equals(BELOW) ? disk.text() : "disk";
    }

    List<String> all() throws IOException {
        List<String> options = new ArrayList<>(List.of(
                "-name", request.point().machine() + "@" + request.point().point(),
                "-accel", request.accelerator(),
                "-m", "size=" + request.memory().or(captured::memory).orElse(1L << 30) / (1L << 20) + "M",
                "-smp", String.valueOf(request.processors().or(captured::processors).orElse(1)),
                "-nodefaults",
                "-no-user-config"));
        options.addAll(new BootFirmware(captured).options(folder, request.more()));
        int bootIndex = 1;
        for (DiskName disk : request.disks()) {
            options.addAll(drive(disk));
            options.addAll(List.of("-device", "virtio-blk-pci,drive=" + node(disk) + ",bootindex=" + bootIndex++));
        }
        options.addAll(List.of("-display", "none", "-serial", "mon:stdio"));
        options.addAll(request.more());
        return options;
    }

    private List<String> drive(DiskName disk) {
        String point = request.point().machine() + "/" + disk + "@" + request.point().point();
        return switch (request.writes()) {
            case Writes.Discarded _ -> drive(disk, "snapshot=on", point);
            case Writes.Kept kept -> drive(disk, "discard=unmap", OverlayExports.PREFIX + kept.overlays().get(disk));
            case Writes.Migrated migrated -> List.of(
                    "-blockdev", below(point).toString(),
                    "-blockdev", local(disk, migrated.migration().image()).toString(),
                    "-qmp", "unix:" + monitor(folder) + ",server=on,wait=off");
        };
    }

    private List<String> drive(DiskName disk, String how, String export) {
        return List.of("-drive", "if=none,id=" + node(disk) + "," + how + ",format=raw,file=" + server.uris(export).getFirst());
    }

    private ObjectNode below(String export) {
        ObjectNode below = JsonNodeFactory.instance.objectNode();
        below.put("driver", "nbd").put("node-name", BELOW).put("read-only", true).put("export", export);
        below.putObject("server").put("type", "unix").put("path", folder.resolve(BootPoint.SOCKET).toString());
        return below;
    }

    private static ObjectNode local(DiskName disk, LocalImage image) {
        ObjectNode local = JsonNodeFactory.instance.objectNode();
        local.put("driver", "qcow2").put("node-name", node(disk)).put("discard", "unmap").put("backing", BELOW);
        local.putObject("file").put("driver", "file").put("filename", image.file().toAbsolutePath().toString()).put("discard", "unmap");
        return local;
    }
}
