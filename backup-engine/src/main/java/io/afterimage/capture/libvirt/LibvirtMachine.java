package io.afterimage.capture.libvirt;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A running machine as libvirt described it at one moment. Immutable.
 *
 * @param domain to ask further
 * @param disks the disks to be backed up, in the order of the definition
 * @param others libvirt's names of the disks and drives that are not
 * @param user as whom QEMU runs
 * @param checkpoints Afterimage's, of whatever repository
 */
public record LibvirtMachine(
        LibvirtDomain domain, List<LibvirtDisk> disks, List<String> others, UserPrincipal user, List<DomainCheckpoint> checkpoints) {

    /** How libvirt writes users in labels of its file permissions: {@code +UID:+GID}, or names. */
    private static final Pattern LABEL = Pattern.compile("\\+?([^:]+):.*");

    public LibvirtMachine {
        disks = List.copyOf(disks);
        others = List.copyOf(others);
        checkpoints = List.copyOf(checkpoints);
    }

    /**
     * Asks for everything that a backup wants to know. Changes nothing.
     *
     * @param selection names, libvirt's names or aliases of disks; when empty: all writable disks with a medium that cannot be taken out
     * @param knownNames for each {@link LibvirtDisk#qdev} that an earlier point holds, the disk's name there
     * @throws LibvirtException also when a selected disk does not exist
     */
    public static LibvirtMachine inspect(LibvirtDomain domain, Collection<String> selection, Map<String, String> knownNames)
            throws IOException {
        XmlElement xml = XmlElement.parse(domain.xml(false));
        DomainDisks disks = DomainDisks.sort(domain, xml, selection, knownNames);
        return new LibvirtMachine(domain, disks.chosen(), disks.others(), user(domain, xml), DomainCheckpoint.of(domain));
    }

    /** On how many disks the point has left a checkpoint that tells of their changes. */
    public int recorded(String repository, String pointId) {
        return checkpoint(repository, pointId)
                .map(found -> (int) disks.stream().filter(disk -> found.sound().contains(disk.target())).count())
                .orElse(0);
    }

    Optional<DomainCheckpoint> checkpoint(String repository, String pointId) {
        return checkpoints.stream()
                .filter(each -> each.id().repository().equals(repository) && each.id().pointId().equals(pointId))
                .findFirst();
    }

    /** As whom QEMU runs. */
    public static UserPrincipal user(LibvirtDomain domain) throws IOException {
        return user(domain, XmlElement.parse(domain.xml(false)));
    }

    /**
     * libvirt tells whom it lets QEMU run as; where it does not, it gives away no files: then QEMU is of the same user as libvirt,
     * who made its own socket.
     */
    private static UserPrincipal user(LibvirtDomain domain, XmlElement xml) throws IOException {
        for (XmlElement label : xml.all("seclabel")) {
            Matcher user = LABEL.matcher(label.text("label"));
            if (label.attribute("model").equals("dac") && user.matches()) {
                return user(user.group(1));
            }
        }
        Optional<Path> socket = domain.connection().socket().map(Path::of).filter(Files::exists);
        return socket.isPresent() ? Files.getOwner(socket.get()) : user(System.getProperty("user.name"));
    }

    private static UserPrincipal user(String nameOrNumber) throws IOException {
        try {
            return FileSystems.getDefault().getUserPrincipalLookupService().lookupPrincipalByName(nameOrNumber);
        } catch (UserPrincipalNotFoundException e) {
            throw new LibvirtException("libvirt lets QEMU run as user " + nameOrNumber + ", whom this host does not know", e);
        }
    }
}
