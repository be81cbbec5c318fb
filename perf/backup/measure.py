#!/usr/bin/python3
"""What a backup, an increment and a boot from the backup cost, measured from outside with the packaged program.

    perf/backup/measure.py [full] [increment] [boot] [--rounds N] [--peers] [--folder DIR]

full       backup of a 4 GiB image: 3 GiB of this system's own files, 1 GiB never written. With --peers also by restic and borg.
increment  100 MiB dirty in 1,600 places on a disk of 4 GiB and on one of 400 GiB (sparse), over QMP; no guest runs, so nothing
           else is dirty. Bytes are the program's own counters, checked against QEMU's dirty bitmap.
boot       from the command to the machine's first line and to its last, against the same QEMU on the local raw file.

Medians of the rounds; the things compared take turns. Needs make build, QEMU, and some 20 GiB in DIR (default: below /var/tmp).
"""
import argparse, json, os, random, shutil, signal, socket, statistics, subprocess, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(ROOT, "cli/target/afterimage/bin/afterimage")
LAB = os.path.join(ROOT, "cli/src/lab")
GUESTS = os.path.join(ROOT, "cli/target/lab")
MIB = 1 << 20
GIB = 1 << 30
CHUNK = 65536
DIRTY = 100 * MIB
READY = b"AFTERIMAGE-GUEST-READY"


