package io.afterimage.capture.libvirt;

import io.afterimage.capture.GuestLoad;
import io.afterimage.capture.agent.AgentException;
import io.afterimage.capture.qemu.Changes;
import io.afterimage.capture.qemu.HeldCut;
import io.afterimage.capture.qemu.HeldDisk;
import io.afterimage.capture.qemu.QemuProcess;
import io.afterimage.capture.qemu.ScratchFolder;
import io.afterimage.capture.qemu.WatchdogProcess;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The disks of a running machine as they were at one instant, held by libvirt and readable over NBD, while the guest goes on writing.
 *
 * <p>The instant is libvirt's: {@code virDomainBackupBegin} in pull mode, of all disks, and of the checkpoint that the next point
 * counts from. The order of a backup is that of {@link io.afterimage.capture.qemu.Cut}. Whatever is not ended, by {@link #end} or
 * {@link #close}, by a kill of this process, of libvirt or of QEMU, loses no change: libvirt's older checkpoints record on. Thread-safe.
 */
public final class LibvirtCut extends HeldCut {

    /** For the guest's agent to thaw, when the watchdog is not there to see to it. */
    private static final Duration THAW_LIMIT = Duration.ofSeconds(20);

    private final LibvirtCutPlan plan;
    private final LibvirtDomain domain;
    private final ScratchFolder folder;
    private final LibvirtGuard guard;
    private final JobStarts starts;

    /**
     * A disk that is ready to be read as it was at the cut.
     *
     * @param uri {@code nbd+unix:///NAME?socket=PATH}, read-only; serves until the cut ends
     * @param changes since the base that was asked for
     */
    public record Disk(LibvirtDisk disk, URI uri, Changes changes) implements HeldDisk {

        @Override
        public String name() {
            return disk.name();
        }
    }

    private LibvirtCut(LibvirtCutPlan plan, ScratchFolder folder, WatchdogProcess watchdog) throws IOException {
        super(plan.checkpoint(), folder, watchdog);
        this.plan = plan;
        this.domain = plan.machine().domain();
        this.folder = folder;
        this.guard = new LibvirtGuard(plan, folder, this::giveUp);
        this.starts = JobStarts.listen(domain, plan.disks().size());
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
        String pointId = plan.checkpoint().pointId();
        // First, so that there is nothing which it does not take away.
        WatchdogProcess watchdog = LibvirtWatchdog.start(
                plan.machine().domain(), ScratchFolder.path(plan.scratch(), pointId), plan.checkpoint());
        ScratchFolder folder;
        try {
            folder = ScratchFolder.create(plan.scratch(), pointId, machine(plan.machine().domain()), plan.machine().user());
        } catch (IOException e) {
            watchdog.end(true);
            throw e;
        }
        LibvirtCut cut;
        try {
            cut = new LibvirtCut(plan, folder, watchdog);
        } catch (IOException e) {
            folder.close();
            ScratchFolder.delete(folder.path());
            watchdog.end(true);
            throw e;
        }
        try {
            var lack = cut.guard.shortOfSpace();
            if (lack.isPresent()) {
                throw new LibvirtException(lack.get());
            }
            for (int i = 0; i < plan.disks().size(); i++) {
                ScratchImage image = new ScratchImage(plan.disks().get(i).disk().size());
                folder.createImage(i, image.head(), image.length());
            }
            // One member of a group after the other, of which all begin at once.
            plan.machine().domain().connection().readSchema();
            cut.awaitWatchdog();
            return cut;
        } catch (IOException | RuntimeException e) {
            cut.fail(e);
            throw e;
        }
    }

    /**
     * Has libvirt ask the guest's agent to flush and freeze its file systems, as {@link io.afterimage.capture.qemu.Cut#freeze} does: whatever
     * happens to us, it is thawed when the time is over, or as soon as we are dead.
     *
     * @param limit from now to the thaw
     * @throws AgentException the guest is not frozen, and goes on; or, if {@linkplain AgentException#isStuck stuck}, will when its agent answers
     */
    public void freeze(Duration limit) throws IOException {
        freeze(LibvirtFreezer.NAME, limit);
    }

    /** A watchdog that lives goes on trying by itself, and {@link CutEnd} after it. */
    @Override
    protected void thawAfterWatchdog() throws IOException {
        if (isWatched()) {
            throw new AgentException("the watchdog has not yet thawed the guest");
        }
        try (LibvirtFreezer agent = LibvirtFreezer.of(domain)) {
            agent.thaw(THAW_LIMIT);
        }
    }

    @Override
    protected void cutDisks() throws IOException {
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
        guard.start();
    }

    @Override
    public long beforeNanos() {
        return started().map(JobStarts.Span::first).orElseGet(super::beforeNanos);
    }

    @Override
    public long afterNanos() {
        return started().map(JobStarts.Span::last).orElseGet(super::afterNanos);
    }

    /** Unless the host's clock was set meanwhile. */
    private Optional<JobStarts.Span> started() {
        return starts.told()
                .filter(span -> span.first() - super.beforeNanos() >= 0 && super.afterNanos() - span.last() >= 0);
    }

    @Override
    protected GuestLoad disksLoad() throws IOException {
        return domain.disksLoad();
    }

    @Override
    protected Optional<QemuProcess> findProcess() throws IOException {
        return QemuProcess.ofMachine(domain.uuid());
    }

    @Override
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

    @Override
    public void requireIntact() throws IOException {
        if (!guard.reason().isEmpty()) {
            throw new LibvirtException(guard.reason());
        }
        var trouble = guard.broken();
        if (trouble.isPresent()) {
            throw new LibvirtException(trouble.get());
        }
    }

    @Override
    protected void stopGuard() {
        guard.close();
        starts.close();
    }

    @Override
    protected String guardsReason() {
        return guard.reason();
    }

    @Override
    protected List<String> tearDown() {
        return new CutEnd(domain, folder.path()).run();
    }

    @Override
    protected List<String> removeCheckpoints(Outcome outcome) throws IOException {
        LibvirtCheckpoints checkpoints = new LibvirtCheckpoints(domain);
        return switch (outcome) {
            case COMMITTED -> checkpoints.removeReplaced(plan.checkpoint());
            case FAILED -> checkpoints.remove(checkpoint -> checkpoint.id().equals(plan.checkpoint()));
            case UNKNOWN -> List.of();
        };
    }
}
