"""A 1 TiB disk with a thousand points behind it, in a store to which each request takes 20 ms more: opening it, and reading on and on."""
import os
import subprocess
import tempfile
import time

from . import far_store
from .nbd import Nbd
from .workshop import Trouble

POINTS = 1000
HEAP = "256m"
CHUNK = 65536
SEQUENTIAL = 256 << 20
WARM_UP = (256 << 20, 512 << 20)
LATEST = "big/vda@latest"


class FarDisk:
    """The repository, made once for all that is measured on it."""

    def __init__(self, shop):
        self.shop = shop
        self.environment = {**shop.host("far-disk"), "AWS_ACCESS_KEY_ID": "embedded", "AWS_SECRET_ACCESS_KEY": "embedded-secret"}
        near, far = far_store.endpoints(shop)
        self.near, self.far = ("s3://far/big?region=us-east-1&endpoint=" + endpoint for endpoint in (near, far))
        shop.run([shop.afterimage, "init", "--repo", self.near], **self.environment)
        shop.say("making a disk of 1 TiB with %d points" % POINTS)
        before, _ = self.java("BigDisk.java", self.near, self.environment["AFTERIMAGE_CACHE"], str(POINTS)).split()
        self.before = "big/vda@" + before

    def java(self, program, *arguments):
        libraries = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(self.shop.afterimage))), "lib", "*")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), program)
        return self.shop.run([self.shop.java(), "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", "-cp", libraries, source,
                              *arguments], **self.environment)

    def serve(self, *options):
        """A server that knows nothing yet; its process and its socket."""
        path = os.path.join(tempfile.mkdtemp(dir=self.shop.folder), "s")
        child = self.shop.start([self.shop.afterimage, "serve", "--repo", self.far, "--nbd", "unix:" + path, "--cache-disk", "0", *options],
                                stdout=subprocess.PIPE, text=True, env={**os.environ, **self.environment, "AFTERIMAGE_HEAP": HEAP})
        if "Serving" not in child.stdout.readline():
            raise Trouble("serve ended before it served")
        return child, path


def once(shop):
    if not hasattr(shop, "far_disk"):
        shop.far_disk = FarDisk(shop)
    return shop.far_disk


def stop(child):
    child.terminate()
    child.wait()


def open_disk(shop, table):
    disk = once(shop)

    def first(_):
        child, path = disk.serve()
        try:
            return opened(path, LATEST)
        finally:
            stop(child)

    def another(_):
        child, path = disk.serve()
        try:
            opened(path, disk.before)
            return opened(path, LATEST)
        finally:
            stop(child)

    def hundred(_):
        child, path = disk.serve()
        try:
            clients = []
            start = time.monotonic()
            for i in range(100):
                clients.append(Nbd(path, LATEST))
                clients[-1].read(i * 4096, 4096)
            taken = time.monotonic() - start
            for client in clients:
                client.close()
            return taken
        finally:
            stop(child)

    seconds = shop.interleaved("open", {"by a JVM just started": first, "after another": another, "a hundred": hundred})
    what = "open 1 TiB, %d points, read 4 KiB; %d ms, heap %s" % (POINTS, far_store.LATE, HEAP)
    table.add(what, "%.2f s" % seconds["after another"], budget="<= 0.5 s")
    table.add("the same as the first of all that a JVM does", "%.2f s" % seconds["by a JVM just started"], budget="<= 0.5 s")
    table.add("a hundred clients of it, one after the other", "%.2f s" % seconds["a hundred"])


def opened(path, export):
    start = time.monotonic()
    client = Nbd(path, export)
    client.read(0, 4096)
    taken = time.monotonic() - start
    client.close()
    return taken


def sequential(shop, table):
    disk = once(shop)

    def ours(length, at_once):
        def run(_):
            child, path = disk.serve("--cache-memory", "1G")
            try:
                client = Nbd(path, LATEST)
                # A JVM is slow at first: for theirs, too, the second time counts. These frames are not those that are read then.
                client.stream(*WARM_UP, length, at_once)
                start = time.monotonic()
                client.stream(0, SEQUENTIAL, length, at_once)
                taken = time.monotonic() - start
                client.close()
                return taken
            finally:
                stop(child)
        return run

    def gets(_):
        return float(disk.java("FarGets.java", disk.far, disk.environment["AFTERIMAGE_CACHE"], "big@latest", str(SEQUENTIAL // CHUNK)).split()[-1])

    seconds = shop.interleaved("sequential", {"1 MiB, four at once": ours(1 << 20, 4), "64 KiB, one at a time": ours(1 << 16, 1), "ranged GETs": gets})
    for how in ("1 MiB, four at once", "64 KiB, one at a time"):
        table.add("cold sequential read, %d ms, %s" % (far_store.LATE, how), "%.0f MB/s" % (SEQUENTIAL / 1e6 / seconds[how]), "16 parallel ranged GETs",
                  "%.0f MB/s" % (SEQUENTIAL / 1e6 / seconds["ranged GETs"]), "%.2f" % (seconds["ranged GETs"] / seconds[how]), ">= 0.8")
