"""How far apart the disks of machines are cut that are backed up as a group."""
import json
import statistics

from .bare_qemu import BareQemu

MEMBERS = (2, 4)
RUNS = 10
SIZE = 1 << 30
DIRTY = 1 << 20


def measure(shop, table):
    repository = shop.path("groups")
    environment = shop.host("groups")
    shop.run([shop.afterimage, "init", "--repo", repository], **environment)
    machines = [BareQemu(shop, "g%d" % number, SIZE) for number in range(max(MEMBERS))]
    for members in MEMBERS:
        spreads = []
        command = [shop.afterimage, "backup", "--repo", repository, "--group", "of-%d" % members, "--json"]
        for number in range(members):
            command += ["--member", "g%d=%s" % (number, machines[number].qmp)]
        for run in range(RUNS):
            for number in range(members):
                machines[number].scatter(DIRTY, "%d %d %d" % (members, run, number))
            points = json.loads(shop.run(command, **environment))
            spreads.append(points[0]["group"]["spreadNanos"] / 1e6)
            shop.say("group of %d, run %d: %.1f ms" % (members, run + 1, spreads[-1]))
        table.add("group of %d machines: from the first cut's begin to the last one's end" % members, "%.1f ms" % statistics.median(spreads),
                  "worst of %d" % RUNS, "%.1f ms" % max(spreads), "", "milliseconds")
    for machine in machines:
        machine.close()
    shop.remove("groups")
