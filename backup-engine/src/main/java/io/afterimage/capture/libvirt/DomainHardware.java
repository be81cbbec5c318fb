package io.afterimage.capture.libvirt;

import java.util.Map;
import java.util.Optional;

/**
 * What a domain's definition says of the hardware, as far as a machine is told from another by it.
 *
 * @param memory in bytes
 * @param processors virtual CPUs that are there
 * @param machine QEMU's machine type, such as {@code pc-q35-7.2}
 * @param loader the file of the firmware in flash
 * @param loaderFormat the format of that file
 * @param secure whether the firmware runs in a mode of its own, as Secure Boot wants it
 * @param nvramFormat the format of the file of the firmware's variables
 */
public record DomainHardware(
        Optional<Long> memory,
        Optional<Integer> processors,
        Optional<String> machine,
        Optional<String> loader,
        String loaderFormat,
        boolean secure,
        String nvramFormat) {

    private static final Map<String, Long> UNITS = Map.of(
            "b", 1L, "bytes", 1L, "k", 1L << 10, "KiB", 1L << 10, "", 1L << 10, "M", 1L << 20, "MiB", 1L << 20, "G", 1L << 30, "GiB", 1L << 30);

    /**
     * Reads a definition. What it does not say is empty.
     *
     * @throws LibvirtException it is no XML
     */
    public static DomainHardware of(String domainXml) throws LibvirtException {
        XmlElement xml = XmlElement.parse(domainXml);
        XmlElement none = XmlElement.parse("<loader/>");
        XmlElement loader = xml.at("os", "loader").orElse(none);
        boolean isFlash = loader.attribute("type").equals("pflash");
        return new DomainHardware(
                bytes(xml.text("memory"), xml.attribute("unit", "memory")),
                number(xml.attribute("current", "vcpu")).or(() -> number(xml.text("vcpu"))).filter(count -> count <= Integer.MAX_VALUE).map(Long::intValue),
                Optional.of(xml.attribute("machine", "os", "type")).filter(type -> !type.isEmpty()),
                Optional.of(loader.text()).filter(path -> isFlash && path.startsWith("/")),
                format(loader),
                loader.attribute("secure").equals("yes"),
                format(xml.at("os", "nvram").orElse(none)));
    }

    private static String format(XmlElement flash) {
        return flash.attribute("format").isEmpty() ? "raw" : flash.attribute("format");
    }

    private static Optional<Long> bytes(String amount, String unit) {
        Long factor = UNITS.get(unit);
        return factor == null ? Optional.empty() : number(amount).filter(value -> value <= Long.MAX_VALUE / factor).map(value -> value * factor);
    }

    private static Optional<Long> number(String digits) {
        return digits.matches("[0-9]{1,18}") ? Optional.of(Long.parseLong(digits)) : Optional.empty();
    }
}
