package io.afterimage.app.backup;

import io.afterimage.capture.Capture;
import io.afterimage.capture.Progress;
import io.afterimage.capture.SourceDisk;
import io.afterimage.capture.libvirt.LibvirtCut;
import io.afterimage.manifest.DiskName;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** The backup of a machine of libvirt's. */
final class DomainBackup extends MachineBackup {

    private final Repository repository;
    private final Job job;
    private final LibvirtCut cut;

    /** @param cut prepared, and not made */
    DomainBackup(Repository repository, Job job, LibvirtCut cut) {
        super(job, cut);
        this.repository = repository;
        this.job = job;
        this.cut = cut;
    }

    @Override
    void freeze(Duration limit) throws IOException {
        cut.freeze(limit);
    }

    /** libvirt has done it with the cut. */
    @Override
    void open() {}

    @Override
    Capture.Sealed capture(Capture capture, Progress progress) throws IOException {
        List<CutSource> sources = new ArrayList<>();
        try {
            for (LibvirtCut.Disk disk : cut.disks()) {
                DiskName name = new DiskName(disk.disk().name());
                sources.add(CutSource.open(name, disk.uri(), disk.changes(), job.parent(), UnaryOperator.identity()));
            }
            List<SourceDisk> disks = sources.stream().map(CutSource::disk).toList();
            return capture.run(repository, job.writer(), disks, progress);
        } finally {
            sources.forEach(CutSource::close);
        }
    }
}
