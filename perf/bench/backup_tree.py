"""A thousand machines whose disks are overlays on one base image, one percent of each written: what they take in the repository, and in time."""
import os

from .many_machines import apparent_bytes

MACHINES = 1000
BASE = 64 << 20
CHANGED = BASE // 65536 // 100


def measure(shop, table):
    base, repository, overlays = shop.path("tree-base.raw"), shop.path("tree"), shop.path("overlays")
    with open(base, "wb") as out:
        for _ in range(BASE >> 20):
            out.write(os.urandom(1 << 20))
    os.mkdir(overlays)
    environment = shop.host("tree")
    shop.run([shop.afterimage, "init", "--repo", repository], **environment)
    libraries = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(shop.afterimage))), "lib", "*")
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "BackupTree.java")
    shop.say("backing up %d overlays" % MACHINES)
    words = shop.run([shop.java(), "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", "-cp", libraries, program,
                      repository, environment["AFTERIMAGE_CACHE"], base, overlays, str(MACHINES), str(CHANGED)]).split()
    changed, seconds = int(words[-2]), float(words[-1])
    stored, ideal = apparent_bytes(repository), BASE + changed
    table.add("%d overlays on one base: stored" % MACHINES, "%.1f MB" % (stored / 1e6), "base + changes", "%.1f MB" % (ideal / 1e6),
              "%.3f" % (stored / ideal), "<= 1.05")
    table.add("their backups, one after the other", "%.3f s each" % (seconds / MACHINES))
