"""What a far store was asked for, from the log that it writes."""
import collections


class Requests:
    def __init__(self, log):
        self.log = log
        self.at = 0

    def forget(self):
        """Counts from here on."""
        with open(self.log, "rb") as lines:
            self.at = lines.seek(0, 2)

    def gets(self):
        """Since then: (path, first byte, bytes) of each GET that fetched something of an object, and not a listing."""
        found = []
        with open(self.log, "rb") as lines:
            lines.seek(self.at)
            for line in lines.read().decode().splitlines():
                method, path, span, count = line.split(" ")
                if method == "GET" and "list-type" not in path:
                    first = int(span.removeprefix("bytes=").split("-")[0]) if span != "-" else 0
                    found.append((path, first, int(count)))
        return found

    def bytes(self):
        return sum(count for _, _, count in self.gets())

    def of_packs(self):
        """GETs of packs, the bytes of them together, and how many different bytes these were."""
        spans = collections.defaultdict(list)
        for path, first, count in self.gets():
            if "/packs/" in path:
                spans[path].append((first, first + count))
        different = 0
        for pieces in spans.values():
            end = 0
            for first, last in sorted(pieces):
                different += max(0, last - max(first, end))
                end = max(end, last)
        every = [piece for pieces in spans.values() for piece in pieces]
        return len(every), sum(last - first for first, last in every), different
