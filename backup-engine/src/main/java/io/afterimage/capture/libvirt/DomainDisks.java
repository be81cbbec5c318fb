package io.afterimage.capture.libvirt;

import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Sorts a domain's disks into those that are backed up and the others. */
final class DomainDisks {

    /** "QFI", 0xfb: what a qcow2 file begins with; its version follows. */
    private static final int QCOW_MAGIC = 0x514649fb;

    private final LibvirtDomain domain;
    private final Collection<String> selection;
    private final Map<String, String> knownNames;
    private final List<LibvirtDisk> chosen = new ArrayList<>();
    private final List<String> others = new ArrayList<>();

    private DomainDisks(LibvirtDomain domain, Collection<String> selection, Map<String, String> knownNames) {
        this.domain = domain;
        this.selection = selection;
        this.knownNames = knownNames;
    }

    /**
     * Sorts.
     *
     * @param xml the running domain's
     * @param selection names, targets or aliases; when empty all that can be written to and have a medium that stays
     * @param knownNames what an earlier point called each device
     */
    static DomainDisks sort(LibvirtDomain domain, XmlElement xml, Collection<String> selection, Map<String, String> knownNames)
            throws LibvirtException {
        DomainDisks disks = new DomainDisks(domain, selection, knownNames);
        Set<String> found = new HashSet<>();
        for (XmlElement disk : xml.at("devices").map(devices -> devices.all("disk")).orElse(List.of())) {
            disks.sort(disk, found);
        }
        for (String word : selection) {
            if (!found.contains(word)) {
                throw new LibvirtException("The domain " + domain.name() + " has no disk '" + word + "': it has "
                        + String.join(", ", disks.targets()));
            }
        }
        disks.requireDifferentNames();
        return disks;
    }

    /** In the order of the definition. */
    List<LibvirtDisk> chosen() {
        return List.copyOf(chosen);
    }

    /** The targets of the disks and drives that are not backed up. */
    List<String> others() {
        return List.copyOf(others);
    }

    private void sort(XmlElement disk, Set<String> found) throws LibvirtException {
        String target = disk.attribute("dev", "target");
        String alias = disk.attribute("name", "alias");
        String qdev = qdev(disk);
        String name = knownNames.getOrDefault(qdev, target);
        List<String> words = selection.stream().filter(word -> List.of(name, target, alias).contains(word)).toList();
        found.addAll(words);
        if (selection.isEmpty() ? !isBackedUpByDefault(disk) : words.isEmpty()) {
            others.add(target);
            return;
        }
        if (disk.at("transient").isPresent()) {
            throw new LibvirtException("Disk " + target + " of " + domain.name()
                    + " is transient, of which libvirt makes no backups: leave it out by naming the others with --disk");
        }
        String format = disk.attribute("type", "driver");
        boolean storesBitmaps = format.equals("qcow2") && !isVersion2(disk.attribute("file", "source"));
        chosen.add(new LibvirtDisk(name, target, qdev, format, domain.capacity(target), storesBitmaps, DomainImages.chain(disk)));
    }

    /** Of qcow2, which has no place for bitmaps before version 3. What is not a file that we can read is believed to be of today. */
    private static boolean isVersion2(String file) {
        if (!file.startsWith("/")) {
            return false;
        }
        try (DataInputStream header = new DataInputStream(Files.newInputStream(Path.of(file)))) {
            return header.readInt() == QCOW_MAGIC && header.readInt() == 2;
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean isBackedUpByDefault(XmlElement disk) {
        String device = disk.attribute("device");
        return (device.isEmpty() || device.equals("disk"))
                && disk.at("readonly").isEmpty()
                && disk.at("transient").isEmpty()
                && disk.at("source").isPresent()
                && !disk.attribute("type").equals("vhostuser");
    }

    /**
     * What {@code query-block} says of the device: its id, or the path of the part of a virtio-blk device that has the disk, which
     * has no id.
     */
    static String qdev(XmlElement disk) {
        String alias = disk.attribute("name", "alias");
        return disk.attribute("bus", "target").equals("virtio") ? "/machine/peripheral/" + alias + "/virtio-backend" : alias;
    }

    private List<String> targets() {
        List<String> targets = new ArrayList<>(chosen.stream().map(LibvirtDisk::target).toList());
        targets.addAll(others);
        return targets;
    }

    private void requireDifferentNames() throws LibvirtException {
        Set<String> names = new HashSet<>();
        for (LibvirtDisk disk : chosen) {
            if (!names.add(disk.name())) {
                throw new LibvirtException("Two disks of " + domain.name() + " are called " + disk.name()
                        + ", one of them by an earlier point: leave one out by naming the others with --disk");
            }
        }
    }
}
