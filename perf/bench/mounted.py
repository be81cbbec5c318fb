"""Reads of a mounted point, whose chunks are in memory, against nbdfuse on nbdkit's memory plugin with the same bytes; and a long listing."""
import json
import os
import signal
import statistics
import time

MIB = 1 << 20
SIZE = 256 * MIB
POINTS = 10_000
SECONDS = 3


def measure(shop, table):
    image = shop.path("mounted.raw")
    with open(image, "wb") as out:
        for _ in range(SIZE // MIB):
            out.write(os.urandom(MIB))
    ours, mount = mounted(shop, image)
    peer, nbdfuse = peers(shop, image)
    try:
        files = {"Afterimage": ours, "nbdfuse": peer}
        for path in files.values():  # chunks into memory, code compiled
            shop.run(["cmp", image, path])
            random_reads(shop, path)
        for what, budget, rate, unit in (
                ("sequential read, cold page cache", ">= 1.0", sequential, "%.0f MB/s"), ("4 KiB random reads, one at a time", ">= 1.0", random_reads, "%.0f /s"),
                ("4 KiB random reads, 16 at a time", "", lambda shop, path: random_reads(shop, path, 16), "%.0f /s")):
            rates = {name: [] for name in files}
            for number in range(shop.rounds):
                for name in list(files)[::-1 if number % 2 else 1]:
                    rates[name].append(rate(shop, files[name]))
                    shop.say("%s, round %d: %s %s" % (what, number + 1, name, unit % rates[name][-1]))
            middle = {name: statistics.median(values) for name, values in rates.items()}
            table.add("mount, " + what, unit % middle["Afterimage"], "nbdfuse, nbdkit memory", unit % middle["nbdfuse"],
                      "%.2f x as fast" % (middle["Afterimage"] / middle["nbdfuse"]), budget)
        listing(shop, table, os.path.dirname(os.path.dirname(ours)))
    finally:
        for path in (os.path.dirname(peer), shop.path("past")):
            shop.run(["sh", "-c", "umount -l '%s' || true" % path])
        for child in (mount, nbdfuse):
            child.send_signal(signal.SIGTERM)
            child.wait()
    for name in ("mounted", "mounted.raw"):
        shop.remove(name)


def mounted(shop, image):
    repository, past, environment = shop.path("mounted"), shop.path("past"), shop.host("mounted")
    os.mkdir(past)
    shop.run([shop.afterimage, "init", "--repo", repository], **environment)
    shop.run([shop.afterimage, "backup", "--repo", repository, "web", "--image", "vda=" + image], **environment)
    child = shop.start([shop.afterimage, "mount", "--repo", repository, past], env={**os.environ, **environment})
    path = os.path.join(past, "web", "latest", "vda.raw")
    await_path(path)
    return os.path.realpath(path), child


def peers(shop, image):
    socket, folder = shop.path("nbd.sock"), shop.path("nbdfuse")
    os.mkdir(folder)
    shop.start(["nbdkit", "-f", "-U", socket, "memory", str(SIZE)])
    await_path(socket)
    shop.run(["nbdcopy", image, "nbd+unix:///?socket=" + socket])
    child = shop.start(["nbdfuse", "-r", folder, "nbd+unix:///?socket=" + socket])
    await_path(os.path.join(folder, "nbd"))
    return os.path.join(folder, "nbd"), child


def await_path(path):
    while not os.path.exists(path):
        time.sleep(0.05)


def forget(path):
    """Has the kernel drop the file's pages."""
    descriptor = os.open(path, os.O_RDONLY)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def sequential(shop, path):
    forget(path)
    return SIZE / 1e6 / shop.seconds(["dd", "if=" + path, "of=/dev/null", "bs=1M", "status=none"])


def random_reads(shop, path, jobs=1):
    out = shop.run(["fio", "--name=m", "--filename=" + path, "--readonly", "--ioengine=psync", "--rw=randread", "--bs=4k", "--direct=1", "--numjobs=%d" % jobs, "--thread",
                    "--group_reporting", "--time_based", "--runtime=%d" % SECONDS, "--size=%d" % SIZE, "--randrepeat=0", "--norandommap", "--output-format=json"])
    return json.loads(out[out.index("{"):])["jobs"][0]["read"]["iops"]


def listing(shop, table, folder):
    """A tree of many points: their names are all that a listing needs, so that the descriptors of most are empty here."""
    descriptors = shop.path("mounted", "points", "web")
    first = 0x019000000000
    for number in range(POINTS):
        open(os.path.join(descriptors, "%012x%020x.json" % (first + 1000 * number, number)), "w").close()
    time.sleep(3)  # until the mount looks again
    took = {}
    for what, act in (("names", lambda: os.listdir(folder)), ("names again", lambda: os.listdir(folder)),
                      ("stat of one point", lambda: os.stat(os.path.join(folder, names[5000]))), ("stat of each point", lambda: [os.stat(os.path.join(folder, name)) for name in names])):
        start = time.monotonic()
        names = act() if what.startswith("names") else (act(), names)[1]
        took[what] = time.monotonic() - start
    for what, seconds in took.items():
        table.add("mount, %d points: %s" % (len(names) - 2, what), "%.1f ms" % (seconds * 1000))
