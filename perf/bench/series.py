"""Three backups of one disk image: the first, one after 100 MiB of overwrites all over it, one when nothing has changed. Afterimage, restic and Borg; and
compression alone, which bounds what a first backup can reach."""
import os
import random
import statistics

from . import disk_image
from .workshop import folder_bytes

OURS = "Afterimage"
OURS_SMALLER = "Afterimage, level 6"
OURS_QUICKER = "Afterimage, level -4"
RESTIC = "restic"
BORG = "borg, lz4"
BORG_FIXED = "borg, zstd,3, fixed 4 MiB, sparse"
ZSTD = "zstd -1 -T0, to nowhere"
PEERS = [RESTIC, BORG, BORG_FIXED]

PIECE = 256 << 10
PIECES = 400
STAGES = ["full", "100 MiB overwritten", "nothing changed"]

INIT = {
    OURS: ["{afterimage}", "init", "--repo", "{repository}"],
    RESTIC: ["restic", "-q", "-r", "{repository}", "init"],
    BORG: ["borg", "init", "--encryption", "none", "{repository}"],
}
BACKUP = {
    OURS: ["{afterimage}", "backup", "--repo", "{repository}", "disk", "--image", "vda={image}"],
    RESTIC: ["restic", "-q", "-r", "{repository}", "backup", "{image}"],
    BORG: ["borg", "create", "{repository}::{stage}", "{image}"],
    BORG_FIXED: ["borg", "create", "--compression", "zstd,3", "--chunker-params", "fixed,4194304", "--sparse",
                 "{repository}::{stage}", "{image}"],
}
INIT[OURS_SMALLER], BACKUP[OURS_SMALLER] = INIT[OURS], BACKUP[OURS] + ["--compression-level", "6"]
INIT[OURS_QUICKER], BACKUP[OURS_QUICKER] = INIT[OURS], BACKUP[OURS] + ["--compression-level=-4"]
INIT[BORG_FIXED] = INIT[BORG]


def measure(shop, table):
    first = disk_image.make(shop)
    data = os.stat(first).st_blocks * 512 / 1e6
    overwritten = shop.path("overwritten.raw")
    shop.run(["cp", "--sparse=always", first, overwritten])
    overwrite(overwritten)
    image = shop.path("disk.raw")
    figures = {}
    alone = []
    for number in range(shop.rounds):
        names = list(BACKUP)
        names = names[number % len(names):] + names[:number % len(names)]
        for name in names:
            os.makedirs(shop.path("repositories", folder(name)))
            shop.run(filled(shop, INIT[name], name), **shop.host(folder(name)))
        for stage, source in zip(STAGES, [first, overwritten, None]):
            if source is not None:
                replace(shop, source, image)
            for name in names:
                os.sync()  # nobody waits for the disk with what another one has written
                cost = shop.cost(filled(shop, BACKUP[name], name, image, stage), **shop.host(folder(name)))
                stored = folder_bytes(shop.path("repositories", folder(name))) / 1e6
                figures.setdefault((name, stage), []).append((*cost, stored))
                shop.say("%s, round %d: %s %.2f s" % (stage, number + 1, name, cost.seconds))
            if stage == "full":
                # Nothing read back, hashed, looked up or stored: no backup that compresses as we do can be quicker.
                alone.append(shop.cost(["zstd", "-q", "-1", "-T0", "-f", image, "-o", "/dev/null"]).seconds)
        for name in names:
            shop.remove("repositories", folder(name))
            shop.remove("hosts", folder(name))
    tell(table, data, figures, statistics.median(alone))


def tell(table, data, figures, alone):
    median = lambda name, stage, what: statistics.median(figure[what] for figure in figures[name, stage])
    for stage in STAGES:
        fastest = min(PEERS, key=lambda name: median(name, stage, 0))
        for name in [*PEERS, OURS_SMALLER, OURS_QUICKER]:
            table.add("%s: time" % stage, "%.1f s" % median(OURS, stage, 0), name, "%.1f s" % median(name, stage, 0),
                      "%.2f x the time" % (median(OURS, stage, 0) / median(name, stage, 0)), "<= 0.5" if name == fastest else "")
    table.add("full: time", "%.1f s" % median(OURS, "full", 0), ZSTD, "%.1f s" % alone, "%.2f x the time" % (median(OURS, "full", 0) / alone))
    for what, unit, number, stage in (("processor time", "s", 1, "full"), ("peak memory", "MiB", 2, "full"),
                                      ("stored", "MB", 3, "full"), ("stored in the end", "MB", 3, STAGES[-1])):
        for name in [*PEERS, OURS_SMALLER, OURS_QUICKER]:
            ours, theirs = median(OURS, stage, number), median(name, stage, number)
            table.add("%.0f MB of data: %s" % (data, what), "%.0f %s" % (ours, unit), name, "%.0f %s" % (theirs, unit),
                      "%.2f x as much" % (ours / theirs), "<= 1.1" if name == RESTIC and number == 3 else "")


def folder(name):
    return "".join(filter(str.isalnum, name))


def filled(shop, words, name, image="", stage=""):
    return [word.format(afterimage=shop.afterimage, repository=shop.path("repositories", folder(name)), image=image, stage=folder(stage))
            for word in words]


def overwrite(image):
    """Random bytes in pieces that do not keep to anybody's chunks, the same each time."""
    dice = random.Random(7)
    size = os.path.getsize(image)
    with open(image, "r+b") as disk:
        for _ in range(PIECES):
            disk.seek(dice.randrange((size - PIECE) // 4096) * 4096)
            disk.write(dice.randbytes(PIECE))


def replace(shop, source, image):
    """As its owner would have it after an hour: the same file, another content, and in the page cache: the store is measured, not the disk below the image."""
    shop.run(["cp", "--sparse=always", source, image])
    with open(image, "rb", buffering=0) as warm:
        while warm.read(1 << 22):
            pass
