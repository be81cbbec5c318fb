package io.afterimage.capture.libvirt;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** In which images libvirt has disks. */
final class DomainImagesTest {

    private static final String DOMAIN = """
            <domain><devices>
              <disk type='file'><source file='/over.qcow2' index='3'/><target dev='vda' bus='virtio'/><alias name='virtio-disk0'/>
                <backingStore type='file' index='1'><source file='/base.qcow2'/><backingStore/></backingStore></disk>
              <disk type='network'><source protocol='rbd' name='pool/image' index='1'><host name='mon'/></source>
                <target dev='sda' bus='scsi'/><alias name='scsi0-0-0-0'/></disk>
              <disk type='block'><source dev='/dev/vg/web'/><target dev='vdb' bus='virtio'/><alias name='virtio-disk1'/></disk>
              <disk type='network'><source protocol='http' name='http://web:secret@host/x'/><target dev='vdc' bus='virtio'/><alias name='virtio-disk2'/></disk>
              <disk type='file' device='cdrom'><target dev='sdb' bus='sata'/><alias name='sata0-0-0'/></disk>
            </devices></domain>""";

    @Test
    void anImageIsFoundByTheDevice() {
        assertEquals(Optional.of("/over.qcow2"), DomainImages.of("/machine/peripheral/virtio-disk0/virtio-backend", DOMAIN));
        assertEquals(Optional.of("name=pool/image protocol=rbd"), DomainImages.of("scsi0-0-0-0", DOMAIN));
        assertEquals(Optional.of("/dev/vg/web"), DomainImages.of("/machine/peripheral/virtio-disk1/virtio-backend", DOMAIN));
        assertEquals(Optional.of("name=http://web:***@host/x protocol=http"), DomainImages.of("/machine/peripheral/virtio-disk2/virtio-backend", DOMAIN));
        assertEquals(Optional.empty(), DomainImages.of("sata0-0-0", DOMAIN));
        assertEquals(Optional.empty(), DomainImages.of("virtio-disk7", DOMAIN));
        assertEquals(Optional.empty(), DomainImages.of("virtio-disk0", "no XML"));
    }

    @Test
    void aChainHasTheImageThatIsWrittenFirst() throws LibvirtException {
        List<XmlElement> disks = XmlElement.parse(DOMAIN).at("devices").orElseThrow().all("disk");
        assertEquals(List.of("/over.qcow2", "/base.qcow2"), DomainImages.chain(disks.get(0)));
        assertEquals(List.of("name=pool/image protocol=rbd"), DomainImages.chain(disks.get(1)));
        assertEquals(List.of(), DomainImages.chain(disks.get(4)));
    }
}
