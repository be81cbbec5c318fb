"""A real QEMU without an operating system; its disk is written to through the device, so that bitmaps see it."""
import json
import os
import random

from .qmp import Qmp
from .workshop import Trouble

GRANULE = 64 << 10


class BareQemu:
    def __init__(self, shop, name, size):
        """Starts with an empty qcow2 disk of that size, called data."""
        self.folder = shop.path(name)
        self.size = size
        os.makedirs(self.folder)
        disk = os.path.join(self.folder, "disk.qcow2")
        shop.run(["qemu-img", "create", "-q", "-f", "qcow2", disk, str(size)])
        self.qmp = os.path.join(self.folder, "qmp")
        control = os.path.join(self.folder, "control")
        self.process = shop.start([
            "qemu-system-x86_64", "-name", name, "-machine", "q35", "-accel", "tcg", "-m", "64", "-nodefaults", "-display", "none",
            "-blockdev", json.dumps({"driver": "qcow2", "node-name": "data", "discard": "unmap",
                                     "file": {"driver": "file", "filename": disk, "node-name": "data-file"}}),
            "-device", "virtio-blk-pci,drive=data,id=device",
            "-qmp", "unix:%s,server=on,wait=off" % self.qmp, "-qmp", "unix:%s,server=on,wait=off" % control])
        self.control = Qmp(control, self.process)

    def scatter(self, total, seed):
        """Writes that many random bytes in pieces of 64 KiB to 1 MiB all over the disk, each on its own granules."""
        choose = random.Random(seed)
        source = os.path.join(self.folder, "piece")
        taken = set()
        left = total // GRANULE
        while left:
            granules = min(left, choose.randint(1, 16))
            first = choose.randrange(self.size // GRANULE - granules)
            piece = range(first, first + granules)
            if not taken.isdisjoint(piece):
                continue
            taken.update(piece)
            left -= granules
            with open(source, "wb") as out:
                out.write(os.urandom(granules * GRANULE))
            said = self.control.execute("human-monitor-command", **{"command-line": 'qemu-io -d /machine/peripheral/device/virtio-backend '
                                '"write -s %s %d %d"' % (source, first * GRANULE, granules * GRANULE)})
            if said:
                raise Trouble("QEMU cannot write to its disk: " + said.strip())

    def close(self):
        self.control.execute("quit")
        self.control.close()
        self.process.wait()
