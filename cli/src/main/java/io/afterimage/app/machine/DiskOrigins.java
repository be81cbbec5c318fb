package io.afterimage.app.machine;

import io.afterimage.capture.libvirt.DomainImages;
import io.afterimage.capture.libvirt.LibvirtDefinition;
import io.afterimage.capture.libvirt.LibvirtDisk;
import io.afterimage.capture.qemu.QemuDisk;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.Manifest;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Which of the machine's devices each disk of a point was, kept as a document in the point, so that a disk keeps its name when a
 * snapshot gives its node another.
 *
 * @param disks by the disk's name in the repository
 */
public record DiskOrigins(Map<String, Origin> disks) {

    /** The document that they are kept as. */
    public static final String DOCUMENT = "afterimage/disks.json";

    private static final Logger LOG = LoggerFactory.getLogger(DiskOrigins.class);
    private static final JsonMapper JSON = new JsonMapper();

    /**
     * A disk in QEMU's words.
     *
     * @param device the id or QOM path of the device that uses it; empty when there is none
     * @param node the node of its format; empty when libvirt told of the disk
     * @param format the node's driver
     */
    public record Origin(String device, String node, String format) {}

    public static DiskOrigins none() {
        return new DiskOrigins(Map.of());
    }

    public static DiskOrigins of(List<QemuDisk> disks) {
        Map<String, Origin> origins = new LinkedHashMap<>();
        disks.forEach(disk -> origins.put(disk.name(), new Origin(disk.qdev(), disk.node(), disk.format())));
        return new DiskOrigins(origins);
    }

    public static DiskOrigins ofDomain(List<LibvirtDisk> disks) {
        Map<String, Origin> origins = new LinkedHashMap<>();
        disks.forEach(disk -> origins.put(disk.name(), new Origin(disk.qdev(), "", disk.format())));
        return new DiskOrigins(origins);
    }

    public static DiskOrigins read(Manifest manifest) {
        return read(manifest.definition());
    }

    private static DiskOrigins read(Map<String, String> documents) {
        String json = documents.get(DOCUMENT);
        if (json == null) {
            return none();
        }
        try {
            return JSON.readValue(json, DiskOrigins.class);
        } catch (JacksonException e) {
            LOG.warn("A point does not say which devices its disks were", e);
            return none();
        }
    }

    /** The image that libvirt had a disk of the point in, if libvirt made the point. */
    public static Optional<String> libvirtImage(Manifest manifest, DiskName disk) {
        return byLibvirt(manifest.definition(), disk, DomainImages::of);
    }

    /** What libvirt calls a disk of a point with these documents; it has another name there when a backup by QMP came first. */
    static String libvirtName(Map<String, String> documents, DiskName disk) {
        return byLibvirt(documents, disk, DomainImages::target).orElse(disk.text());
    }

    private static Optional<String> byLibvirt(
            Map<String, String> documents, DiskName disk, BiFunction<String, String, Optional<String>> fact) {
        return Optional.ofNullable(read(documents).disks().get(disk.text()))
                .flatMap(origin -> Optional.ofNullable(documents.get(LibvirtDefinition.DOMAIN)).flatMap(xml -> fact.apply(origin.device(), xml)));
    }

    public String toJson() {
        return JSON.writeValueAsString(this);
    }

    public Map<String, String> namesByDevice() {
        Map<String, String> names = new LinkedHashMap<>();
        disks.forEach((name, origin) -> {
            if (!origin.device().isEmpty()) {
                names.put(origin.device(), name);
            }
        });
        return names;
    }
}
