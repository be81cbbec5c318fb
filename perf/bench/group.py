"""How far apart the disks of machines are cut that are backed up as a group."""
import json
import statistics

from .bare_qemu import BareQemu
from .libvirt_host import LibvirtHost

MEMBERS = (2, 4)
DOMAINS = 3
RUNS = 10
SIZE = 1 << 30
DIRTY = 1 << 20


def measure(shop, table):
    repository = shop.path("groups")
    environment = shop.host("groups")
    shop.run([shop.afterimage, "init", "--repo", repository], **environment)

    def spread(kind, members, *options):
        points = json.loads(shop.run(
            [shop.afterimage, "backup", "--repo", repository, "--group", "%s-%d" % (kind, members), "--json", *options], **environment))
        milliseconds = points[0]["group"]["spreadNanos"] / 1e6
        shop.say("group of %d, %s: %.1f ms" % (members, kind, milliseconds))
        return milliseconds

    def add(what, spreads):
        table.add("group of %s: from the first disk cut to the last one" % what, "%.1f ms" % statistics.median(spreads),
                  "worst of %d" % RUNS, "%.1f ms" % max(spreads), "", "milliseconds")

    machines = [BareQemu(shop, "g%d" % number, SIZE) for number in range(max(MEMBERS))]
    for members in MEMBERS:
        options = [word for number in range(members) for word in ("--member", "g%d=%s" % (number, machines[number].qmp))]
        spreads = []
        for run in range(RUNS):
            for number in range(members):
                machines[number].scatter(DIRTY, "%d %d %d" % (members, run, number))
            spreads.append(spread("qmp", members, *options))
        add("%d machines" % members, spreads)
    for machine in machines:
        machine.close()

    host = LibvirtHost(shop, "lv")
    names = ["d%d" % number for number in range(DOMAINS)]
    for name in names:
        host.start(name, SIZE)
    options = [*names, "--libvirt", host.uri, "--scratch", shop.path("lv", "s")]
    add("%d domains of libvirt's" % DOMAINS, [spread("libvirt", DOMAINS, *options) for _ in range(RUNS)])
    host.close()
    shop.remove("groups")
