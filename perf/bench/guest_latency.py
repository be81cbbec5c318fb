"""What a guest feels of its backup: the latency of its writes by fio inside, without one, and with each kind."""
import contextlib
import glob
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from .qmp import Qmp
from .workshop import GUESTS, LAB, Trouble

SIZE = 1 << 30
# What a machine writes again and again, such as a database's log and its hot pages.
HOT = 64 << 20
# Its start, and as much of the rest as shows the rate at which a backup that yields settles; all of one takes some 50 s.
SECONDS = 30
STALL = 30
PATIENCE = 300
# Writes that a database would do: small, direct, one at a time, at a rate that any disk can take.
FIO = ("fio --name=feel --filename=/dev/vdb --rw=randwrite --bs=4k --direct=1 --ioengine=psync --rate_iops=100 --time_based --runtime=%d"
       " --size=%d --output-format=json")
# What QEMU itself takes: it keeps what the guest overwrites, and nobody reads.
CUT = "only the cut"
# What any program takes: one that has nothing to do with QEMU and asks for no more of a processor than it leaves, as a backup does.
LOOP = "no backup, but a busy loop at niceness 10"
# What QEMU takes that backs its disk up by itself: into a plain file, without hashing, compressing, or keeping for the guest what it overwrites.
OWN = "QEMU's own backup into a local qcow2"
KINDS = {
    "no backup": None,
    LOOP: None,
    OWN: None,
    CUT: ["--mode", "pull"],
    "pull": ["--mode", "pull"],
    "push": ["--mode", "push"],
    "pull, --yield 0": ["--mode", "pull", "--yield", "0"],
    "push, --yield 0": ["--mode", "push", "--yield", "0"],
}
# Writes all over the disk are nearly all the first to what a cut must keep. These are not: each place has been written since the cut, so that nothing is kept any longer, and what is left
# is what the backup itself takes.
HOT_KINDS = {kind: KINDS[kind] for kind in ("no backup", CUT, "pull", "push")}


def measure(shop, table):
    with Machine(shop) as machine:
        compare(shop, table, machine, KINDS, SECONDS, standing={CUT})
        compare(shop, table, machine, HOT_KINDS, SECONDS, standing={CUT}, hot=True)


def compare(shop, table, machine, kinds, seconds, standing, hot=False, where=""):
    """What the guest feels of each kind, by turns, each for so many seconds. The first backup of those that are standing stops after the cut. Those that write where it is hot alone do so
    once that has been written since the cut."""
    where = where or (", hot pages" if hot else "")
    what = "write latency in the guest" + where
    felt = {kind: [] for kind in kinds}
    for number in range(shop.rounds):
        names = list(kinds)
        first = number % len(names)
        for kind in names[first:] + names[:first]:
            felt[kind].append(machine.feel(kind, kinds[kind], seconds, kind in standing, hot))
            shop.say("guest, round %d%s, %s: p50 %.2f ms, p99 %.2f ms, longest %.1f ms" % (number + 1, where, kind, *felt[kind][-1]))
    median = {kind: [statistics.median(one[i] for one in rounds) for i in range(3)] for kind, rounds in felt.items()}
    without = median.pop("no backup")
    for kind, (p50, p99, longest) in median.items():
        table.add(what + ", p50, " + kind, "%.2f ms" % p50, "no backup", "%.2f ms" % without[0], "%.2f x" % (p50 / without[0]))
        table.add(what + ", p99, " + kind, "%.2f ms" % p99, "no backup", "%.2f ms" % without[1], "%.2f x" % (p99 / without[1]), "<= 1.5")
        table.add("longest write" + where + ", " + kind, "%.1f ms" % longest, "no backup", "%.1f ms" % without[2])


