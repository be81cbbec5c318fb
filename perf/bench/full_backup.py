"""A first backup of a disk image into an empty repository: Afterimage, restic and Borg; and compression alone, which bounds what can be reached."""
import os
import statistics

from . import disk_image
from .workshop import folder_bytes

OURS = "Afterimage"
RESTIC = "restic"
BORG = "borg, lz4"
BORG_FIXED = "borg, zstd,3, fixed 4 MiB, sparse"
ZSTD = "zstd -1 -T0, to nowhere"


def measure(shop, table):
    image = disk_image.make(shop)
    data = os.stat(image).st_blocks * 512 / 1e6
    with open(image, "rb", buffering=0) as warm:
        while warm.read(1 << 22):
            pass  # the store is measured, and not the disk below the image
    stored = {}
    processor = {}

    def contender(name, init, backup):
        folder = "".join(filter(str.isalnum, name))

        def run(_):
            repository = shop.path("repositories", folder)
            shop.remove("hosts", folder)
            os.makedirs(repository)
            environment = shop.host(folder)
            fill_in = lambda words: [word.format(repository=repository, image=image) for word in words]
            shop.run(fill_in(init), **environment)
            taken, burnt = shop.cost(fill_in(backup), **environment)
            processor.setdefault(name, []).append(burnt)
            stored[name] = folder_bytes(repository) / 1e6
            shop.remove("repositories", folder)
            return taken
        return run

    seconds = shop.interleaved("full backup", {
        OURS: contender(OURS, [shop.afterimage, "init", "--repo", "{repository}"],
                        [shop.afterimage, "backup", "--repo", "{repository}", "disk", "--image", "vda={image}"]),
        RESTIC: contender(RESTIC, ["restic", "-q", "-r", "{repository}", "init"],
                          ["restic", "-q", "-r", "{repository}", "backup", "{image}"]),
        BORG: contender(BORG, ["borg", "init", "--encryption", "none", "{repository}"],
                        ["borg", "create", "{repository}::disk", "{image}"]),
        BORG_FIXED: contender(BORG_FIXED, ["borg", "init", "--encryption", "none", "{repository}"],
                              ["borg", "create", "--compression", "zstd,3", "--chunker-params", "fixed,4194304", "--sparse",
                               "{repository}::disk", "{image}"]),
        # Nothing read back, hashed, looked up or stored: no backup that compresses as we do can be quicker.
        ZSTD: contender(ZSTD, ["true"], ["zstd", "-q", "-1", "-T0", "-f", "{image}", "-o", "/dev/null"]),
    })
    peers = [RESTIC, BORG, BORG_FIXED]
    fastest = min(peers, key=seconds.get)
    what = "full backup, 4 GiB disk, %.0f MB of data" % data
    burnt = {name: statistics.median(times) for name, times in processor.items()}
    for name in [*peers, ZSTD]:
        table.add(what, rate(data, seconds[OURS]), name, rate(data, seconds[name]),
                  "%.2f x as fast" % (seconds[name] / seconds[OURS]), ">= 2" if name == fastest else "")
    for name in peers:
        table.add("its processor time", "%.1f s" % burnt[OURS], name, "%.1f s" % burnt[name], "%.2f x as much" % (burnt[OURS] / burnt[name]))
    for name in peers:
        table.add("its repository", "%.0f MB" % stored[OURS], name, "%.0f MB" % stored[name],
                  "%.2f x the size" % (stored[OURS] / stored[name]), "<= 1.1" if name == RESTIC else "")


def rate(megabytes, seconds):
    return "%.1f s, %.0f MB/s" % (seconds, megabytes / seconds)
