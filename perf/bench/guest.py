"""A guest that boots: how long until it says that it is up, and how many bytes it asked its disk for."""
import json
import os
import socket
import subprocess
import threading
import time

from .workshop import Trouble

READY = b"AFTERIMAGE-GUEST-READY"
PATIENCE = 600


class Guest:
    def __init__(self, shop, accelerator, disk, name="guest", memory="512M"):
        """Starts QEMU on a raw file or an NBD URI as the command boot does: what the guest writes is gone when it ends."""
        self.shop = shop
        self.words = open(shop.path(name + ".log"), "w+")
        self.qmp = shop.path(name + ".qmp")
        self.begin = time.monotonic()
        self.command = [
            "qemu-system-x86_64", "-name", name, "-accel", accelerator, "-m", "size=" + memory, "-smp", "1", "-nodefaults", "-no-user-config",
            "-drive", "if=none,id=vda,snapshot=on,format=raw,file=" + disk, "-device", "virtio-blk-pci,drive=vda,bootindex=1",
            "-display", "none", "-serial", "stdio", "-qmp", "unix:%s,server=on,wait=off" % self.qmp]
        self.child = shop.start(self.command, stdout=subprocess.PIPE, stderr=self.words)

    def await_ready(self):
        """Seconds from its start to its word."""
        seconds = until_ready(self.child, self.begin)
        if seconds is None:
            self.words.seek(0)
            raise Trouble("%s ended, or went on for %d s, before the guest was up: %s" % (" ".join(self.command), PATIENCE, self.words.read().strip()))
        return seconds

    def bytes_asked(self):
        """What the guest has read of its disk so far, as QEMU counts it."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.qmp)
            lines = connection.makefile("rw", encoding="utf-8")
            lines.readline()  # the greeting
            for command in ("qmp_capabilities", "query-blockstats"):
                lines.write(json.dumps({"execute": command}) + "\n")
                lines.flush()
                answer = json.loads(lines.readline())
                while "event" in answer:
                    answer = json.loads(lines.readline())
        return next(device["stats"]["rd_bytes"] for device in answer["return"] if device["device"] == "vda")

    def close(self):
        self.child.terminate()
        self.child.stdout.close()
        self.child.wait()
        self.words.close()
        if os.path.exists(self.qmp):
            os.remove(self.qmp)


def until_ready(child, begin):
    """Seconds until a child that shows a guest's console has shown that it is up; None if it never does."""
    overdue = threading.Timer(PATIENCE, child.kill)
    overdue.start()
    try:
        for line in child.stdout:
            if READY in line:
                return time.monotonic() - begin
        return None
    finally:
        overdue.cancel()
