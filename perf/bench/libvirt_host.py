"""A libvirt daemon of its own with machines without an operating system, whose disks are empty."""
import os
import time

from .workshop import LAB, Trouble

PATIENCE = 60


class LibvirtHost:
    def __init__(self, shop, name):
        self.shop = shop
        self.folder = shop.path(name)
        os.makedirs(self.folder)
        os.chmod(shop.folder, 0o711)  # the user as whom libvirt runs QEMU is somebody else
        own = os.path.join(self.folder, "l")
        self.process = shop.start([os.path.join(LAB, "libvirt-host"), own])
        self.uri = "qemu+unix:///%s?socket=%s/libvirt-sock" % ("system" if os.geteuid() == 0 else "session", own)
        end = time.monotonic() + PATIENCE
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end:
                raise Trouble("libvirtd did not start: apt-get install libvirt-daemon-system libvirt-daemon-driver-qemu libvirt-clients")
            time.sleep(0.1)

    def answers(self):
        try:
            self.virsh("version")
            return True
        except Trouble:
            return False

    def virsh(self, *words):
        return self.shop.run(["virsh", "--quiet", "--connect", self.uri, *words])

    def start(self, name, size):
        """Starts a machine with an empty qcow2 disk of that size."""
        disk = os.path.join(self.folder, name + ".qcow2")
        self.shop.run(["qemu-img", "create", "-q", "-f", "qcow2", disk, str(size)])
        xml = os.path.join(self.folder, name + ".xml")
        with open(xml, "w") as out:
            out.write("""<domain type='qemu'><name>%s</name><memory unit='MiB'>64</memory>
                <os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features><devices>
                <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='%s'/><target dev='vda' bus='virtio'/></disk>
                <memballoon model='none'/></devices></domain>""" % (name, disk))
        self.virsh("define", xml)
        self.virsh("start", name)

    def close(self):
        for name in self.virsh("list", "--name").split():
            self.virsh("destroy", name)
        self.process.kill()
        self.process.wait()