class Machine:
    """The Debian guest with an empty data disk that random bytes fill, and backups of that disk."""

    def __init__(self, shop):
        self.shop = shop
        self.environment = {"AFTERIMAGE_REPO": shop.path("guest-repository"), **shop.host("guest")}
        # What backups before have left, which a watchdog may not have removed yet.
        self.stale = set()

    def __enter__(self):
        shop = self.shop
        shop.run([os.path.join(LAB, "debian-guest"), GUESTS])
        shop.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", os.path.join(GUESTS, "debian.raw"), "-F", "raw", shop.path("root.qcow2")])
        shop.run(["qemu-img", "create", "-q", "-f", "raw", shop.path("random.raw"), str(SIZE)])
        with open("/dev/urandom", "rb") as source, open(shop.path("random.raw"), "wb") as target:
            for _ in range(SIZE >> 20):
                target.write(source.read(1 << 20))
        shop.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", shop.path("random.raw"), shop.path("data.qcow2")])
        os.remove(shop.path("random.raw"))
        accelerator = shop.run([os.path.join(LAB, "accelerator"), GUESTS]).strip()
        # The host's own may be too old to push (docs/decisions/0016).
        shop.run([os.path.join(LAB, "newer-qemu"), GUESTS])
        command = [os.path.join(GUESTS, "newer-qemu", "run"), "-machine", "q35", "-accel", accelerator, "-m", "512M", "-nodefaults", "-no-user-config", "-display", "none",
                   "-chardev", "file,id=serial,path=" + shop.path("serial.log"), "-serial", "chardev:serial", "-device", "virtio-serial-pci",
                   "-chardev", "socket,id=shell,server=on,wait=off,path=" + shop.path("shell"),
                   "-device", "virtserialport,chardev=shell,name=io.afterimage.shell",
                   "-qmp", "unix:%s,server=on,wait=off" % shop.path("qmp"), "-qmp", "unix:%s,server=on,wait=off" % shop.path("control")]
        for name in ("root", "data"):
            command += ["-blockdev", json.dumps({"driver": "qcow2", "node-name": name, "discard": "unmap",
                                                 "file": {"driver": "file", "filename": shop.path(name + ".qcow2")}}),
                        "-device", "virtio-blk-pci,drive=" + name]
        self.qemu = shop.start(command)
        self.control = Qmp(shop.path("control"), self.qemu)
        self.await_marker()
        self.shell = socket.socket(socket.AF_UNIX)
        self.shell.connect(shop.path("shell"))
        self.answers = self.shell.makefile("rb")
        shop.run([shop.afterimage, "init"], **{**self.environment, "AFTERIMAGE_REPO": shop.path("empty-repository")})
        return self

    def __exit__(self, *_):
        self.qemu.kill()
        self.qemu.wait()

    def confine(self, processor):
        """Has QEMU run on that one alone; threads that it begins later are where those are that begin them."""
        for thread in os.listdir("/proc/%d/task" % self.qemu.pid):
            os.sched_setaffinity(int(thread), {processor})

    def await_marker(self):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.qemu.poll() is None:
            if os.path.exists(self.shop.path("serial.log")) and b"AFTERIMAGE-GUEST-READY" in open(self.shop.path("serial.log"), "rb").read():
                return
            time.sleep(0.2)
        raise Trouble("the Debian guest did not come up within %d s" % PATIENCE)

    def tell(self, command):
        """Runs a line of shell in the guest and returns its output."""
        self.shell.sendall(command.encode() + b"\n")
        code, length = self.answers.readline().split()
        text = self.answers.read(int(length)).decode()
        if int(code):
            raise Trouble("in the guest, %s ended with %s: %s" % (command, code.decode(), text))
        return text

    def feel(self, kind, options, seconds, stalls, hot):
        """p50, p99 and the longest write, in milliseconds, while backups of that kind run one after the other."""
        self.stale = self.scratch_images()
        over = threading.Event()
        with ThreadPoolExecutor(1) as thread:
            backups = None
            if kind == OWN:
                backups = thread.submit(self.back_up_by_itself, over)
            elif options:
                backups = thread.submit(self.back_up, options, stalls, over)
            loop = self.shop.start(["nice", "-n", "10", sys.executable, "-c", "while True: pass"]) if kind == LOOP else None
            try:
                if hot:
                    self.write_hot_pages(backups)
                told = self.tell(FIO % (seconds, HOT if hot else SIZE))
            finally:
                over.set()
                if loop:
                    loop.kill()
                    loop.wait()
            if backups:
                backups.result()  # A round counts only if it had all of them.
        latency = json.loads(told[told.index("{"):])["jobs"][0]["write"]["clat_ns"]
        return latency["percentile"]["50.000000"] / 1e6, latency["percentile"]["99.000000"] / 1e6, latency["max"] / 1e6

    def write_hot_pages(self, backups):
        """All of them; beside backups, since a cut that has been made."""
        write = "dd if=/dev/urandom of=/dev/vdb bs=1M oflag=direct count=%d 2>&1"
        deadline = time.monotonic() + PATIENCE
        while backups and not (backups.done() or self.is_cut()) and time.monotonic() < deadline:
            self.tell(write % 4)
        self.tell(write % (HOT >> 20))

    def back_up(self, options, stalls, over):
        shop = self.shop
        while not over.is_set():
            self.forget()
            with open(shop.path("backup.log"), "w+") as log:
                child = shop.start([shop.afterimage, "backup", "web", "--full", "--qmp", shop.path("qmp"), "--disk", "data",
                                    "--scratch", shop.path("scratch"), *options],
                                   env={**os.environ, **self.environment}, stdout=log, stderr=subprocess.STDOUT,
                                   # Of its own, as that of a systemd unit is: Linux shares processors out among sessions.
                                   start_new_session=True)
                if stalls:
                    # Worse than a store that does not answer: nobody takes or gives a byte. It is under way by then.
                    self.await_cut(child)
                    child.send_signal(signal.SIGSTOP)
                    over.wait(STALL)
                    child.send_signal(signal.SIGCONT)
                    stalls = False
                while child.poll() is None and not over.wait(0.1):
                    pass
                if child.poll() is None:
                    child.terminate()
                elif child.returncode and not over.is_set():
                    log.seek(0)
                    raise Trouble("the backup with %s failed: %s" % (" ".join(options), log.read().strip()))
                child.wait()

    def back_up_by_itself(self, over):
        target = self.shop.path("own.qcow2")
        while not over.is_set():
            self.shop.run(["qemu-img", "create", "-q", "-f", "qcow2", target, str(SIZE)])
            self.control.execute("blockdev-add", **{"driver": "qcow2", "node-name": "own", "file": {"driver": "file", "filename": target}})
            self.control.execute("blockdev-backup", **{"job-id": "own", "device": "data", "target": "own", "sync": "full", "auto-dismiss": False})
            while self.control.execute("query-jobs")[0]["status"] != "concluded":
                if over.wait(0.1):
                    with contextlib.suppress(Trouble):  # It may have come to its end since the question, or be about to.
                        self.control.execute("job-cancel", id="own")
                    time.sleep(0.1)
            self.control.execute("job-dismiss", id="own")
            self.control.execute("blockdev-del", **{"node-name": "own"})
            os.remove(target)

    def forget(self):
        """Else all but the first backup would find their chunks stored."""
        for folder in (self.environment["AFTERIMAGE_REPO"], self.environment["AFTERIMAGE_CACHE"]):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.shop.path("empty-repository"), self.environment["AFTERIMAGE_REPO"])

    def await_cut(self, child):
        while child.poll() is None and not self.is_cut():
            time.sleep(0.02)

    def is_cut(self):
        """Whether QEMU has written to the scratch image what the guest has overwritten since the cut."""
        return any(size(image) > 1 << 20 for image in self.scratch_images() - self.stale)

    def scratch_images(self):
        return set(glob.glob(self.shop.path("scratch", "*", "0.qcow2")))


def size(file):
    """What it takes; nothing if it is gone meanwhile."""
    try:
        return os.stat(file).st_blocks * 512
    except FileNotFoundError:
        return 0
