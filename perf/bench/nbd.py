"""The least of an NBD client: connect to an export by a unix socket, read."""
import socket
import struct


class Nbd:
    def __init__(self, path, export):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(120)
        self.socket.connect(path)
        self.take(18)
        name = export.encode()
        self.socket.sendall(struct.pack(">IQII", 3, 0x49484156454F5054, 1, len(name)) + name)
        self.size, _ = struct.unpack(">QH", self.take(10))

    def take(self, count):
        parts = bytearray(count)
        view = memoryview(parts)
        while count:
            got = self.socket.recv_into(view, count)
            if not got:
                raise OSError("the server closed the connection")
            view, count = view[got:], count - got
        return parts

    def ask(self, offset, length, cookie=0):
        self.socket.sendall(struct.pack(">IHHQQI", 0x25609513, 0, 0, cookie, offset, length))

    def answer(self, length):
        _, error, _ = struct.unpack(">IIQ", self.take(16))
        if error:
            raise OSError(error, "a read failed")
        return self.take(length)

    def read(self, offset, length):
        self.ask(offset, length)
        return self.answer(length)

    def stream(self, begin, end, length, at_once):
        """Reads a range from begin to end, so many requests under way."""
        asked = done = begin
        while done < end:
            while asked < end and asked - done < at_once * length:
                self.ask(asked, length)
                asked += length
            self.answer(length)
            done += length

    def close(self):
        self.socket.close()
