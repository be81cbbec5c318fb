package io.afterimage.capture.libvirt;

import io.afterimage.capture.agent.AgentException;
import io.afterimage.capture.qemu.Changes;
import io.afterimage.capture.qemu.Cut.Outcome;
import io.afterimage.capture.qemu.HostCommand;
import io.afterimage.capture.qemu.ScratchFolder;
import io.afterimage.capture.qemu.WatchdogProcess;
import java.io.Closeable;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The disks of a running machine as they were at one instant, held by libvirt and readable over NBD, while the guest goes on writing.
 *
 * <p>The instant is libvirt's: {@code virDomainBackupBegin} in pull mode, of all disks, and of the checkpoint that the next point
 * counts from. The order of a backup is that of {@link io.afterimage.capture.qemu.Cut}. Whatever is not ended, by {@link #end} or
 * {@link #close}, by a kill of this process, of libvirt or of QEMU, loses no change: libvirt's older checkpoints record on. Thread-safe.
 */
public final class LibvirtCut implements Closeable {

    private static final Logger LOG = LoggerFactory.getLogger(LibvirtCut.class);

    private final LibvirtCutPlan plan;
    private final LibvirtDomain domain;
    private final ScratchFolder folder;
    private final LibvirtGuard guard;
    private final WatchdogProcess watchdog;
    private Instant time = Instant.EPOCH;
    private boolean frozen;
    private boolean ended;

    /**
     * A disk that is ready to be read as it was at the cut.
     *
     * @param uri {@code nbd+unix:///NAME?socket=PATH}, read-only; serves until the cut ends
     * @param changes since the base that was asked for
     */
    public record Disk(LibvirtDisk disk, URI uri, Changes changes) {}

    private LibvirtCut(LibvirtCutPlan plan, ScratchFolder folder) throws IOException {
        this.plan = plan;
        this.domain = plan.machine().domain();
        this.folder = folder;
        this.guard = new LibvirtGuard(plan, folder, this::takeDown);
        this.watchdog = LibvirtWatchdog.start(domain, folder.path(), plan.checkpoint());
    }

    /** By what the scratch of a domain is found again. */
    static String machine(LibvirtDomain domain) {
        return "libvirt:" + domain.uuid();
    }

    /**
     * Makes the cut, of a guest that is not asked. {@link LibvirtStrays#remove} must have run before.
     *
     * @throws IOException one sentence; libvirt is then as it was before, as far as it still answers
     */
    public static LibvirtCut begin(LibvirtCutPlan plan) throws IOException {
        LibvirtCut cut = prepare(plan);
        try {
            cut.make();
            return cut;
        } catch (IOException | RuntimeException e) {
            cut.fail(e);
            throw e;
        }
    }

    /**
     * Does what can be done before the cut. {@link LibvirtStrays#remove} must have run before.
     *
     * @throws IOException one sentence; libvirt is then as it was before, as far as it still answers
     */
    public static LibvirtCut prepare(LibvirtCutPlan plan) throws IOException {
        ScratchFolder folder = ScratchFolder.create(
                plan.scratch(), plan.checkpoint().pointId(), machine(plan.machine().domain()), plan.machine().user());
        LibvirtCut cut;
        try {
            cut = new LibvirtCut(plan, folder);
        } catch (IOException e) {
            folder.close();
            ScratchFolder.delete(folder.path());
            throw e;
        }
        try {
            var lack = cut.guard.shortOfSpace();
            if (lack.isPresent()) {
                throw new LibvirtException(lack.get());
            }
            cut.watchdog.awaitReady();
            return cut;
        } catch (IOException | RuntimeException e) {
            cut.fail(e);
            throw e;
        }
    }

    private void fail(Exception cause) {
        end(Outcome.FAILED).forEach(left -> cause.addSuppressed(new LibvirtException(left)));
    }

    /**
     * Has libvirt ask the guest's agent to flush and freeze its file systems, as {@link io.afterimage.capture.qemu.Cut#freeze} does: whatever
     * happens to us, it is thawed when the time is over, or as soon as we are dead.
     *
     * @param limit from now to the thaw
     * @throws AgentException the guest is not frozen, and goes on; or, if {@linkplain AgentException#isStuck stuck}, will when its agent answers
     */
    public void freeze(Duration limit) throws IOException {
        folder.noteFrozen(LibvirtFreezer.NAME);
        frozen = true;
        try {
            watchdog.freeze(LibvirtFreezer.NAME, limit);
        } catch (AgentException e) {
            notFrozen(e);
            throw e;
        }
    }

    /**
     * Ends what {@link #freeze} began.
     *
     * @throws AgentException the guest was not frozen until now, so that the cut may be of any instant
     */
    public void thaw() throws IOException {
        if (!frozen) {
            return;
        }
        try {
            watchdog.thaw();
            frozen = false;
            ScratchFolder.noteThawed(folder.path());
        } catch (AgentException e) {
            notFrozen(e);
            throw e;
        }
    }

    /** The note of one that is stuck stays for {@link CutEnd}, which tries again. */
    private void notFrozen(AgentException failure) throws IOException {
        frozen = false;
        if (!failure.isStuck()) {
            ScratchFolder.noteThawed(folder.path());
        }
    }

    /** From now on until {@link #paid}, the command is run by the watchdog if we die. */
    public void owed(HostCommand command) {
        watchdog.owed(command);
    }

    /** Whoever owed the command has run it. */
    public void paid() {
        watchdog.paid();
    }

    /** Makes the cut: the disks show this instant, and can be read. */
    public void make() throws IOException {
        try {
            domain.beginBackup(BackupJob.backup(plan, folder), BackupJob.checkpoint(plan));
        } catch (LibvirtException e) {
            if (e.getMessage().contains("Permission denied")) {
                throw new LibvirtException("QEMU, which libvirt runs as user " + plan.machine().user().getName() + ", cannot use the scratch folder "
                        + folder.path() + ": choose one by --scratch to which that user, and AppArmor or SELinux, give it the way; "
                        + e.getMessage(), e);
            }
            throw e;
        }
        time = Instant.now();
        guard.start();
    }

    /** When libvirt had made the cut: no write that came later is in it. */
    public Instant time() {
        return time;
    }

    /** The disks in the plan's order. */
    public List<Disk> disks() {
        return IntStream.range(0, plan.disks().size()).mapToObj(this::disk).toList();
    }

    private Disk disk(int number) {
        LibvirtCutPlan.Disk entry = plan.disks().get(number);
        Changes.Source source = plan.changes(entry);
        return new Disk(
                entry.disk(),
                uri(entry.disk().name()),
                source.isRecorded()
                        ? new Changes.Recorded("qemu:dirty-bitmap:" + BackupJob.bitmap(number), -1, Optional.empty())
                        : new Changes.Unknown(source.reason()));
    }

    private URI uri(String export) {
        String socket = URLEncoder.encode(folder.nbdSocket().toString(), StandardCharsets.UTF_8)
                .replace("+", "%20").replace("%2F", "/");
        return URI.create("nbd+unix:///" + export + "?socket=" + socket);
    }

    /** Throws the reason why the cut no longer shows the disks as they were, if there is one. */
    public void requireIntact() throws IOException {
        if (!guard.reason().isEmpty()) {
            throw new LibvirtException(guard.reason());
        }
        var trouble = guard.broken();
        if (trouble.isPresent()) {
            throw new LibvirtException(trouble.get());
        }
    }

    /**
     * To be called when all is read and stored and the next step makes the point visible: from here on nobody but {@link #end}
     * removes its checkpoint.
     */
    public void committing() throws IOException {
        requireIntact();
        watchdog.committing();
    }

    /**
     * Takes the cut out of libvirt; readers should have disconnected, and are cut off if they have not. May be called again, which
     * does nothing; never throws, since it changes nothing about the outcome.
     *
     * @return what could not be cleaned up, a sentence each; the next backup's {@link LibvirtStrays#remove} tries again
     */
    public synchronized List<String> end(Outcome outcome) {
        if (ended) {
            return List.of();
        }
        ended = true;
        guard.close();
        try {
            thaw();
        } catch (IOException e) {
            LOG.info("The guest was not frozen until the end: {}", e.getMessage());
        }
        List<String> left = new ArrayList<>(new CutEnd(domain, folder.path()).run());
        try {
            left.addAll(removeCheckpoints(outcome));
        } catch (IOException e) {
            left.add("Checkpoints were not removed: " + e.getMessage());
        }
        try {
            watchdog.end(left.isEmpty());
            folder.close();
        } catch (IOException e) {
            left.add(e.getMessage());
        }
        left.forEach(sentence -> LOG.warn("After the backup of point {}: {}", plan.checkpoint().pointId(), sentence));
        return left;
    }

    /** Ends a cut whose point was not committed. */
    @Override
    public void close() {
        end(Outcome.FAILED);
    }

    private synchronized void takeDown() {
        if (!ended) {
            // Not a warning: requireIntact says it once more, as the reason why the backup failed.
            LOG.info("Giving up the backup of point {}: {}", plan.checkpoint().pointId(), guard.reason());
            new CutEnd(domain, folder.path()).run();
        }
    }

    private List<String> removeCheckpoints(Outcome outcome) throws IOException {
        LibvirtCheckpoints checkpoints = new LibvirtCheckpoints(domain);
        return switch (outcome) {
            case COMMITTED -> checkpoints.removeReplaced(plan.checkpoint());
            case FAILED -> checkpoints.remove(checkpoint -> checkpoint.id().equals(plan.checkpoint()));
            case UNKNOWN -> List.of();
        };
    }
}
