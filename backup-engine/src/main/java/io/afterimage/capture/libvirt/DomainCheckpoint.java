package io.afterimage.capture.libvirt;

import io.afterimage.capture.qemu.Checkpoint;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A checkpoint of Afterimage's, as libvirt has it: a dirty bitmap of one name on each of its disks.
 *
 * @param id whose name it bears
 * @param disks libvirt's names of the disks with a bitmap, or of which libvirt believes that they have one
 * @param sound those whose bitmap is there and has recorded all that was written since
 */
record DomainCheckpoint(Checkpoint id, Set<String> disks, Set<String> sound) {

    DomainCheckpoint {
        disks = Set.copyOf(disks);
        sound = Set.copyOf(sound);
    }

    /** Those of a domain that are Afterimage's, of whatever repository. */
    static List<DomainCheckpoint> of(LibvirtDomain domain) throws LibvirtException {
        List<DomainCheckpoint> found = new ArrayList<>();
        for (Map.Entry<String, String> each : domain.checkpoints().entrySet()) {
            Optional<Checkpoint> id = Checkpoint.parse(each.getKey());
            if (id.isPresent()) {
                found.add(read(id.get(), XmlElement.parse(each.getValue())));
            }
        }
        return found;
    }

    static DomainCheckpoint read(Checkpoint id, XmlElement xml) {
        Set<String> disks = new HashSet<>();
        Set<String> sound = new HashSet<>();
        for (XmlElement disk : xml.at("disks").map(all -> all.all("disk")).orElse(List.of())) {
            if (disk.attribute("checkpoint").equals("bitmap")) {
                disks.add(disk.attribute("name"));
                // libvirt asks QEMU for it, and QEMU counts in sound ones only.
                if (!disk.attribute("size").isEmpty()) {
                    sound.add(disk.attribute("name"));
                }
            }
        }
        return new DomainCheckpoint(id, disks, sound);
    }

    /** Deletes it from a running machine, and returns why it could not be, if so. */
    Optional<String> delete(LibvirtDomain domain) {
        try {
            domain.deleteCheckpoint(id.name(), true);
            return Optional.empty();
        } catch (LibvirtException e) {
            return forget(domain, e);
        }
    }

    /** libvirt does not delete a checkpoint of which a bitmap is gone, as after a crash of QEMU; then there is only a name to forget. */
    private Optional<String> forget(LibvirtDomain domain, LibvirtException refusal) {
        if (sound.containsAll(disks)) {
            return Optional.of(refusal.getMessage());
        }
        try {
            domain.deleteCheckpoint(id.name(), false);
            return Optional.empty();
        } catch (LibvirtException e) {
            return Optional.of(e.getMessage());
        }
    }
}
