"""From a client's connection to its first bytes."""
from . import far_disk


def measure(shop, table):
    far_disk.open_disk(shop, table)
