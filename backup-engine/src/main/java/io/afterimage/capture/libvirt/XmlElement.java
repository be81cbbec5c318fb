package io.afterimage.capture.libvirt;

import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

/** An element of what libvirt tells. What is not there is empty. */
final class XmlElement {

    private final Element element;

    private XmlElement(Element element) {
        this.element = element;
    }

    /** The root of a document; one that refers to anything outside of it is refused. */
    static XmlElement parse(String xml) throws LibvirtException {
        try {
            DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
            factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
            factory.setXIncludeAware(false);
            factory.setExpandEntityReferences(false);
            return new XmlElement(factory.newDocumentBuilder().parse(new InputSource(new StringReader(xml))).getDocumentElement());
        } catch (ParserConfigurationException | SAXException | IOException e) {
            throw new LibvirtException("libvirt's answer is no XML: " + e.getMessage(), e);
        }
    }

    /** The children of that name, in order. */
    List<XmlElement> all(String name) {
        List<XmlElement> found = new ArrayList<>();
        for (Node child = element.getFirstChild(); child != null; child = child.getNextSibling()) {
            if (child instanceof Element inner && inner.getTagName().equals(name)) {
                found.add(new XmlElement(inner));
            }
        }
        return found;
    }

    /** The first element at that path below this one. */
    Optional<XmlElement> at(String... path) {
        Optional<XmlElement> found = Optional.of(this);
        for (String name : path) {
            found = found.flatMap(outer -> outer.all(name).stream().findFirst());
        }
        return found;
    }

    String attribute(String name) {
        return element.getAttribute(name);
    }

    /** The attribute's value on the first element at the path; "" when there is none. */
    String attribute(String name, String... path) {
        return at(path).map(found -> found.attribute(name)).orElse("");
    }

    /** To be changed. */
    Element node() {
        return element;
    }

    String text() {
        return element.getTextContent().strip();
    }

    String text(String... path) {
        return at(path).map(XmlElement::text).orElse("");
    }
}
