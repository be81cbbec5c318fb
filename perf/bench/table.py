"""The one table at the end."""
import datetime
import os
import platform
import subprocess

from .workshop import ROOT


class Table:
    HEADER = ("what", "Afterimage", "against", "takes", "ratio", "budget")

    def __init__(self):
        self.rows = []

    def add(self, what, ours, peer="", theirs="", ratio="", budget=""):
        self.rows.append((what, ours, peer, theirs, ratio, budget))

    def print(self):
        """As Markdown, so that it can go into perf/README.md as it is."""
        if not self.rows:
            return
        widths = [max(len(row[i]) for row in [self.HEADER, *self.rows]) for i in range(len(self.HEADER))]
        print("\n%s\n" % circumstances())
        for row in [self.HEADER, tuple("-" * width for width in widths), *self.rows]:
            print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")


def circumstances():
    """Date, commit and machine of a run."""
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    with open("/proc/cpuinfo") as lines:
        processor = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return "%s, commit %s, %d x %s, %.0f GiB, load %.1f" % (
        datetime.date.today().isoformat(), commit or "unknown", os.cpu_count(), processor, memory, os.getloadavg()[0])
