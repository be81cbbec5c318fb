package io.afterimage.capture.libvirt;

import io.afterimage.capture.HiddenSecrets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.w3c.dom.NamedNodeMap;
import org.w3c.dom.Node;

/** In which images a domain has its disks. An image is its file or device, where it is none what else libvirt says of its source. */
public final class DomainImages {

    private DomainImages() {}

    /**
     * The image that a device had its disk in.
     *
     * @param device as {@link LibvirtDisk#qdev}
     * @param domainXml of the running machine
     * @return empty when there is no such device, or the text is no domain's
     */
    public static Optional<String> of(String device, String domainXml) {
        return disk(device, domainXml).flatMap(disk -> disk.at("source")).map(DomainImages::name);
    }

    /** libvirt's name of the disk that a device has, such as {@code vda}; the same words as above. */
    public static Optional<String> target(String device, String domainXml) {
        return disk(device, domainXml).map(disk -> disk.attribute("dev", "target"));
    }

    private static Optional<XmlElement> disk(String device, String domainXml) {
        try {
            return XmlElement.parse(domainXml).at("devices").stream()
                    .flatMap(devices -> devices.all("disk").stream())
                    .filter(disk -> DomainDisks.qdev(disk).equals(device))
                    .findFirst();
        } catch (LibvirtException e) {
            return Optional.empty();
        }
    }

    /** A disk's image, and what that is an overlay on, the next one below first. */
    static List<String> chain(XmlElement disk) {
        List<String> images = new ArrayList<>();
        for (Optional<XmlElement> layer = Optional.of(disk); layer.isPresent(); layer = layer.get().at("backingStore")) {
            layer.get().at("source").map(DomainImages::name).ifPresent(images::add);
        }
        return List.copyOf(images);
    }

    private static String name(XmlElement source) {
        for (String attribute : List.of("file", "dev")) {
            if (!source.attribute(attribute).isEmpty()) {
                return HiddenSecrets.in(source.attribute(attribute));
            }
        }
        NamedNodeMap all = source.node().getAttributes();
        return HiddenSecrets.in(IntStream.range(0, all.getLength())
                .mapToObj(all::item)
                .filter(attribute -> !attribute.getNodeName().equals("index")) // another one at each start
                .map((Node attribute) -> attribute.getNodeName() + "=" + attribute.getNodeValue())
                .sorted()
                .collect(Collectors.joining(" ")));
    }
}
