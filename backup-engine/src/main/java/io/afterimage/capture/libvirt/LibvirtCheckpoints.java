package io.afterimage.capture.libvirt;

import io.afterimage.capture.qemu.Checkpoint;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Deletes checkpoints of Afterimage's from a running machine; those of other programs are never touched. */
final class LibvirtCheckpoints {

    private final LibvirtDomain domain;

    LibvirtCheckpoints(LibvirtDomain domain) {
        this.domain = domain;
    }

    /** Chooses. */
    @FunctionalInterface
    interface Choice {
        boolean includes(DomainCheckpoint checkpoint) throws IOException;
    }

    /**
     * Returns what could not be deleted, a sentence each. While the machine is off nothing is: only QEMU tells which bitmaps there are,
     * and libvirt would forget one that is.
     */
    List<String> remove(Choice choice) throws IOException {
        List<String> left = new ArrayList<>();
        if (domain.state().isActive()) {
            for (DomainCheckpoint checkpoint : DomainCheckpoint.of(domain)) {
                if (choice.includes(checkpoint)) {
                    checkpoint.delete(domain).ifPresent(left::add);
                }
            }
        }
        return left;
    }

    /** Deletes what a newer checkpoint of the same repository has replaced on all disks that it still tells of. */
    List<String> removeReplaced(Checkpoint newest) throws IOException {
        List<DomainCheckpoint> all = DomainCheckpoint.of(domain).stream()
                .filter(each -> each.id().repository().equals(newest.repository()))
                .toList();
        return remove(candidate -> candidate.id().repository().equals(newest.repository())
                && !candidate.id().equals(newest)
                && soundOnes(all, candidate.id()).containsAll(candidate.sound()));
    }

    /** The disks that checkpoints later than that one tell of; the ids of points are in the order of time. */
    private static Set<String> soundOnes(List<DomainCheckpoint> all, Checkpoint earlier) {
        Set<String> disks = new HashSet<>();
        all.stream()
                .filter(each -> each.id().pointId().compareTo(earlier.pointId()) > 0)
                .forEach(each -> disks.addAll(each.sound()));
        return disks;
    }
}
