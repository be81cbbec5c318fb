"""A disk as people have them: 6 GiB with ext4, a third full of programs and libraries."""
import hashlib
import os
import shutil

from .workshop import ROOT, Trouble

SIZE = 6 << 30
FILL = 2 << 30
KEPT = os.path.join(ROOT, "cli", "target", "perf")


def make(shop):
    """Returns the image, built on the first call; the same host makes the same content as long as its /usr stays."""
    image = os.path.join(KEPT, "disk-%d.raw" % (SIZE >> 30))
    if not os.path.exists(image):
        os.makedirs(KEPT, exist_ok=True)
        shop.say("building a 6 GiB disk out of /usr")
        root = shop.path("root")
        fill(root)
        shop.run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", root, image + ".partial", "%dM" % (SIZE >> 20)],
                 PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
        shutil.rmtree(root)
        os.rename(image + ".partial", image)
    return image


def fill(root):
    """Copies files of /usr in an order that is random but always the same, until there are enough."""
    found = []
    for top in ("/usr/bin", "/usr/lib", "/usr/share"):
        for at, _, names in os.walk(top):
            found += [os.path.join(at, name) for name in names]
    found.sort(key=lambda path: hashlib.sha256(path.encode(errors="surrogateescape")).digest())
    bytes_left = FILL
    for path in found:
        if os.path.islink(path) or not os.path.isfile(path) or not os.access(path, os.R_OK) or os.path.getsize(path) > bytes_left:
            continue
        target = root + path
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(path, target)
        bytes_left -= os.path.getsize(path)
    if bytes_left > FILL // 2:
        raise Trouble("/usr has too few files to fill a disk with.")
