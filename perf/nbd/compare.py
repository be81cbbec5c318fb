#!/usr/bin/python3
"""NBD reads side by side: Afterimage, nbdkit's file plugin and qemu-nbd on the same bytes, warm, and the least that a server can do.

Of Afterimage there are two: "ours" is the NBD server over buffers in memory, "image" the whole program, whose "serve" shows a point of a
repository with the same bytes, all of them in the cache in memory. AFTERIMAGE names another program than the one just built.

All servers run for the whole time; every round measures each of them once per case, in changing order, so that whatever else
the machine does falls on all alike. Printed are medians over the rounds, their ratios, the p99 latency, and below that the quartiles
of the rounds. The client is load.c, which costs little, or fio with its nbd engine, which at 4 KiB costs more than the servers do and
so measures itself. ceiling.c answers from memory and does nothing else: "ceiling" sleeps until there is a request, "spinner" looks for
a moment first. They are a guide to what this machine gives, though no bound.

With one request in flight a client is as fast as one wake-up, and that differs by a factor of two to four between a processor that runs
anyway and one that has to be woken, whoever serves. Which of them it is the scheduler decides anew in each run, so there are more
rounds of these cases, and shorter ones.

What misses its budget (1.3 times nbdkit, 2.5 times qemu-nbd, a p99 no worse than the better one's) has a mark: "!" where ceiling or
spinner keeps it, "~" where even they do not.

    perf/nbd/compare.py [--client load|fio] [--rounds N] [--seconds S] [--single-rounds N] [--single-seconds S] [--size MIB]
                        [--mode memory|file] [--cases WORD]... [--without NAME]...

Needs: gcc, fio, nbdkit, qemu-utils, the compiled module (mvn -pl nbd-server test-compile), and for the image the program (make build).
"""
import argparse, glob, json, os, shutil, signal, statistics, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CASES = [  # name, bs, rw, iodepth, connections
    ("4k-qd1", "4k", "randread", 1, 1),
    ("4k-qd32", "4k", "randread", 32, 1),
    ("64k-qd16", "64k", "randread", 16, 1),
    ("1m-qd8", "1m", "read", 8, 1),
    ("4k-qd1-x4", "4k", "randread", 1, 4),
    ("4k-qd32-x4", "4k", "randread", 32, 4),
    ("64k-qd16-x4", "64k", "randread", 16, 4),
    ("1m-qd8-x4", "1m", "read", 8, 4),
]
PORTS = {"ours": 10871, "image": 10875, "nbdkit": 10872, "qemu-nbd": 10873, "ceiling": 10874, "spinner": 10876}
EXPORTS = {"nbdkit": "", "image": "machine/vda@latest"}
OURS = ["ours", "image"]
BUDGETS = {"nbdkit": 1.3, "qemu-nbd": 2.5}
LEAST = ["ceiling", "spinner"]  # what nobody needs less than
SPIN_MICROSECONDS = 200


