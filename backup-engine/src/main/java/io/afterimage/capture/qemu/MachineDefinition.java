package io.afterimage.capture.qemu;

import io.afterimage.capture.Definition;
import io.afterimage.capture.HiddenSecrets;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Reads what QMP tells of a machine's making, so that a person, or a later version, can build the machine again from a point. */
final class MachineDefinition {

    /** Commands without arguments whose answers describe hardware and firmware; what a QEMU does not know is left out. */
    private static final List<String> QUERIES = List.of(
            "query-block", "query-chardev", "query-cpus-fast", "query-current-machine", "query-hotpluggable-cpus", "query-iothreads",
            "query-kvm", "query-memdev", "query-memory-devices", "query-memory-size-summary", "query-name", "query-pci", "query-rx-filter",
            "query-status", "query-target", "query-tpm", "query-uuid", "query-version");

    /** Netdevs and device properties are told as text only, by the human monitor. */
    private static final List<String> TEXTS = List.of("info network", "info qtree");

    /** The firmware's variables; without the ending of a binary document. */
    private static final String NVRAM = "nvram.fd";

    private static final String COMMAND_LINE = "command-line";
    private static final JsonMapper JSON = new JsonMapper();

    private static final Logger LOG = LoggerFactory.getLogger(MachineDefinition.class);

    private final QmpClient client;
    private final Definition definition = new Definition();

    private MachineDefinition(QmpClient client) {
        this.client = client;
    }

    static SortedMap<String, String> read(QmpClient client) throws IOException {
        var reading = new MachineDefinition(client);
        for (String query : QUERIES) {
            reading.document(query, query, QmpClient.arguments());
        }
        for (String text : TEXTS) {
            reading.document(text.replace(' ', '-'), "human-monitor-command", QmpClient.arguments().put("command-line", text));
        }
        reading.document("query-named-block-nodes", "query-named-block-nodes", QmpClient.arguments().put("flat", true));
        reading.document("machine-type", "qom-get", QmpClient.arguments().put("path", "/machine").put("property", "type"));
        reading.devices("peripheral");
        reading.devices("peripheral-anon");
        reading.flash();
        reading.commandLine();
        return Collections.unmodifiableSortedMap(reading.definition.documents());
    }

    private void document(String name, String command, ObjectNode arguments) throws IOException {
        try {
            definition.put(name, HiddenSecrets.in(client.execute(command, arguments).toString()));
        } catch (QmpCommandException e) {
            // This QEMU, or this machine, has no such thing.
        }
    }

    /** The devices that were plugged in: id to driver. */
    private void devices(String container) throws IOException {
        ObjectNode drivers = QmpClient.arguments();
        try {
            for (JsonNode child : client.execute("qom-list", QmpClient.arguments().put("path", "/machine/" + container))) {
                String type = child.path("type").asString("");
                if (type.startsWith("child<") && type.endsWith(">")) {
                    drivers.put(child.path("name").asString(""), type.substring("child<".length(), type.length() - 1));
                }
            }
        } catch (QmpCommandException e) {
            return;
        }
        definition.put(container, drivers.toString());
    }

    /** The firmware's variables: the content of the flash that can be written to, where its file is of this host. */
    private void flash() throws IOException {
        for (JsonNode device : client.execute("query-block")) {
            JsonNode inserted = device.path("inserted");
            // Flash is the one kind of disk whose device hangs from the machine itself.
            boolean isFlash = device.path("qdev").asString("").startsWith("/machine/") && device.path("qdev").asString("").contains("flash");
            String file = inserted.path("file").asString("");
            if (isFlash && !inserted.path("ro").asBoolean(true) && file.startsWith("/")) {
                definition.putFile(NVRAM, Path.of(file));
            }
        }
    }

    /** As the kernel tells it to QEMU's user and to root. */
    private void commandLine() {
        try {
            Optional<List<String>> words = QemuProcess.listeningOn(client.socket()).map(QemuProcess::commandLine);
            words.filter(found -> !found.isEmpty()).ifPresent(found -> definition.put(COMMAND_LINE, JSON.writeValueAsString(HiddenSecrets.inCommandLine(found))));
        } catch (IOException e) {
            LOG.info("QEMU's command line is not kept in the point: {}", e.toString());
        }
    }
}
