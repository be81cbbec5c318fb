"""How long one waits for a list: the start of the program, as every short command pays it."""
import os


def measure(shop, table):
    small = shop.path("small.raw")
    with open(small, "wb") as out:
        out.write(os.urandom(1 << 20))
    ours, restic, borg = (shop.path("startup", name) for name in ("ours", "restic", "borg"))
    environment = shop.host("startup")
    os.makedirs(shop.path("startup"))
    for command in ([shop.afterimage, "init", "--repo", ours], [shop.afterimage, "backup", "--repo", ours, "small", "--image", "vda=" + small],
                    ["restic", "-q", "-r", restic, "init"], ["restic", "-q", "-r", restic, "backup", small],
                    ["borg", "init", "--encryption", "none", borg], ["borg", "create", borg + "::small", small]):
        shop.run(command, **environment)
    lists = {
        "Afterimage": [shop.afterimage, "list", "--repo", ours],
        "restic snapshots": ["restic", "-q", "-r", restic, "snapshots"],
        "borg list": ["borg", "list", borg]}
    seconds = shop.interleaved("start-up", {
        # The best of a few: what is asked is what the program needs, not what disturbs it.
        name: lambda _, command=command: min(shop.seconds(command, **environment) for _ in range(3)) for name, command in lists.items()})
    for peer in ("restic snapshots", "borg list"):
        table.add("list, one point", "%.2f s" % seconds["Afterimage"], peer, "%.2f s" % seconds[peer],
                  "%.2f x the time" % (seconds["Afterimage"] / seconds[peer]))
    shop.remove("startup")
