package io.afterimage.capture.libvirt;

import io.afterimage.capture.agent.AgentException;
import io.afterimage.capture.qemu.ScratchFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Takes one cut out of libvirt: its backup job, and its scratch; not its checkpoint. It goes by what libvirt says is there, so it may
 * be run at any time, by anybody, again and again.
 */
final class CutEnd {

    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final Duration LOOK_AGAIN = Duration.ofMillis(50);

    private final LibvirtDomain domain;
    private final Path folder;

    /** @param folder the cut's; by it, its job is told from those of others */
    CutEnd(LibvirtDomain domain, Path folder) {
        this.domain = domain;
        this.folder = folder;
    }

    /** Returns what could not be done, a sentence each; empty when nothing is left. */
    List<String> run() {
        List<String> left = new ArrayList<>();
        try {
            thawGuest();
            if (isUnderWay()) {
                boolean guestWaits = domain.state() == DomainState.STOPPED_BY_IO_ERROR && domain.lacksSpace();
                domain.abortJob();
                awaitEnd();
                if (guestWaits) {
                    // If it was not our scratch that was full, the guest stops again at once.
                    domain.resume();
                }
            }
            ScratchFolder.delete(folder);
        } catch (IOException e) {
            left.add(e.getMessage());
        }
        return left;
    }

    /** If the backup that froze it, and its watchdog, have not seen to it. */
    private void thawGuest() throws IOException {
        if (ScratchFolder.frozen(folder).isEmpty()) {
            return;
        }
        try (LibvirtFreezer agent = LibvirtFreezer.of(domain)) {
            agent.thaw(LIMIT);
        } catch (AgentException e) {
            if (domain.state().isActive()) {
                throw new LibvirtException("The guest of " + domain.name() + " may still be frozen, since " + e.getMessage()
                        + ": 'virsh domfsthaw' thaws it", e);
            }
        }
        ScratchFolder.noteThawed(folder);
    }

    /** Whether libvirt still has the job. */
    boolean isUnderWay() throws LibvirtException {
        Optional<String> job = domain.backup();
        return job.isPresent() && BackupJob.folder(job.get()).filter(folder::equals).isPresent();
    }

    private void awaitEnd() throws LibvirtException {
        long giveUp = System.nanoTime() + LIMIT.toNanos();
        while (isUnderWay()) {
            if (System.nanoTime() - giveUp > 0) {
                throw new LibvirtException("The backup job of " + domain.name() + " does not end: 'virsh domjobabort' ends it");
            }
            try {
                TimeUnit.MILLISECONDS.sleep(LOOK_AGAIN.toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new LibvirtException("interrupted while a backup job was ending", e);
            }
        }
    }
}
