"""What a guest feels whose QEMU has a processor to itself, as cpusets, or vcpupin and emulatorpin of libvirt, give it one; the backup has the others."""
from . import guest_latency
from .guest_latency import CUT, KINDS, SECONDS, Machine

# The backup takes the last half by itself.
PROCESSOR = 0


def measure(shop, table):
    with Machine(shop) as machine:
        machine.confine(PROCESSOR)
        kinds = {kind: KINDS[kind] for kind in ("no backup", CUT, "pull", "push")}
        guest_latency.compare(shop, table, machine, kinds, SECONDS, standing={CUT}, where=", QEMU on a processor of its own")
