package io.afterimage.capture.libvirt;

import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Map;
import javax.xml.transform.OutputKeys;
import javax.xml.transform.Transformer;
import javax.xml.transform.TransformerException;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/** The definition of a domain whose disks have been restored on this host. */
public final class RestoredDomain {

    private RestoredDomain() {}

    /**
     * What a disk was restored to.
     *
     * @param place an image file, or a block device
     * @param format as libvirt calls it
     */
    public record Source(Path place, boolean isDevice, String format) {}

    /**
     * Puts them in the places of the disks' sources; all else is left as it is.
     *
     * @param sources by libvirt's name of the disk, such as {@code vda}
     */
    public static String with(Map<String, Source> sources, String domainXml) throws LibvirtException {
        XmlElement domain = XmlElement.parse(domainXml);
        domain.at("devices").ifPresent(devices -> devices.all("disk").forEach(disk -> {
            Source source = sources.get(disk.attribute("dev", "target"));
            if (source != null) {
                replace(disk.node(), source);
            }
        }));
        try {
            Transformer writer = TransformerFactory.newDefaultInstance().newTransformer();
            writer.setOutputProperty(OutputKeys.OMIT_XML_DECLARATION, "yes");
            StringWriter text = new StringWriter();
            writer.transform(new DOMSource(domain.node()), new StreamResult(text));
            return text.toString();
        } catch (TransformerException e) {
            throw new LibvirtException("The definition of the domain cannot be written: " + e.getMessage(), e);
        }
    }

    /** With a driver of the new format, which libvirt otherwise takes for raw, and without what only the old source needed: a key, a password. */
    private static void replace(Element disk, Source restored) {
        disk.setAttribute("type", restored.isDevice() ? "block" : "file");
        boolean hasDriver = false;
        Node next;
        for (Node child = disk.getFirstChild(); child != null; child = next) {
            next = child.getNextSibling();
            switch (child.getNodeName()) {
                case "source", "backingStore", "mirror", "auth", "encryption" -> disk.removeChild(child);
                case "driver" -> {
                    ((Element) child).setAttribute("type", restored.format());
                    hasDriver = true;
                }
                default -> {}
            }
        }
        if (!hasDriver) {
            Element driver = append(disk, "driver");
            driver.setAttribute("name", "qemu");
            driver.setAttribute("type", restored.format());
        }
        append(disk, "source").setAttribute(restored.isDevice() ? "dev" : "file", restored.place().toAbsolutePath().toString());
    }

    private static Element append(Element disk, String name) {
        Element element = disk.getOwnerDocument().createElement(name);
        disk.appendChild(element);
        return element;
    }
}
