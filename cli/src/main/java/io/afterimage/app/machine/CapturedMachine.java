package io.afterimage.app.machine;

import io.afterimage.capture.Definition;
import io.afterimage.capture.libvirt.DomainHardware;
import io.afterimage.capture.libvirt.LibvirtDefinition;
import io.afterimage.capture.libvirt.LibvirtException;
import io.afterimage.settings.ByteSize;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a point tells of the machine that it was taken from, as far as a boot needs it, and a person wants to know at first sight.
 *
 * @param memory in bytes
 * @param processors virtual CPUs
 * @param machine QEMU's machine type, such as {@code pc-q35-7.2}
 * @param firmware when it is not the machine type's own
 * @param guest the name of the system in it, and of the host that it is, as the guest's agent told them
 */
public record CapturedMachine(
        Optional<Long> memory, Optional<Integer> processors, Optional<String> machine, Optional<Firmware> firmware, Optional<String> guest) {

    /**
     * UEFI, as a rule.
     *
     * @param code the file of it, on the host that the machine ran on
     * @param codeFormat the format of that file
     * @param secure whether it runs in system management mode
     * @param variables the content of the flash that it keeps its variables in
     * @param variablesFormat the format of that content
     */
    public record Firmware(String code, String codeFormat, boolean secure, Optional<byte[]> variables, String variablesFormat) {}

    /** What the guest's agent told of a machine that was backed up over QMP. */
    public static final String GUEST = "guest-info.json";

    private static final Logger LOG = LoggerFactory.getLogger(CapturedMachine.class);
    private static final JsonMapper JSON = new JsonMapper();
    private static final long MOST_MEMORY = 1L << 42;
    private static final int MOST_PROCESSORS = 1024;

    /** Reads it out of the documents of a point, which anybody may have written: what makes no sense is not there. */
    public static CapturedMachine of(SortedMap<String, String> documents) {
        CapturedMachine told = documents.containsKey(LibvirtDefinition.DOMAIN) ? byLibvirt(documents) : byQmp(documents);
        return new CapturedMachine(
                told.memory.filter(bytes -> bytes > 0 && bytes <= MOST_MEMORY),
                told.processors.filter(count -> count > 0 && count <= MOST_PROCESSORS),
                told.machine.filter(type -> type.matches("[A-Za-z0-9._-]{1,64}")),
                told.firmware,
                told.guest.map(text -> text.replaceAll("\\p{Cntrl}", "?")));
    }

    /** Some words for each that is known. */
    public String summary() {
        List<String> words = new ArrayList<>();
        memory.ifPresent(bytes -> words.add(ByteSize.format(bytes)));
        processors.ifPresent(count -> words.add(count + (count == 1 ? " CPU" : " CPUs")));
        machine.ifPresent(words::add);
        firmware.ifPresent(uefi -> words.add("firmware " + uefi.code() + (uefi.variables().isPresent() ? " with its variables" : "")));
        return String.join(", ", words);
    }

    private static CapturedMachine byLibvirt(SortedMap<String, String> documents) {
        try {
            DomainHardware hardware = DomainHardware.of(documents.get(LibvirtDefinition.DOMAIN));
            JsonNode guest = document(documents, LibvirtDefinition.GUEST);
            return new CapturedMachine(
                    hardware.memory(),
                    hardware.processors(),
                    hardware.machine(),
                    hardware.loader().map(code -> new Firmware(
                            code,
                            hardware.loaderFormat(),
                            hardware.secure(),
                            binary(documents, LibvirtDefinition.NVRAM),
                            hardware.nvramFormat())),
                    words(guest.path("os.pretty-name"), guest.path("hostname")));
        } catch (LibvirtException e) {
            LOG.warn("The definition of the machine is not to be understood: {}", e.getMessage());
            return new CapturedMachine(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
        }
    }

    private static CapturedMachine byQmp(SortedMap<String, String> documents) {
        JsonNode flash = document(documents, "query-block").valueStream()
                .filter(device -> device.path("qdev").asString("").startsWith("/machine/")
                        && device.path("qdev").asString("").contains("flash"))
                .collect(JSON::createArrayNode, (all, one) -> all.add(one), (all, others) -> all.addAll(others));
        Optional<JsonNode> code = flash.valueStream()
                .map(device -> device.path("inserted"))
                .filter(inserted -> inserted.path("ro").asBoolean(false) && inserted.path("file").asString("").startsWith("/"))
                .findFirst();
        String variablesFormat = flash.valueStream()
                .map(device -> device.path("inserted"))
                .filter(inserted -> !inserted.path("ro").asBoolean(true))
                .map(inserted -> inserted.path("drv").asString("raw"))
                .findFirst()
                .orElse("raw");
        return new CapturedMachine(
                Optional.of(document(documents, "query-memory-size-summary").path("base-memory").asLong(0)),
                Optional.of(document(documents, "query-cpus-fast").size()),
                Optional.of(document(documents, "machine-type").asString("").replaceFirst("-machine$", "")).filter(type -> !type.isEmpty()),
                code.map(inserted -> new Firmware(
                        inserted.path("file").asString(""),
                        inserted.path("drv").asString("raw"),
                        false,
                        binary(documents, "nvram.fd"),
                        variablesFormat)),
                words(document(documents, GUEST).path("osinfo").path("pretty-name"), document(documents, GUEST).path("host-name").path("host-name")));
    }

    private static Optional<String> words(JsonNode... facts) {
        return Stream.of(facts)
                .map(fact -> fact.asString(""))
                .filter(word -> !word.isEmpty())
                .reduce((one, next) -> one + ", " + next);
    }

    private static Optional<byte[]> binary(SortedMap<String, String> documents, String name) {
        String document = documents.get(name + Definition.BINARY);
        if (document == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(Definition.decode(document));
        } catch (IOException e) {
            LOG.warn("The document {} of the point is not to be understood: {}", name, e.getMessage());
            return Optional.empty();
        }
    }

    private static JsonNode document(SortedMap<String, String> documents, String name) {
        try {
            return JSON.readTree(documents.getOrDefault(name, "{}"));
        } catch (JacksonException e) {
            return JSON.createObjectNode();
        }
    }
}
