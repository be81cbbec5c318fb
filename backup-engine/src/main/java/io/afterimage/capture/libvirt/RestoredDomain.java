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

/** The definition of a domain whose disks have been restored to raw files. */
public final class RestoredDomain {

    private RestoredDomain() {}

    /**
     * Puts the files in the places of the disks' sources; all else is left as it is.
     *
     * @param files by libvirt's name of the disk, such as {@code vda}; absolute
     */
    public static String with(Map<String, Path> files, String domainXml) throws LibvirtException {
        XmlElement domain = XmlElement.parse(domainXml);
        domain.at("devices").ifPresent(devices -> devices.all("disk").forEach(disk -> {
            Path file = files.get(disk.attribute("dev", "target"));
            if (file != null) {
                replace(disk.node(), file);
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

    private static void replace(Element disk, Path file) {
        disk.setAttribute("type", "file");
        Node next;
        for (Node child = disk.getFirstChild(); child != null; child = next) {
            next = child.getNextSibling();
            switch (child.getNodeName()) {
                case "source", "backingStore", "mirror" -> disk.removeChild(child);
                case "driver" -> ((Element) child).setAttribute("type", "raw");
                default -> {}
            }
        }
        Element source = disk.getOwnerDocument().createElement("source");
        source.setAttribute("file", file.toString());
        disk.appendChild(source);
    }
}
