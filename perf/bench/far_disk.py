"""A 1 TiB disk with a thousand points behind it, in a store to which each request takes 20 ms more: opening it, and reading on and on."""
import os
import statistics
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
LONG = 1024 << 20
WARM_UP = (1024 << 20, 1280 << 20)
LINKS = {"1 Gbit/s": 125_000_000, "2.5 Gbit/s": 312_500_000}
LATEST = "big/vda@latest"


class FarDisk:
    """The repository, made once for all that is measured on it."""

    def __init__(self, shop):
        self.shop = shop
        self.environment = {**shop.host("far-disk"), "AWS_ACCESS_KEY_ID": "embedded", "AWS_SECRET_ACCESS_KEY": "embedded-secret"}
        near, far, *links = ("s3://far/big?region=us-east-1&endpoint=" + endpoint for endpoint in far_store.endpoints(shop, links=LINKS.values()))
        self.near, self.far = near, far
        self.links = dict(zip(LINKS, links))
        shop.run([shop.afterimage, "init", "--repo", self.near], **self.environment)
        shop.say("making a disk of 1 TiB with %d points" % POINTS)
        before, _ = self.java("BigDisk.java", self.near, self.environment["AFTERIMAGE_CACHE"], str(POINTS)).split()
        self.before = "big/vda@" + before

    def java(self, program, *arguments):
        libraries = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(self.shop.afterimage))), "lib", "*")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), program)
        return self.shop.run([self.shop.java(), "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", "-cp", libraries, source,
                              *arguments], **self.environment)

    def serve(self, *options, repository=None):
        """A server that knows nothing yet; its process and its socket."""
        path = os.path.join(tempfile.mkdtemp(dir=self.shop.folder), "s")
        child = self.shop.start([self.shop.afterimage, "serve", "--repo", repository or self.far, "--nbd", "unix:" + path, "--cache-disk", "0", *options],
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
    processor = {}

    def read(repository, length, at_once, *ends):
        """Seconds from the disk's beginning to each of the ends, and the processor time that the server takes for it."""
        child, path = disk.serve("--cache-memory", "1G", repository=repository)
        try:
            client = Nbd(path, LATEST)
            # A JVM is slow at first: for theirs, too, the second time counts. These frames are not those that are read then.
            client.stream(*WARM_UP, length, at_once)
            start, used, begin, taken = time.monotonic(), processor_time(child), 0, []
            for end in ends:
                client.stream(begin, end, length, at_once)
                begin = end
                taken.append((time.monotonic() - start, processor_time(child) - used))
            client.close()
            return taken
        finally:
            stop(child)

    def ours(name, repository, length, at_once):
        def run(_):
            (taken, used), = read(repository, length, at_once, SEQUENTIAL)
            processor.setdefault(name, []).append(used)
            return taken
        return run

    def longer(_):
        # What the JVM compiles it has compiled before the last part of it.
        *_, before, whole = read(disk.far, 1 << 20, 4, LONG - SEQUENTIAL, LONG)
        processor.setdefault("last", []).append(whole[1] - before[1])
        return whole[0] - before[0]

    def gets(repository, what="fetched"):
        def run(_):
            return float(disk.java("FarGets.java", repository, disk.environment["AFTERIMAGE_CACHE"], "big@latest", str(SEQUENTIAL // CHUNK), what).split()[-1])
        return run

    def add(what, taken, fetched, decoded):
        for against, seconds, budget in (("16 parallel ranged GETs", fetched, ">= 0.8"), ("the same, verified and decompressed", decoded, "")):
            table.add("cold sequential read, %d ms, %s" % (far_store.LATE, what), "%.0f MB/s" % (SEQUENTIAL / 1e6 / taken), against,
                      "%.0f MB/s" % (SEQUENTIAL / 1e6 / seconds), "%.2f" % (seconds / taken), budget)

    ways = {"1 MiB, four at once": (1 << 20, 4), "64 KiB, one at a time": (1 << 16, 1)}
    seconds = shop.interleaved("sequential", {**{how: ours(how, disk.far, *way) for how, way in ways.items()}, "last of 1 GiB": longer,
                                              "fetched": gets(disk.far), "decoded": gets(disk.far, "decoded")})
    for how in ways:
        add(how, seconds[how], seconds["fetched"], seconds["decoded"])
    add("the last 256 MiB of 1 GiB", seconds["last of 1 GiB"], seconds["fetched"], seconds["decoded"])
    for link, repository in disk.links.items():
        over = shop.interleaved("sequential, " + link, {"ours": ours(link, repository, 1 << 20, 4),
                                                           "fetched": gets(repository), "decoded": gets(repository, "decoded")})
        add(link, over["ours"], over["fetched"], over["decoded"])
    for how, name in (("1 MiB, four at once", "1 MiB, four at once"), ("the last 256 MiB of 1 GiB", "last"), *((link, link) for link in LINKS)):
        table.add("processor time of the server for 268 MB of it, %s" % how, "%.2f s" % statistics.median(processor[name]))


def processor_time(child):
    """What a child has taken so far, all its threads together; to the nanosecond, which /proc does not tell."""
    return time.clock_gettime((~child.pid << 3) | 2)
