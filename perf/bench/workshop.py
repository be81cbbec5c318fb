"""Where a measurement works: a folder that is gone afterwards, children that die with it, a clock."""
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import typing

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LAB = os.path.join(ROOT, "cli", "src", "lab")
GUESTS = os.path.join(ROOT, "cli", "target", "lab")


class Trouble(Exception):
    """Why it cannot go on, in a sentence."""


class Cost(typing.NamedTuple):
    seconds: float
    processor: float
    mebibytes: float


class Workshop:
    def __init__(self, parent, rounds, machines, only):
        self.rounds = rounds
        self.machines = machines
        self.only = only
        self.parent = parent
        self.children = []
        self.afterimage = os.environ.get("AFTERIMAGE") or os.path.join(ROOT, "cli", "target", "afterimage", "bin", "afterimage")
        if not os.access(self.afterimage, os.X_OK):
            raise Trouble("%s is not there: run make build first." % self.afterimage)

    def __enter__(self):
        for ending in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(ending, lambda number, _: sys.exit(128 + number))
        self.folder = tempfile.mkdtemp(prefix="afterimage-perf.", dir=self.parent)
        return self

    def __exit__(self, *_):
        for child in self.children:
            child.kill()
        for child in self.children:
            child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def say(self, sentence):
        print(sentence, file=sys.stderr, flush=True)

    def java(self):
        """A JVM for what of ours is no command."""
        return os.path.join(self.run([os.path.join(LAB, "find-jdk")]).strip(), "bin", "java")

    def run(self, command, **environment):
        """Runs to the end and returns what it printed."""
        done = subprocess.run(dying_with_us(command), env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise Trouble("%s ended with %d: %s" % (" ".join(command), done.returncode, (done.stderr or done.stdout).strip()))
        return done.stdout

    def seconds(self, command, **environment):
        """How long it runs."""
        return self.cost(command, **environment).seconds

    def cost(self, command, **environment):
        """How long it runs, the seconds of processor time that it and its children take, and the most memory that one of them has."""
        start = time.monotonic()
        with tempfile.TemporaryFile("w+") as said:
            child = subprocess.Popen(dying_with_us(command), env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            taken = time.monotonic() - start
            if child.returncode:
                said.seek(0)
                raise Trouble("%s ended with %d: %s" % (" ".join(command), child.returncode, said.read().strip()))
        return Cost(taken, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)

    def start(self, command, **streams):
        """Starts a child that is killed at the end, if it still runs."""
        child = subprocess.Popen(dying_with_us(command), **{"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, **streams})
        self.children.append(child)
        return child

    def host(self, name):
        """The environment of a host of that name: a cache and settings of its own, so that nobody's are touched."""
        home = self.path("hosts", name)
        os.makedirs(home, exist_ok=True)
        return {"AFTERIMAGE_CACHE": home, "RESTIC_CACHE_DIR": home, "RESTIC_PASSWORD": "measured", "BORG_BASE_DIR": home,
                "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes"}

    def remove(self, *names):
        shutil.rmtree(self.path(*names), ignore_errors=True)

    def interleaved(self, what, contenders):
        """Seconds by contender: each is called with the round's number, once a round, by turns first, and returns seconds."""
        taken = {name: [] for name in contenders}
        names = list(contenders)
        for number in range(self.rounds):
            first = number % len(names)
            for name in names[first:] + names[:first]:
                taken[name].append(contenders[name](number))
                self.say("%s, round %d: %s %.2f s" % (what, number + 1, name, taken[name][-1]))
        return {name: statistics.median(times) for name, times in taken.items()}


def dying_with_us(command):
    """The command, killed by the kernel when this process is gone, so that not even a SIGKILL leaves anything behind."""
    return ["setpriv", "--pdeathsig", "KILL", *command]


def folder_bytes(folder):
    """What the files in a folder take in the file system."""
    return sum(os.lstat(os.path.join(at, name)).st_blocks * 512 for at, _, names in os.walk(folder) for name in names)
