"""A first backup into an object store to which each request takes 20 ms more: does latency show?"""
import os
import subprocess

from . import disk_image
from .workshop import ROOT, Trouble

LATE = 20
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "embedded", "AWS_SECRET_ACCESS_KEY": "embedded-secret"}


def measure(shop, table):
    image = disk_image.make(shop)
    environment = {**shop.host("far"), **CREDENTIALS}
    near, far = endpoints(shop)
    places = {"near": near, "far": far}
    data = os.stat(image).st_blocks * 512 / 1e6
    count = [0]

    def ours(name):
        def run(_):
            count[0] += 1
            repository = "s3://%s/%d?region=us-east-1&endpoint=%s" % (name, count[0], places[name])
            shop.run([shop.afterimage, "init", "--repo", repository], **environment)
            return shop.seconds([shop.afterimage, "backup", "--repo", repository, "disk", "--image", "vda=" + image], **environment)
        return run

    def restic(_):
        count[0] += 1
        repository = "s3:%s/far/restic%d" % (far, count[0])
        shop.run(["restic", "-q", "-r", repository, "init"], **environment)
        return shop.seconds(["restic", "-q", "-r", repository, "backup", image], **environment)

    seconds = shop.interleaved("far store", {"near": ours("near"), "far": ours("far"), "restic": restic})
    what = "full backup to S3, %d ms a request" % LATE
    table.add(what, "%.1f s" % seconds["far"], "the same at 0 ms", "%.1f s" % seconds["near"], "%.2f x the time" % (seconds["far"] / seconds["near"]), "about 1")
    table.add(what, "%.0f MB/s" % (data / seconds["far"]), "restic there", "%.0f MB/s" % (data / seconds["restic"]),
              "%.2f x as fast" % (seconds["restic"] / seconds["far"]), ">= 2")


def endpoints(shop, log=None, links=()):
    """Starts the store; its address, that of the long way to it, and those of ways as long that carry so many bytes a second. On the long ways requests are written to the log."""
    words = shop.path("classpath")
    try:
        shop.run(["mvn", "-o", "-q", "-f", ROOT, "-pl", "backup-engine", "-am", "test-compile", "dependency:build-classpath", "-Dmdep.outputFile=" + words,
                  "-Dmdep.includeScope=test", "-Dmaven.build.cache.enabled=false"])
    except Trouble as trouble:
        raise Trouble("the object store of the tests cannot be built: %s" % trouble)
    with open(words) as text:
        module = os.path.join(ROOT, "backup-engine", "target")
        classpath = ":".join([os.path.join(module, "test-classes"), os.path.join(module, "classes"), text.read().strip()])
    store = shop.start([shop.java(), "-Xmx8g", "-cp", classpath, "io.afterimage.store.s3.ServeFarS3", str(LATE),
                        log or "-", *(str(link) for link in links)], stdout=subprocess.PIPE, text=True)
    return store.stdout.readline().split()
