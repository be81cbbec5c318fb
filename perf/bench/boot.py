"""From QEMU's start to the guest's word that it is up: the same bytes in a local file, behind servers, and in a store that is far away."""
import os
import statistics
import subprocess
import time

from . import far_store
from .guest import Guest, PATIENCE, until_ready
from .requests import Requests
from .server import QemuNbd, Server
from .workshop import GUESTS, LAB, Trouble, folder_bytes

NAMES = {"tiny": "tiny Linux", "debian": "Debian"}
NO_PROFILE = ["--no-profile"]

LOCAL = "local raw file"
NBD = "qemu-nbd on a local file"
FOLDER = "served from a folder, cold"
FAR = "served from S3 at 20 ms, cold, no profile"
PROFILE = "served from S3 at 20 ms, cold, with profile"
TIER = "served from S3 at 20 ms, warm disk tier"
DOWNLOAD = "downloaded from S3 at 20 ms, then booted"
COMMAND = "the command boot, from S3 at 20 ms, with profile"

# The words for them on the command line.
WORDS = {"nbd": NBD, "folder": FOLDER, "far": FAR, "profile": PROFILE, "tier": TIER, "download": DOWNLOAD, "command": COMMAND}

BUDGETS = {FAR: 2, PROFILE: 1.25, TIER: 1.1, COMMAND: 1.25}
AMPLIFICATION = {FAR: 2, PROFILE: 1.3}


def measure(shop, table):
    unknown = set(shop.only) - set(WORDS) - set(NAMES) - {"many"}
    if unknown:
        raise Trouble("there is no '%s' among the boots; there are %s" % (min(unknown), ", ".join([*NAMES, *WORDS, "many"])))
    shop.run([os.path.join(LAB, "tiny-guest"), GUESTS])
    accelerator = shop.run([os.path.join(LAB, "accelerator"), GUESTS]).strip()
    requests = Requests(shop.path("requests.log"))
    _, far = far_store.endpoints(shop, requests.log)
    for guest, name in NAMES.items():
        if not wanted(shop, guest, NAMES):
            continue
        image = os.path.join(GUESTS, guest + ".raw")
        if not os.path.exists(image):
            shop.say("boot: no %s image here; %s %s builds it" % (name, os.path.join(LAB, guest + "-guest"), GUESTS))
            continue
        if set(shop.only) != {"many"}:
            Boots(shop, guest, name, image, accelerator, far, requests).measure(table)
        if guest == "tiny" and shop.machines and (not shop.only or "many" in shop.only):
            many(shop, table, image, accelerator, far, requests)


def wanted(shop, word, among):
    """Whether it is to be measured: all of a kind are when none of that kind is named."""
    return word in shop.only or not set(shop.only) & set(among)


def repository(shop, far, name):
    """The environment of a host whose repository of that name is far away."""
    return {"AFTERIMAGE_REPO": "s3://far/%s?region=us-east-1&endpoint=%s" % (name, far), **far_store.CREDENTIALS, **shop.host(name)}


