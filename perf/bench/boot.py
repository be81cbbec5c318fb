"""From the command to the guest's word that it is up: a point in a repository against the same bytes in a local file."""
import os
import subprocess
import threading
import time

from .workshop import GUESTS, LAB, Trouble

READY = b"AFTERIMAGE-GUEST-READY"
PATIENCE = 300
NAMES = {"tiny": "tiny Linux", "debian": "Debian"}


def measure(shop, table):
    shop.run([os.path.join(LAB, "tiny-guest"), GUESTS])
    accelerator = shop.run([os.path.join(LAB, "accelerator"), GUESTS]).strip()
    for guest, name in NAMES.items():
        image = os.path.join(GUESTS, guest + ".raw")
        if not os.path.exists(image):
            shop.say("boot: no %s image here; %s %s builds it" % (name, os.path.join(LAB, guest + "-guest"), GUESTS))
            continue
        compare(shop, table, guest, name, image, accelerator)


def compare(shop, table, guest, name, image, accelerator):
    environment = {"AFTERIMAGE_REPO": shop.path("boot-" + guest), **shop.host("boot-" + guest)}
    shop.run([shop.afterimage, "init"], **environment)
    shop.run([shop.afterimage, "backup", guest, "--image", "vda=" + image], **environment)
    # What the command boot hands to QEMU, with a file in the place of the NBD URI.
    local = ["qemu-system-x86_64", "-name", guest, "-accel", accelerator, "-m", "size=512M", "-smp", "1", "-nodefaults", "-no-user-config",
             "-drive", "if=none,id=vda,snapshot=on,format=raw,file=" + image, "-device", "virtio-blk-pci,drive=vda,bootindex=1",
             "-display", "none", "-serial", "mon:stdio"]
    ours = [shop.afterimage, "boot", "--accel", accelerator, "--memory", "512M", "--cpus", "1", guest]
    seconds = shop.interleaved("boot of " + name, {
        "Afterimage": lambda _: until_ready(shop, ours, environment),
        "local file": lambda _: until_ready(shop, local, environment)})
    table.add("boot to ready, %s, %s" % (name, accelerator.split(",")[0]), "%.2f s" % seconds["Afterimage"], "local raw file",
              "%.2f s" % seconds["local file"], "%.2f x the time" % (seconds["Afterimage"] / seconds["local file"]), "<= 1.25")
    shop.remove("boot-" + guest)


def until_ready(shop, command, environment):
    start = time.monotonic()
    words = open(shop.path("boot.log"), "w+")
    child = shop.start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=words, env={**os.environ, **environment})
    overdue = threading.Timer(PATIENCE, child.kill)
    overdue.start()
    try:
        for line in child.stdout:
            if READY in line:
                return time.monotonic() - start
        words.seek(0)
        raise Trouble("%s ended, or went on for %d s, before the guest was up: %s" % (" ".join(command), PATIENCE, words.read().strip()))
    finally:
        overdue.cancel()
        child.terminate()
        child.stdout.close()
        child.stdin.close()
        child.wait()
        words.close()