def run(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def timed(*command, **options):
    start = time.monotonic()
    run(*command, **options)
    return time.monotonic() - start


def row(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def head(title, *cells):
    print("\n" + title + "\n")
    row(*cells)
    row(*("---" for _ in cells))


class Repository:
    """A repository and a cache of their own, so that no run profits from one before."""

    def __init__(self, folder):
        self.folder = tempfile.mkdtemp(dir=folder, prefix="repository.")
        self.environment = dict(os.environ, AFTERIMAGE_REPO=os.path.join(self.folder, "repository"),
                                AFTERIMAGE_CACHE=os.path.join(self.folder, "cache"))
        self.afterimage("init")

    def afterimage(self, *arguments):
        return run(PROGRAM, *arguments, env=self.environment)

    def backup(self, *arguments):
        return timed(PROGRAM, "backup", *arguments, env=self.environment)

    def newest(self, machine):
        return json.loads(self.afterimage("show", machine, "--json"))

    def bytes(self):
        return int(run("du", "-sb", self.environment["AFTERIMAGE_REPO"]).split()[0])

    def remove(self):
        shutil.rmtree(self.folder)


class Qemu:
    """QEMU with one disk and a machine that never starts; what is written goes through QEMU's own block layer."""

    def __init__(self, folder, disk):
        self.socket = os.path.join(folder, "qmp.sock")
        own = os.path.join(folder, "own.sock")
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-accel", "tcg", "-m", "64", "-S", "-nodefaults",
             "-display", "none", "-qmp", f"unix:{self.socket},server=on,wait=off", "-qmp", f"unix:{own},server=on,wait=off",
             "-blockdev", json.dumps({"driver": "qcow2", "node-name": "disk", "discard": "unmap",
                                      "file": {"driver": "file", "filename": disk}}),
             "-device", "virtio-blk-pci,drive=disk,id=vda,share-rw=on"], stdout=subprocess.DEVNULL)
        self.channel = socket.socket(socket.AF_UNIX)
        for _ in range(200):
            try:
                self.channel.connect(own)
                break
            except OSError:
                time.sleep(0.05)
        self.lines = self.channel.makefile("rw")
        self.lines.readline()
        self.execute("qmp_capabilities")

    def execute(self, command, **arguments):
        self.lines.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.lines.flush()
        while True:
            answer = json.loads(self.lines.readline())
            if "error" in answer:
                raise SystemExit(f"QEMU refuses {command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def write(self, folder, offset, content):
        pattern = os.path.join(folder, "pattern")
        with open(pattern, "wb") as file:
            file.write(content)
        said = self.execute("human-monitor-command",
                            **{"command-line": f'qemu-io disk "write -s {pattern} {offset} {len(content)}"'})
        if said.strip():
            raise SystemExit(f"qemu-io: {said}")

    def dirty(self):
        nodes = self.execute("query-named-block-nodes", flat=True)
        return [bitmap["count"] for node in nodes if node["node-name"] == "disk" for bitmap in node.get("dirty-bitmaps", [])]

    def end(self):
        self.execute("quit")
        self.process.wait()


def fill(image, size):
    """This system's own files, as tar gives them, into the image's first bytes."""
    with open(image, "r+b") as file:
        tar = subprocess.Popen(["tar", "--sort=name", "-C", "/usr", "-cf", "-", "."], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        left = size
        while left:
            piece = tar.stdout.read(min(left, MIB))
            if not piece:  # a small system: random bytes do for the rest
                piece = random.Random(left).randbytes(min(left, MIB))
            file.write(piece)
            left -= len(piece)
        tar.kill()
        tar.wait()


def new_image(path, size, data):
    with open(path, "wb") as file:
        file.truncate(size)
    fill(path, data)


def measure_full(folder, rounds, peers):
    image = os.path.join(folder, "full.raw")
    new_image(image, 4 * GIB, 3 * GIB)
    times = {}
    sizes = {}

    def by(name, seconds, size):
        times.setdefault(name, []).append(seconds)
        sizes[name] = size

    for _ in range(rounds):
        repository = Repository(folder)
        by("afterimage", repository.backup("m", "--image", "vda=" + image), repository.bytes())
        repository.remove()
        if peers:
            for name, init, backup in (
                    ("restic", ["restic", "init", "-q"], ["restic", "backup", "-q", image]),
                    ("borg, lz4", ["borg", "init", "-e", "none"], ["borg", "create", "-C", "lz4", "::one", image]),
                    ("borg, zstd 3", ["borg", "init", "-e", "none"], ["borg", "create", "-C", "zstd,3", "::one", image])):
                own = tempfile.mkdtemp(dir=folder, prefix="peer.")
                environment = dict(os.environ, RESTIC_REPOSITORY=own + "/r", RESTIC_PASSWORD="x", RESTIC_CACHE_DIR=own + "/c",
                                   BORG_REPO=own + "/r", BORG_BASE_DIR=own + "/b")
                run(*init, env=environment)
                by(name, timed(*backup, env=environment), int(run("du", "-sb", own + "/r").split()[0]))
                shutil.rmtree(own)
    head("Full backup of a 4 GiB image with 3 GiB of files", "program", "s", "MB/s of the image", "MB/s of its data", "stored MB")
    for name, seconds in times.items():
        median = statistics.median(seconds)
        row(name, f"{median:.1f}", f"{4 * GIB / 1e6 / median:.0f}", f"{3 * GIB / 1e6 / median:.0f}", f"{sizes[name] / 1e6:.0f}")
    os.remove(image)


def measure_increment(folder, rounds):
    head("Increment with 100 MiB dirty", "disk", "full s", "increment s", "dirty MiB", "read MiB", "packs MiB", "packs / dirty", "manifest KiB")
    for size, data in ((4 * GIB, 3 * GIB), (400 * GIB, 3 * GIB)):
        raw, disk = os.path.join(folder, "disk.raw"), os.path.join(folder, "disk.qcow2")
        new_image(raw, size, data)
        run("qemu-img", "convert", "-O", "qcow2", raw, disk)
        os.remove(raw)
        repository, qemu = Repository(folder), Qemu(folder, disk)
        dice = random.Random(size)
        try:
            full = repository.backup("m", "--qmp", qemu.socket)
            times = []
            for _ in range(rounds):
                for place in dice.sample(range(data // CHUNK), DIRTY // CHUNK):
                    qemu.write(folder, place * CHUNK, dice.randbytes(CHUNK))
                if qemu.dirty() != [DIRTY]:
                    raise SystemExit(f"QEMU counts {qemu.dirty()} dirty bytes, not {DIRTY}")
                times.append(repository.backup("m", "--qmp", qemu.socket))
            cost = repository.newest("m")["bytes"]
        finally:
            qemu.end()
        if cost["dirty"] != DIRTY:
            raise SystemExit(f"the program counts {cost['dirty']} dirty bytes, not {DIRTY}")
        row(f"{size // GIB} GiB", f"{full:.1f}", f"{statistics.median(times):.2f}", f"{cost['dirty'] / MIB:.1f}",
            f"{cost['read'] / MIB:.1f}", f"{cost['stored'] / MIB:.2f}", f"{cost['stored'] / cost['dirty']:.4f}",
            f"{cost['manifest'] / 1024:.0f}")
        repository.remove()
        os.remove(disk)


def until_ready(command, environment):
    """Seconds to the first line and to the marker; then the machine is ended."""
    start = time.monotonic()
    machine = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], env=environment, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    first = None
    for line in machine.stdout:
        first = first or time.monotonic() - start
        if READY in line:
            ready = time.monotonic() - start
            machine.stdin.write(b"poweroff\n")
            machine.stdin.flush()
            try:
                machine.wait(60)
            except subprocess.TimeoutExpired:
                machine.send_signal(signal.SIGTERM)
            machine.wait()
            return first, ready
    raise SystemExit("the machine did not come up: " + " ".join(command))


def measure_boot(folder, rounds):
    accelerator = run(os.path.join(LAB, "accelerator"), GUESTS).strip()
    head(f"Boot, -accel {accelerator}", "machine", "from", "first line s", "up s", "of local")
    for guest in ("tiny", "debian"):
        run(os.path.join(LAB, guest + "-guest"), GUESTS)
        raw = os.path.join(GUESTS, guest + ".raw")
        repository = Repository(folder)
        repository.backup(guest, "--image", "vda=" + raw)
        local = ["qemu-system-x86_64", "-accel", accelerator, "-m", "size=512M", "-smp", "1", "-nodefaults", "-no-user-config",
                 "-drive", f"if=none,id=vda,snapshot=on,format=raw,file={raw}", "-device", "virtio-blk-pci,drive=vda,bootindex=1",
                 "-display", "none", "-serial", "mon:stdio"]
        backup = [PROGRAM, "boot", "--accel", accelerator, "--memory", "512M", "--cpus", "1", guest]
        times = {"local raw file": [], "backup": []}
        for _ in range(rounds):
            times["local raw file"].append(until_ready(local, None))
            times["backup"].append(until_ready(backup, repository.environment))
        base = statistics.median(up for _, up in times["local raw file"])
        for name, pairs in times.items():
            first, up = (statistics.median(values) for values in zip(*pairs))
            row(guest, name, f"{first:.1f}", f"{up:.1f}", f"{up / base:.2f}")
        repository.remove()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", metavar="WHAT", help="full, increment, boot; all when left out")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--folder", default="/var/tmp")
    chosen = parser.parse_args()
    what = chosen.what or ["full", "increment", "boot"]
    if not os.access(PROGRAM, os.X_OK):
        raise SystemExit("the program is not built: make build")
    for name in what:
        if name not in ("full", "increment", "boot"):
            parser.error(f"there is no measurement {name}")
    folder = tempfile.mkdtemp(dir=chosen.folder, prefix="afterimage.")
    try:
        if "full" in what:
            measure_full(folder, chosen.rounds, chosen.peers)
        if "increment" in what:
            measure_increment(folder, chosen.rounds)
        if "boot" in what:
            measure_boot(folder, chosen.rounds)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
