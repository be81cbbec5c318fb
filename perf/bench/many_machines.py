"""A thousand machines from one base image, one percent of each changed: what they take in the repository."""
import os

from .workshop import folder_bytes

MACHINES = 1000
BASE = 64 << 20
CHANGED = BASE // 65536 // 100


def measure(shop, table):
    base, repository = shop.path("base.raw"), shop.path("many")
    with open(base, "wb") as out:
        for _ in range(BASE >> 20):
            out.write(os.urandom(1 << 20))
    environment = shop.host("many")
    shop.run([shop.afterimage, "init", "--repo", repository], **environment)
    libraries = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(shop.afterimage))), "lib", "*")
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ManyMachines.java")
    shop.say("backing up %d machines" % MACHINES)
    changed = int(shop.run([shop.java(), "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", "-cp", libraries, program,
                            repository, environment["AFTERIMAGE_CACHE"], base, str(MACHINES), str(CHANGED)]).split()[-1])
    stored, ideal = apparent_bytes(repository), BASE + changed
    table.add("%d machines from one base: stored" % MACHINES, "%.1f MB" % (stored / 1e6), "base + changes", "%.1f MB" % (ideal / 1e6),
              "%.3f" % (stored / ideal), "<= 1.05")
    table.add("the same as files of 4 KiB blocks", "%.1f MB" % (folder_bytes(repository) / 1e6))


def apparent_bytes(folder):
    """The lengths of the objects, which is what an object store counts."""
    return sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names)