def classpath(work):
    target = os.path.join(work, "classpath")
    subprocess.run(["mvn", "-o", "-q", "-pl", "nbd-server", "dependency:build-classpath", "-Dmdep.outputFile=" + target,
                    "-Dmdep.includeScope=test"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    module = os.path.join(ROOT, "nbd-server", "target")
    return ":".join([os.path.join(module, "classes"), os.path.join(module, "test-classes"), open(target).read()])


def java():
    homes = [os.environ.get("JAVA25_HOME", "")] + sorted(glob.glob("/usr/lib/jvm/*25*"))
    for home in homes:
        if home and os.access(os.path.join(home, "bin", "java"), os.X_OK):
            return os.path.join(home, "bin", "java")
    sys.exit("no JDK 25 found; set JAVA25_HOME")


def program(work, image, size):
    """The command that serves a point with these bytes."""
    afterimage = os.environ.get("AFTERIMAGE") or os.path.join(ROOT, "cli", "target", "afterimage", "bin", "afterimage")
    repository = os.path.join(work, "repository")
    os.environ["AFTERIMAGE_CACHE"] = os.path.join(work, "cache")
    for words in (["init"], ["backup", "machine", "--image", "vda=" + image]):
        subprocess.run([afterimage, *words, "--repo", repository], check=True, stdout=subprocess.DEVNULL)
    return [afterimage, "serve", "--repo", repository, "--cache-memory", "%dM" % (2 * size), "--cache-disk", "0"]


def start(work, names, image, size, mode, extra):
    servers = []
    for name in names:
        unix, port = os.path.join(work, name), str(PORTS[name])
        if name == "ours":
            lines = [[java(), "-Xmx512m", "-XX:MaxDirectMemorySize=2g", "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED",
                      "--sun-misc-unsafe-memory-access=allow", "-Dio.netty.leakDetection.level=disabled",
                      *extra, "-cp", classpath(work), "io.afterimage.nbd.server.ServeFile", mode, image, unix, port]]
        elif name == "image":
            lines = [program(work, image, size) + ["--nbd", "unix:" + unix, "--nbd", "tcp:127.0.0.1:" + port]]
        elif name == "nbdkit":
            base = ["nbdkit", "-f", "-r"]
            lines = [base + ["-U", unix, "file", image], base + ["-i", "127.0.0.1", "-p", port, "file", image]]
        elif name == "qemu-nbd":
            base = ["qemu-nbd", "-r", "-f", "raw", "-t", "-e", "16", "-x", "e", "--cache=writeback"]
            lines = [base + ["-k", unix, image], base + ["-b", "127.0.0.1", "-p", port, image]]
        else:
            lines = [[os.path.join(work, "ceiling.bin"), image, unix, port] + ([str(SPIN_MICROSECONDS)] if name == "spinner" else [])]
        servers += [subprocess.Popen(line, stdout=subprocess.DEVNULL) for line in lines]
    for name in names:
        while not os.path.exists(os.path.join(work, name)):
            time.sleep(0.05)
    time.sleep(1)
    return servers


def export(name):
    return EXPORTS.get(name, "e")


def uri(work, name, transport):
    if transport == "unix":
        return "nbd+unix:///%s?socket=%s" % (export(name), os.path.join(work, name))
    return "nbd://127.0.0.1:%d/%s" % (PORTS[name], export(name))


def measure_by_fio(work, name, transport, case, size, seconds):
    _, bs, rw, depth, jobs = case
    done = subprocess.run(
        ["fio", "--name=m", "--ioengine=nbd", "--uri=" + uri(work, name, transport), "--rw=" + rw, "--bs=" + bs, "--size=%dm" % size,
         "--iodepth=%d" % depth, "--numjobs=%d" % jobs, "--group_reporting", "--time_based", "--runtime=%g" % seconds,
         "--randrepeat=0", "--norandommap", "--output-format=json"], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    read = json.loads(done.stdout[done.stdout.index("{"):])["jobs"][0]["read"]
    return read["iops"], read["clat_ns"]["percentile"]["99.000000"] / 1000


def measure_by_load(work, name, transport, case, size, seconds):
    _, bs, rw, depth, connections = case
    place = "unix:" + os.path.join(work, name) if transport == "unix" else "tcp:%d" % PORTS[name]
    bytes_ = int(bs[:-1]) << {"k": 10, "m": 20}[bs[-1]]
    done = subprocess.run([os.path.join(work, "load"), place, export(name), str(bytes_), rw, str(depth),
                           str(connections), str(seconds)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    iops, _, p99 = map(float, done.stdout.split())
    return iops, p99


def quartiles(values):
    ordered = sorted(values)
    return ordered[len(ordered) // 4], ordered[3 * len(ordered) // 4]


def mark(name, names, keeps):
    """Whether what keeps a budget does: " " if this contender, "!" if not it but one of those that do least, "~" if none of them."""
    return " " if keeps(name) else "!" if any(keeps(least) for least in LEAST if least in names) else "~"


def ratio(iops, mine, peer):
    return "%10.2f%s" % (iops[mine] / iops[peer], mark(mine, iops, lambda name: iops[name] >= BUDGETS[peer] * iops[peer]))


def latency(p99, name):
    best = min((p99[peer] for peer in BUDGETS if peer in p99), default=float("inf"))
    return "%.0f" % p99[name] + (mark(name, p99, lambda which: p99[which] <= best).strip() if name in OURS else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--client", choices=["load", "fio"], default="load")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--single-rounds", type=int, default=25, help="rounds of the cases with one request in flight")
    parser.add_argument("--single-seconds", type=float, default=0.2)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--mode", choices=["memory", "file"], default="memory")
    parser.add_argument("--cases", action="append", default=[])
    parser.add_argument("--without", action="append", default=[], choices=list(PORTS), help="a contender to leave out")
    parser.add_argument("--java", action="append", default=[], help="more options for the JVM")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))  # so that the servers end, too
    work = tempfile.mkdtemp(prefix="nbdperf")
    servers = []
    try:
        image = os.path.join(work, "disk.raw")
        with open(image, "wb") as out:
            for _ in range(arguments.size):
                out.write(os.urandom(1 << 20))
        for program, name in (("load.c", "load"), ("ceiling.c", "ceiling.bin")):
            source = os.path.join(os.path.dirname(os.path.abspath(__file__)), program)
            subprocess.run(["gcc", "-O2", "-pthread", "-o", os.path.join(work, name), source], check=True)
        measure = measure_by_load if arguments.client == "load" else measure_by_fio
        names = [name for name in PORTS if name not in arguments.without]
        ratios = [(mine, peer) for mine in OURS for peer in BUDGETS if mine in names and peer in names]
        servers = start(work, names, image, arguments.size, arguments.mode, arguments.java)
        print("%-16s" % "case" + "".join("%10s" % name for name in names) + "".join("%11s" % (mine[0] + "/" + peer) for mine, peer in ratios)
              + "   p99 us: " + " / ".join(names), flush=True)
        chosen = [(transport, case) for transport in ("unix", "tcp") for case in CASES
                  if not arguments.cases or any(word in transport + " " + case[0] for word in arguments.cases)]
        for name in names:  # warm up: compiled code, caches
            for transport in sorted({transport for transport, _ in chosen}):
                for case in CASES[3:0:-1]:
                    measure(work, name, transport, case, arguments.size, 2 if name in OURS else 0.5)
        for transport, case in chosen:
            results = {name: [] for name in names}
            single = case[3] == 1
            for round_ in range(arguments.single_rounds if single else arguments.rounds):
                first = round_ % len(names)
                for name in names[first:] + names[:first]:
                    results[name].append(measure(work, name, transport, case, arguments.size,
                                                 arguments.single_seconds if single else arguments.seconds))
            iops = {name: statistics.median(r[0] for r in results[name]) for name in names}
            p99 = {name: statistics.median(r[1] for r in results[name]) for name in names}
            print("%-16s" % (transport + " " + case[0]) + "".join("%10.0f" % iops[name] for name in names)
                  + "".join(ratio(iops, mine, peer) for mine, peer in ratios)
                  + "   " + " / ".join(latency(p99, name) for name in names), flush=True)
            spread = {name: quartiles([r[0] for r in results[name]]) for name in names}
            for label, which in (("  lower quartile", 0), ("  upper quartile", 1)):
                print("%-16s" % label + "".join("%10.0f" % spread[name][which] for name in names), flush=True)
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            server.wait()
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
