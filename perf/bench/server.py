"""A server of disks on a unix socket, ours or qemu-nbd, for as long as it is needed."""
import os
import subprocess
import threading
import time

from .workshop import Trouble

PATIENCE = 120


class Server:
    """Afterimage's, in a new process: nothing is in its memory."""

    def __init__(self, shop, environment, options=()):
        self.socket = shop.path("nbd.sock")
        command = [shop.afterimage, "serve", "--nbd", "unix:" + self.socket, *options]
        self.child = shop.start(command, stdout=subprocess.PIPE, env={**os.environ, **environment})
        overdue = threading.Timer(PATIENCE, self.child.kill)
        overdue.start()
        if b"Serving on" not in self.child.stdout.readline():
            raise Trouble("%s does not serve (its words are above)." % " ".join(command))
        overdue.cancel()

    def uri(self, selector):
        return "nbd+unix:///%s?socket=%s" % (selector, self.socket)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.terminate()
        self.child.stdout.close()
        self.child.wait()


class QemuNbd:
    """QEMU's, of a raw file."""

    def __init__(self, shop, image):
        self.socket = shop.path("qemu-nbd.sock")
        self.child = shop.start(["qemu-nbd", "--persistent", "--read-only", "--shared=8", "--format=raw", "--socket=" + self.socket, image])
        end = time.monotonic() + PATIENCE
        while not os.path.exists(self.socket):
            if self.child.poll() is not None or time.monotonic() > end:
                raise Trouble("qemu-nbd does not serve %s (its words are above)." % image)
            time.sleep(0.01)

    def uri(self, _):
        return "nbd+unix:///?socket=" + self.socket

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.terminate()
        self.child.wait()
        if os.path.exists(self.socket):
            os.remove(self.socket)
