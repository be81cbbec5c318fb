package io.afterimage.app;

import io.afterimage.capture.libvirt.LibvirtCut;
import io.afterimage.capture.qemu.HostCommand;
import io.afterimage.catalog.Consistency;
import io.afterimage.manifest.MachineName;
import java.io.IOException;
import java.util.Optional;

/** The cut of a machine of libvirt's, step by step. */
final class DomainBackup implements CutMember {

    private final LibvirtCut cut;
    private final GuestConsistency guest;
    private long before;
    private long after;

    /** @param cut prepared, and not made; the caller's to end */
    DomainBackup(MachineName machine, LibvirtCut cut) {
        this.cut = cut;
        this.guest = new GuestConsistency(machine);
    }

    @Override
    public void freeze(Quiescing quiescing) throws IOException {
        guest.freeze(quiescing, () -> cut.freeze(quiescing.limit()));
    }

    @Override
    public void cut() throws IOException {
        before = System.nanoTime();
        cut.make();
        after = System.nanoTime();
    }

    @Override
    public void thaw(Quiescing quiescing) throws IOException {
        guest.thaw(quiescing, cut::thaw);
    }

    /** What the guest knew of the instant; empty when it was not asked. */
    Optional<Consistency> consistency() {
        return guest.found();
    }

    @Override
    public long beforeNanos() {
        return before;
    }

    @Override
    public long afterNanos() {
        return after;
    }

    @Override
    public void owe(HostCommand command) {
        cut.owed(command);
    }

    @Override
    public void paid() {
        cut.paid();
    }
}
