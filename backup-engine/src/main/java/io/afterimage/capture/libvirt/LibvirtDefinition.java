package io.afterimage.capture.libvirt;

import io.afterimage.capture.Definition;
import io.afterimage.capture.HiddenSecrets;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Reads what libvirt tells of a machine beside its disks: what is needed to make it again elsewhere. */
public final class LibvirtDefinition {

    /** The running machine's. */
    public static final String DOMAIN = "libvirt/domain.xml";

    /** The machine's as it will be at its next start: what {@code virsh define} takes. */
    public static final String DOMAIN_AT_NEXT_START = "libvirt/domain-inactive.xml";

    /** The firmware's variables; without the ending of a binary document. */
    public static final String NVRAM = "libvirt/nvram.fd";

    /** What the guest's agent tells, as {@code virsh guestinfo} names it. */
    public static final String GUEST = "libvirt/guest-info.json";

    private static final Logger LOG = LoggerFactory.getLogger(LibvirtDefinition.class);
    private static final JsonMapper JSON = new JsonMapper();

    /** {@code VIR_DOMAIN_GUEST_INFO_}: OS, TIMEZONE, HOSTNAME, FILESYSTEM. Not who is logged in. */
    private static final List<Integer> GUEST_INFO = List.of(1 << 1, 1 << 2, 1 << 3, 1 << 4);

    private static final Duration GUEST_INFO_LIMIT = Duration.ofSeconds(5);

    private static final Pattern UNUSUAL = Pattern.compile("[^A-Za-z0-9._-]+");
    private static final String LOCK = ".lock";

    private final LibvirtDomain domain;
    private final Definition definition = new Definition();

    private LibvirtDefinition(LibvirtDomain domain) {
        this.domain = domain;
    }

    /** Documents by name. What cannot be had is left out; a backup does not fail for it. */
    public static SortedMap<String, String> read(LibvirtDomain domain) throws LibvirtException {
        LibvirtDefinition reading = new LibvirtDefinition(domain);
        reading.read();
        return reading.definition.documents();
    }

    private void read() throws LibvirtException {
        String live = domain.xml(false);
        XmlElement xml = XmlElement.parse(live);
        definition.put(DOMAIN, HiddenSecrets.in(live));
        attempt("definition at the next start", () -> definition.put(DOMAIN_AT_NEXT_START, HiddenSecrets.in(domain.xml(true))));
        for (String network : sources(xml, "interface", "network")) {
            attempt("network " + network, () -> definition.put("libvirt/network-" + word(network) + ".xml", domain.connection().network(network)));
        }
        for (String pool : sources(xml, "disk", "pool")) {
            attempt("storage pool " + pool, () -> definition.put("libvirt/pool-" + word(pool) + ".xml", domain.connection().pool(pool)));
        }
        String nvram = xml.text("os", "nvram");
        if (nvram.startsWith("/")) {
            definition.putFile(NVRAM, Path.of(nvram));
        }
        if (xml.at("devices", "tpm").filter(tpm -> tpm.attribute("type", "backend").equals("emulator")).isPresent()) {
            attempt("state of its TPM", this::readTpm);
        }
        if (LibvirtFreezer.hasAgent(xml)) {
            attempt("guest, as its agent tells of it,", this::readGuest);
        }
    }

    /** What devices of a kind are connected to. */
    private static Iterable<String> sources(XmlElement xml, String device, String attribute) {
        TreeSet<String> names = new TreeSet<>();
        xml.at("devices").map(devices -> devices.all(device)).orElse(List.of())
                .forEach(each -> names.add(each.attribute(attribute, "source")));
        names.remove("");
        return names;
    }

    /** A name as a part of a document's: of other characters than plain ones, which libvirt allows, the bytes in hexadecimal. */
    static String word(String name) {
        return UNUSUAL.matcher(name).replaceAll(part -> "_" + HexFormat.of().formatHex(part.group().getBytes(StandardCharsets.UTF_8)));
    }

    /** Where libvirt has software TPMs keep their state, by the domain's UUID: the system's daemon, and the one of this user. */
    static List<Path> tpmStates(Map<String, String> environment) {
        String home = environment.getOrDefault("HOME", System.getProperty("user.home"));
        String own = environment.getOrDefault("XDG_CONFIG_HOME", home + "/.config");
        return List.of(Path.of("/var/lib/libvirt/swtpm"), Path.of(own, "libvirt/qemu/swtpm"));
    }

    private void readTpm() throws IOException {
        for (Path states : tpmStates(System.getenv())) {
            if (Files.isDirectory(states.resolve(domain.uuid()))) {
                readTpm(states.resolve(domain.uuid()));
            }
        }
    }

    private void readTpm(Path state) throws IOException {
        try (DirectoryStream<Path> versions = Files.newDirectoryStream(state)) {
            for (Path version : versions) {
                try (Stream<Path> files = Files.list(version)) {
                    files.filter(file -> Files.isRegularFile(file) && !file.endsWith(LOCK))
                            .forEach(file -> definition.putFile("libvirt/tpm/" + version.getFileName() + "/" + file.getFileName(), file));
                }
            }
        }
    }

    /** One kind after the other: an agent that does not know one knows the others. One that hangs is not waited for. */
    private void readGuest() throws IOException {
        ObjectNode facts = JSON.createObjectNode();
        try (LibvirtFreezer agent = LibvirtFreezer.of(domain)) {
            for (int kind : GUEST_INFO) {
                agent.info(kind, GUEST_INFO_LIMIT).forEach(facts::putPOJO);
            }
        } finally {
            if (!facts.isEmpty()) {
                definition.put(GUEST, facts.toString());
            }
        }
    }

    private interface Reading {
        void run() throws IOException;
    }

    private static void attempt(String what, Reading reading) {
        try {
            reading.run();
        } catch (IOException e) {
            LOG.info("The machine's {} is not kept in the point: {}", what, e.getMessage());
        }
    }
}
