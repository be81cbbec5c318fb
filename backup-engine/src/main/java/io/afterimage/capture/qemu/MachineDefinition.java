package io.afterimage.capture.qemu;

import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
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

    /** A password in a URL, as the file name of a remote disk may have one. */
    private static final Pattern SECRET = Pattern.compile("(://[^/@\\s\":]*:)[^/@\\s\"]*@");

    private final QmpClient client;
    private final SortedMap<String, String> documents = new TreeMap<>();

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
        return Collections.unmodifiableSortedMap(reading.documents);
    }

    private void document(String name, String command, ObjectNode arguments) throws IOException {
        try {
            documents.put(name, SECRET.matcher(client.execute(command, arguments).toString()).replaceAll("$1***@"));
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
        documents.put(container, drivers.toString());
    }
}