class Boots:
    def __init__(self, shop, guest, name, image, accelerator, far, requests):
        self.shop, self.guest, self.name, self.image = shop, guest, name, image
        self.accelerator, self.requests = accelerator, requests
        self.folder = {"AFTERIMAGE_REPO": shop.path("boot-" + guest), **shop.host("boot-" + guest)}
        self.far = repository(shop, far, guest)
        self.hosts = 0
        self.asked, self.fetched = {}, {}

    def measure(self, table):
        chosen = [contender for word, contender in WORDS.items() if wanted(self.shop, word, WORDS)]
        for environment in (self.folder, self.far):
            self.shop.run([self.shop.afterimage, "init"], **environment)
            self.shop.run([self.shop.afterimage, "backup", self.guest, "--image", "vda=raw:" + self.image], **environment)
        if {PROFILE, COMMAND} & set(chosen):
            self.shop.say("boot of %s: once to leave a profile" % self.name)
            self.served(self.fresh(self.far))
        contenders = {
            LOCAL: lambda _: self.boot(self.image),
            NBD: lambda _: self.behind(QemuNbd(self.shop, self.image)),
            FOLDER: lambda _: self.served(self.fresh(self.folder), NO_PROFILE),
            FAR: lambda _: self.served(self.fresh(self.far), NO_PROFILE, FAR),
            PROFILE: lambda _: self.served(self.fresh(self.far), (), PROFILE),
            DOWNLOAD: lambda _: self.download(),
            COMMAND: lambda _: self.command()}
        if TIER in chosen:
            tier = self.fresh(self.far)
            self.shop.say("boot of %s: once to fill the disk tier" % self.name)
            self.served(tier, NO_PROFILE)
            if folder_bytes(tier["AFTERIMAGE_CACHE"]) > 4 << 20:
                contenders[TIER] = lambda _: self.served(tier, NO_PROFILE)
            else:
                self.shop.say("boot of %s, %s: left out, since the server keeps no chunks on the disk" % (self.name, TIER))
        seconds = self.shop.interleaved(
            "boot of " + self.name, {name: run for name, run in contenders.items() if name == LOCAL or name in chosen})
        self.add(table, seconds)
        self.shop.remove("boot-" + self.guest)

    def fresh(self, environment):
        """The same repository seen from a host that has nothing of it."""
        self.hosts += 1
        return {**environment, **self.shop.host("%s-%d" % (self.guest, self.hosts))}

    def boot(self, disk, contender=None):
        guest = Guest(self.shop, self.accelerator, disk)
        try:
            self.requests.forget()
            seconds = guest.await_ready()
            if contender:
                self.asked.setdefault(contender, []).append(guest.bytes_asked())
                self.fetched.setdefault(contender, []).append(self.requests.bytes())
            return seconds
        finally:
            guest.close()

    def behind(self, server, contender=None):
        with server:
            return self.boot(server.uri(self.guest + "/vda@latest"), contender)

    def served(self, environment, options=(), contender=None):
        return self.behind(Server(self.shop, environment, options), contender)

    def download(self):
        copy = self.shop.path("downloaded.raw")
        try:
            taken = self.shop.seconds([self.shop.afterimage, "restore", self.guest + "/vda", "--to", copy], **self.fresh(self.far))
            return taken + self.boot(copy)
        finally:
            os.remove(copy)

    def command(self):
        command = [self.shop.afterimage, "boot", "--accel", self.accelerator, "--memory", "512M", "--cpus", "1", self.guest]
        begin = time.monotonic()
        with open(self.shop.path("boot.log"), "w+") as words:
            child = self.shop.start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=words, env={**os.environ, **self.fresh(self.far)})
            seconds = until_ready(child, begin)
            child.terminate()
            child.stdout.close()
            child.stdin.close()
            child.wait()
            if seconds is None:
                words.seek(0)
                raise Trouble("%s ended, or went on for %d s, before the guest was up: %s" % (" ".join(command), PATIENCE, words.read().strip()))
        return seconds

    def add(self, table, seconds):
        what = "boot of %s, %s, " % (self.name, self.accelerator.split(",")[0])
        for contender in seconds:
            if contender != LOCAL:
                budget = "<= %s" % BUDGETS[contender] if contender in BUDGETS else ""
                table.add(what + contender, "%.2f s" % seconds[contender], LOCAL, "%.2f s" % seconds[LOCAL],
                          "%.2f x the time" % (seconds[contender] / seconds[LOCAL]), budget)
        for contender, budget in AMPLIFICATION.items():
            if contender not in seconds:
                continue
            asked, fetched = statistics.median(self.asked[contender]), statistics.median(self.fetched[contender])
            table.add("its fetched bytes, " + contender, mb(fetched), "asked for by the guest", mb(asked),
                      "%.2f x the bytes" % (fetched / asked), "<= %s" % budget)


def many(shop, table, image, accelerator, far, requests):
    """Machines of one base, all started at once: does the store see each chunk once?"""
    environment = repository(shop, far, "many")
    shop.run([shop.afterimage, "init"], **environment)
    names = ["m%d" % number for number in range(shop.machines)]
    for name in names:
        shop.run([shop.afterimage, "backup", name, "--image", "vda=raw:" + image], **environment)
    with Server(shop, environment, NO_PROFILE) as server:
        requests.forget()
        guests = [Guest(shop, accelerator, server.uri(name + "/vda@latest"), name, "256M") for name in names]
        try:
            seconds = [guest.await_ready() for guest in guests]
            asked = sum(guest.bytes_asked() for guest in guests)
        finally:
            for guest in guests:
                guest.close()
        count, fetched, different = requests.of_packs()
    shop.say("boot of %d machines at once: %.2f s until all are up" % (len(names), max(seconds)))
    table.add("%d machines booting at once from one base, no profile" % len(names), "%s in %d GETs of packs" % (mb(fetched), count),
              "different bytes", mb(different), "%.3f" % (fetched / different), "1")
    table.add("the same", mb(fetched), "asked for by the guests", mb(asked), "%.2f x the bytes" % (fetched / asked))


def mb(count):
    return "%.1f MB" % (count / 1e6)
