"""Talk to a QEMU."""
import json
import socket
import time

from .workshop import Trouble


class Qmp:
    def __init__(self, path, process):
        """Connects as soon as the process listens there."""
        self.lines = connect(path, process)
        self.lines.readline()  # the greeting
        self.execute("qmp_capabilities")

    def execute(self, command, **arguments):
        self.lines.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.lines.flush()
        for line in self.lines:
            answer = json.loads(line)
            if "error" in answer:
                raise Trouble("QEMU refuses %s: %s" % (command, answer["error"]["desc"]))
            if "return" in answer:
                return answer["return"]
        raise Trouble("QEMU has ended.")

    def close(self):
        self.lines.close()


def connect(path, process):
    end = time.monotonic() + 30
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(path)
            return connection.makefile("rw", encoding="utf-8")
        except OSError as error:
            connection.close()
            if process.poll() is not None or time.monotonic() > end:
                raise Trouble("QEMU did not start (its words are above).") from error
            time.sleep(0.02)
