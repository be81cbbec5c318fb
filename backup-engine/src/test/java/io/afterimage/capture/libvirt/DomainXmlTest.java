package io.afterimage.capture.libvirt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What is read out of libvirt's XML, and written into it. */
final class DomainXmlTest {

    private static final String UEFI = """
            <domain type='kvm'><name>web</name><memory unit='KiB'>2097152</memory><vcpu placement='static' current='2'>4</vcpu>
              <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
                <loader readonly='yes' secure='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.ms.fd</loader>
                <nvram template='/usr/share/OVMF/OVMF_VARS_4M.ms.fd' format='qcow2'>/var/lib/libvirt/qemu/nvram/web_VARS.fd</nvram></os>
              <devices>
                <disk type='network' device='disk'><driver name='qemu' type='qcow2' discard='unmap'/>
                  <source protocol='rbd' name='pool/web'/><backingStore/><target dev='vda' bus='virtio'/></disk>
                <disk type='file' device='cdrom'><driver name='qemu' type='raw'/><target dev='sda' bus='sata'/></disk>
              </devices></domain>""";

    @Test
    void hardwareIsRead() throws LibvirtException {
        assertEquals(
                new DomainHardware(Optional.of(2L << 30), Optional.of(2), Optional.of("pc-q35-7.2"),
                        Optional.of("/usr/share/OVMF/OVMF_CODE_4M.ms.fd"), "raw", true, "qcow2"),
                DomainHardware.of(UEFI));
    }

    @Test
    void whatMakesNoSenseIsNotThere() throws LibvirtException {
        DomainHardware hardware = DomainHardware.of("""
                <domain><memory unit='EiB'>1</memory><vcpu>many</vcpu><os><loader type='rom'>/x</loader></os></domain>""");
        assertEquals(Optional.empty(), hardware.memory());
        assertEquals(Optional.empty(), hardware.processors());
        assertEquals(Optional.empty(), hardware.machine());
        assertEquals(Optional.empty(), hardware.loader());
        assertEquals(Optional.empty(), DomainHardware.of("<domain><memory unit='GiB'>99999999999999999</memory></domain>").memory());
    }

    @Test
    void aDocumentThatReachesOutIsRefused() {
        assertThrows(LibvirtException.class, () -> DomainHardware.of("""
                <!DOCTYPE domain [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><domain><memory>&x;</memory></domain>"""));
        assertThrows(LibvirtException.class, () -> DomainHardware.of("nothing"));
    }

    @Test
    void restoredFilesTakeThePlaceOfSources() throws LibvirtException {
        String restored = RestoredDomain.with(Map.of("vda", new RestoredDomain.Source(Path.of("/srv/a&b.raw"), false, "raw")), UEFI);
        XmlElement disk = XmlElement.parse(restored).at("devices", "disk").orElseThrow();
        assertEquals("file", disk.attribute("type"));
        assertEquals("raw", disk.attribute("type", "driver"));
        assertEquals("unmap", disk.attribute("discard", "driver"));
        assertEquals("/srv/a&b.raw", disk.attribute("file", "source"));
        assertFalse(restored.contains("rbd") || restored.contains("backingStore"), restored);
        assertTrue(restored.contains("OVMF_CODE_4M.ms.fd"), restored);
        assertEquals(DomainHardware.of(UEFI), DomainHardware.of(restored));
    }

    /** A domain that took an image for what it is not would show its guest a header. */
    @Test
    void restoredDisksAreOfTheirNewFormatAndKind() throws IOException {
        String domain = """
                <domain><devices><disk type='network'><auth username='x'/><source protocol='rbd' name='p/vda'/><target dev='vda'/><encryption format='luks'/></disk>
                <disk type='file'><driver name='qemu' type='qcow2'/><source file='/srv/vdb.qcow2'/><target dev='vdb'/></disk></devices></domain>""";
        String restored = RestoredDomain.with(
                Map.of("vda", new RestoredDomain.Source(Path.of("/srv/vda.qcow2"), false, "qcow2"),
                        "vdb", new RestoredDomain.Source(Path.of("/dev/vg0/b"), true, "raw")),
                domain);
        List<XmlElement> disks = XmlElement.parse(restored).at("devices").orElseThrow().all("disk");
        assertEquals("qcow2", disks.get(0).attribute("type", "driver"));
        assertEquals("/srv/vda.qcow2", disks.get(0).attribute("file", "source"));
        assertFalse(restored.contains("auth") || restored.contains("luks"), restored);
        assertEquals("block", disks.get(1).attribute("type"));
        assertEquals("raw", disks.get(1).attribute("type", "driver"));
        assertEquals("/dev/vg0/b", disks.get(1).attribute("dev", "source"));
    }

    @Test
    void ourJobsAreToldFromOthers() throws LibvirtException {
        String id = "01a1ff1f1315a8541bcd903b3df63472";
        assertEquals(Optional.of(Path.of("/s/afterimage-" + id)), BackupJob.folder("""
                <domainbackup mode='pull'><server transport='unix' socket='/x'/><disks><disk name='vda' backup='no'/>
                <disk name='vdb' backup='yes' type='file'><scratch file='/s/afterimage-%s/0.qcow2'/></disk></disks></domainbackup>""".formatted(id)));
        assertEquals(Optional.empty(), BackupJob.folder("""
                <domainbackup mode='pull'><disks><disk name='vdb' type='file'><scratch file='/s/vdb.qcow2'/></disk></disks></domainbackup>"""));
        assertEquals(Optional.empty(), BackupJob.folder("<domainbackup mode='push'/>"));
    }
}
