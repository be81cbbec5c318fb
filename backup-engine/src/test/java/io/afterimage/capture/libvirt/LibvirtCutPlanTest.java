package io.afterimage.capture.libvirt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.capture.qemu.Changes;
import io.afterimage.capture.qemu.Checkpoint;
import io.afterimage.capture.qemu.CutPlan;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Which changes are believed. */
final class LibvirtCutPlanTest {

    private static final Checkpoint BASE = new Checkpoint("0123abcd", "0".repeat(32));
    private static final LibvirtDisk DISK = new LibvirtDisk("vda", "vda", "", "qcow2", 1 << 20, true, List.of("/new.qcow2", "/vda.qcow2"));
    private static final CutPlan.Base WHOLE = new CutPlan.Base(BASE.pointId(), "vda", 1 << 20, 0, Optional.of("/vda.qcow2"));

    private static Changes.Source changes(LibvirtDisk disk, CutPlan.Base base, DomainCheckpoint... checkpoints) {
        var machine = new LibvirtMachine(new LibvirtDomain(null, "web", "u"), List.of(disk), List.of(), () -> "qemu", List.of(checkpoints));
        var entry = new LibvirtCutPlan.Disk(disk, Optional.ofNullable(base));
        return new LibvirtCutPlan(machine, BASE.at("1".repeat(32)), List.of(entry), Path.of("/s"), 0).changes(entry);
    }

    private static DomainCheckpoint checkpoint(Checkpoint id, Set<String> sound) {
        return new DomainCheckpoint(id, Set.of("vda", "vdb"), sound);
    }

    @Test
    void aSoundCheckpointOfTheBaseIs() {
        assertEquals(new Changes.Source("", BASE.name(), 0, ""), changes(DISK, WHOLE, checkpoint(BASE, Set.of("vda"))));
    }

    @Test
    void allElseIsReadWhole() {
        DomainCheckpoint sound = checkpoint(BASE, Set.of("vda"));
        assertReason("does not have it", changes(DISK, null, sound));
        assertReason("no checkpoint of point", changes(DISK, WHOLE));
        assertReason("no checkpoint of point", changes(DISK, WHOLE, checkpoint(new Checkpoint("ffffffff", BASE.pointId()), Set.of("vda"))));
        assertReason("no checkpoint of point", changes(DISK, WHOLE, new DomainCheckpoint(BASE, Set.of("vdb"), Set.of("vdb"))));
        assertReason("is broken", changes(DISK, WHOLE, checkpoint(BASE, Set.of("vdb"))));
        assertReason("resized from 1048575", changes(DISK, new CutPlan.Base(BASE.pointId(), "vda", (1 << 20) - 1), sound));
        assertReason("of another image: it was in /vdb.qcow2", changes(
                DISK, new CutPlan.Base(BASE.pointId(), "vda", 1 << 20, 0, Optional.of("/vdb.qcow2")), sound));
        assertReason("of another image", changes(DISK, new CutPlan.Base(BASE.pointId(), "vda", 1 << 20), sound));
        assertReason("its format is raw", changes(new LibvirtDisk("vda", "vda", "", "raw", 1 << 20, false, List.of("/vda.qcow2")), WHOLE, sound));
        assertReason("of version 2", changes(new LibvirtDisk("vda", "vda", "", "qcow2", 1 << 20, false, List.of("/vda.qcow2")), WHOLE, sound));
    }

    private static void assertReason(String words, Changes.Source source) {
        assertTrue(!source.isRecorded() && source.reason().contains(words), source.toString());
    }

    @Test
    void aCheckpointThatSaysNoSizeIsBroken() throws LibvirtException {
        XmlElement xml = XmlElement.parse("""
                <domaincheckpoint><name>x</name><disks><disk name='vda' checkpoint='bitmap' bitmap='x' size='65536'/>
                <disk name='vdb' checkpoint='bitmap' bitmap='x'/><disk name='vdc' checkpoint='no'/></disks></domaincheckpoint>""");
        assertEquals(new DomainCheckpoint(BASE, Set.of("vda", "vdb"), Set.of("vda")), DomainCheckpoint.read(BASE, xml));
    }
}
