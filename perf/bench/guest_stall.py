"""What a guest feels of a backup that stands still in the middle, as long as it does and a while beyond."""
from . import guest_latency
from .guest_latency import SECONDS, STALL, Machine

KINDS = {
    "no backup": None,
    "pull that stands still for %d s" % STALL: ["--mode", "pull"],
    "push that stands still for %d s" % STALL: ["--mode", "push"],
}


def measure(shop, table):
    with Machine(shop) as machine:
        guest_latency.compare(shop, table, machine, KINDS, STALL + SECONDS, standing=KINDS)
