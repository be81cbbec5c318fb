"""An increment of 100 MiB of new data on a small and on a huge disk of a running machine."""
import json
import statistics
import time

from .bare_qemu import BareQemu

DIRTY = 100 << 20
DISKS = {"4 GiB": 4 << 30, "400 GiB": 400 << 30}


def measure(shop, table):
    repository = shop.path("increments")
    environment = shop.host("increments")
    shop.run([shop.afterimage, "init", "--repo", repository], **environment)
    points = {name: [] for name in DISKS}
    machines = {name: BareQemu(shop, "m%d" % (size >> 30), size) for name, size in DISKS.items()}

    def back_up(name):
        machine = "disk-" + name.replace(" ", "")
        start = time.monotonic()
        said = shop.run([shop.afterimage, "backup", "--repo", repository, machine, "--qmp", machines[name].qmp, "--json"], **environment)
        return time.monotonic() - start, json.loads(said)

    for name in DISKS:
        machines[name].scatter(DIRTY, "base " + name)
        taken, _ = back_up(name)
        shop.say("increment, first backup of %s: %.2f s" % (name, taken))

    def increment(name):
        def run(number):
            machines[name].scatter(DIRTY, "%s %d" % (name, number))
            taken, point = back_up(name)
            points[name].append(point["bytes"])
            return taken
        return run

    seconds = shop.interleaved("increment", {name: increment(name) for name in DISKS})
    for name in DISKS:
        bytes_ = {key: statistics.median(point[key] for point in points[name]) for key in ("dirty", "read", "stored", "manifest")}
        table.add("increment, 100 MiB dirty of %s: stored" % name, mib(bytes_["stored"]), "dirty", mib(bytes_["dirty"]),
                  "%.4f" % (bytes_["stored"] / bytes_["dirty"]), "<= 1.02")
        table.add("increment, 100 MiB dirty of %s: manifest" % name, "%.0f KiB" % (bytes_["manifest"] / 1024))
    small, huge = (seconds[name] for name in DISKS)
    table.add("increment, 100 MiB dirty of 400 GiB", "%.2f s" % huge, "the same of 4 GiB", "%.2f s" % small,
              "%.2f x the time" % (huge / small), "about 1")
    for machine in machines.values():
        machine.close()
    shop.remove("increments")


def mib(count):
    return "%.2f MiB" % (count / 2**20)
