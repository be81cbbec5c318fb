"""A cold disk, read from its beginning on."""
from . import far_disk


def measure(shop, table):
    far_disk.sequential(shop, table)
