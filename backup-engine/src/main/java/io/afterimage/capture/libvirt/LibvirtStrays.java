package io.afterimage.capture.libvirt;

import io.afterimage.capture.qemu.ScratchFolder;
import io.afterimage.capture.qemu.Strays.PointLookup;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What backups that were killed have left in libvirt and beside it. */
public final class LibvirtStrays {

    private LibvirtStrays() {}

    /**
     * Ends the backup job of a cut that no living backup holds, and removes all scratch of such, and the checkpoints of
     * {@code repository} whose points are not listed. To be called before each {@link LibvirtCut}.
     *
     * @param scratch where this machine's backups put their scratch
     * @param repository the first 8 hexadecimal digits of the repository's id; checkpoints of others are left alone
     * @return what could not be removed, a sentence each
     * @throws LibvirtException a backup of this machine is under way, ours or another program's
     */
    public static List<String> remove(LibvirtDomain domain, Path scratch, String repository, PointLookup points) throws IOException {
        List<String> left = new ArrayList<>();
        Set<Path> folders = new LinkedHashSet<>(ScratchFolder.ofMachine(scratch, LibvirtCut.machine(domain)));
        Optional<String> job = domain.backup();
        if (job.isPresent()) {
            folders.add(BackupJob.folder(job.get()).orElseThrow(() -> new LibvirtException("Another program has a backup of " + domain.name()
                    + " under way, and libvirt makes one at a time: wait until it is done, or end it by 'virsh domjobabort'")));
        }
        for (Path folder : folders) {
            if (ScratchFolder.isHeld(folder)) {
                throw new LibvirtException("Another backup of " + domain.name() + " is under way (its scratch is " + folder
                        + "): wait until it is done, or end it");
            }
            left.addAll(new CutEnd(domain, folder).run());
        }
        left.addAll(new LibvirtCheckpoints(domain).remove(
                checkpoint -> checkpoint.id().repository().equals(repository) && !points.exists(checkpoint.id().pointId())));
        return left;
    }
}
