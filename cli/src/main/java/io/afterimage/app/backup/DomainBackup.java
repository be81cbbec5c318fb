package io.afterimage.app.backup;

import io.afterimage.capture.libvirt.LibvirtCut;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.time.Duration;

/** The backup of a machine of libvirt's. */
final class DomainBackup extends MachineBackup {

    private final LibvirtCut cut;

    /** @param cut prepared, and not made */
    DomainBackup(Repository repository, Job job, LibvirtCut cut, How how) {
        super(repository, job, cut, how);
        this.cut = cut;
    }

    @Override
    void freeze(Duration limit) throws IOException {
        cut.freeze(limit);
    }

    /** libvirt has done it with the cut. */
    @Override
    void open() {}
}
