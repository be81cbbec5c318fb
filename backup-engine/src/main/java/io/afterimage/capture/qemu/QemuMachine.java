package io.afterimage.capture.qemu;

import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import tools.jackson.databind.JsonNode;

/** A running machine as its monitor described it at one moment. Immutable. */
public final class QemuMachine {

    private final QmpClient client;
    private final String name;
    private final String status;
    private final BlockDevices devices;
    private final SortedMap<String, String> definition;

    private QemuMachine(QmpClient client, String name, String status, BlockDevices devices, SortedMap<String, String> definition) {
        this.client = client;
        this.name = name;
        this.status = status;
        this.devices = devices;
        this.definition = definition;
    }

    /** Asks for everything, all disks chosen. Changes nothing in QEMU. */
    public static QemuMachine inspect(QmpClient client) throws IOException {
        return inspect(client, List.of(), Map.of());
    }

    /**
     * Asks for everything that a backup wants to know. Changes nothing in QEMU.
     *
     * @param selection names, ids or node names of disks; when empty: all writable disks with a medium that cannot be taken out
     * @param knownNames for each {@link QemuDisk#qdev} that an earlier point holds, the disk's name there; a known disk keeps its name
     *     whatever snapshots have done to its nodes
     * @throws QmpException also when a selected disk does not exist, or two disks have the same name
     */
    public static QemuMachine inspect(QmpClient client, Collection<String> selection, Map<String, String> knownNames)
            throws IOException {
        JsonNode queryBlock = client.execute("query-block");
        var devices = BlockDevices.sort(client, BlockGraph.query(client), queryBlock, selection, knownNames);
        return new QemuMachine(
                client,
                client.execute("query-name").path("name").asString(""),
                client.execute("query-status").path("status").asString(""),
                devices,
                MachineDefinition.read(client));
    }

    public QmpClient client() {
        return client;
    }

    /** The name of {@code -name}, or "". */
    public String name() {
        return name;
    }

    /** QEMU's run state, such as {@code running}, {@code paused}, {@code io-error}. */
    public String status() {
        return status;
    }

    /** The disks to be backed up, in QEMU's order. */
    public List<QemuDisk> disks() {
        return devices.disks();
    }

    /** The other block devices, each with the reason why it is not backed up. */
    public List<Skipped> skipped() {
        return devices.skipped();
    }

    /** What QMP tells of the machine's making: document name to JSON text, each as QEMU answered it. */
    public SortedMap<String, String> definition() {
        return definition;
    }

    /** A block device that is not backed up. */
    public record Skipped(String name, String reason) {}
}
