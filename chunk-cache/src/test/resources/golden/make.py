#!/usr/bin/python3
"""make.py FOLDER [PROGRAM]

How the repositories beside this file were made: once, for a format version; see README.md. Makes FOLDER with three repositories and the SHA-256
of each disk at each point. Nothing runs this but people who make the fixtures of a new format version. Needs qemu-system-x86_64.
"""
import hashlib, json, os, random, socket, subprocess, sys, tempfile, time
from pathlib import Path

CHUNK = 4096
PROGRAM = Path(sys.argv[2] if len(sys.argv) > 2 else "afterimage")
KEYS = {"clear": [], "key-file": ["--key-file", "site.key"], "passphrase": ["--passphrase-file", "passphrase.txt"]}


def noise(chunks):
    return random.randbytes(chunks * CHUNK)


def text(chunks, word):
    return (word * (chunks * CHUNK // len(word) + 1))[:chunks * CHUNK].encode()


def write(image, chunk, content, within=0):
    with open(image, "r+b") as file:
        file.seek(chunk * CHUNK + within)
        file.write(content)


def image(path, size):
    path.touch()
    os.truncate(path, size)
    return path


class Machine:
    """A QEMU that never runs its processor: disks, QMP and dirty bitmaps are all that is wanted."""

    def __init__(self, folder, disks):
        self.path = folder / "qmp"
        drives = [option for name, path in disks.items() for option in (
            "-blockdev", f"driver=raw,node-name={name},file.driver=file,file.filename={path}", "-device", f"virtio-blk-pci,drive={name},id={name}-device,share-rw=on")]
        self.process = subprocess.Popen(["qemu-system-x86_64", "-S", "-nodefaults", "-display", "none", "-qmp", f"unix:{self.path},server,nowait", *drives],
                                        stdout=subprocess.DEVNULL)
        while not self.path.exists():
            time.sleep(0.1)

    def execute(self, *commands):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.path))
            stream = connection.makefile("rw")
            for command, arguments in (("qmp_capabilities", {}), *commands):
                stream.write(json.dumps({"execute": command, "arguments": arguments}))
                stream.flush()
                answer = {}
                while not {"return", "error"} & answer.keys():
                    answer = json.loads(stream.readline())
                    while "QMP" in answer or "event" in answer:
                        answer = json.loads(stream.readline())
                if answer.get("return") not in ({}, ""):
                    raise RuntimeError(f"{command}: {answer}")

    def write(self, disk, chunk, content):
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            self.io(disk, f"write -s {file.name} {chunk * CHUNK} {len(content)}")

    def zero(self, disk, chunk, chunks):
        self.io(disk, f"write -z {chunk * CHUNK} {chunks * CHUNK}")

    def io(self, disk, command):
        self.execute(("human-monitor-command", {"command-line": f'qemu-io {disk} "{command}"'}))

    def close(self):
        self.execute(("quit", {}))
        self.process.wait()


class Repository:
    def __init__(self, folder, name, work):
        self.folder, self.name, self.work, self.expected = folder, name, work, []
        self.run("init", "--chunk-size", "4k", *(["--encrypt"] if KEYS[name] else []))

    def packs(self):
        return {path for path in (self.folder / self.name / "packs").glob("*/*")}

    def run(self, *arguments, check=True):
        environment = dict(os.environ, AFTERIMAGE_REPO=str(self.folder / self.name), AFTERIMAGE_CACHE=str(self.work / "cache"))
        done = subprocess.run([PROGRAM, *arguments, *KEYS[self.name]], cwd=self.folder, env=environment, check=check, stdout=subprocess.PIPE)
        return done.stdout

    def back_up(self, machine, source, disks):
        point = json.loads(self.run("backup", machine, *source, "--json"))
        for disk, path in disks.items():
            content = path.read_bytes()
            self.expected.append({"repository": self.name, "machine": machine, "point": point["point"], "kind": point["kind"], "disk": disk,
                                  "size": len(content), "sha256": hashlib.sha256(content).hexdigest()})

    def images(self, machine, disks):
        self.back_up(machine, [option for name, path in disks.items() for option in ("--image", f"{name}={path}")], disks)


def fill(repository, work):
    """Web runs in QEMU: bitmaps, definitions, a disk that grows. Db is of image files: odd sizes, a disk that shrinks, one that comes later."""
    vda, vdb = image(work / "vda", 4200 * CHUNK + 1536), image(work / "vdb", 40 * CHUNK)
    shared = text(6, "what both machines have ") + noise(2)
    write(vda, 0, noise(1) + text(3, "boot ") + shared)
    write(vda, 100, text(1, "scattered ") + bytes(CHUNK) + text(1, "about "))
    write(vda, 4190, text(12, "the last chunk is not whole ")[:10 * CHUNK + 1536])
    write(vdb, 3, noise(1))
    web = Machine(work, {"vda": vda, "vdb": vdb})
    disks = {"vda": vda, "vdb": vdb}
    qmp = ["--qmp", str(web.path)]
    repository.back_up("web", qmp, disks)
    web.write("vda", 1, text(1, "changed "))
    web.zero("vda", 4, 3)  # among what db shares
    web.write("vda", 4100, noise(1))
    repository.back_up("web", qmp, disks)
    web.execute(("block_resize", {"node-name": "vda", "size": 4203 * CHUNK + 512}))
    web.write("vda", 4202, text(1, "grown "))
    web.zero("vda", 4190, 2)
    repository.back_up("web", qmp, disks)
    repository.back_up("web", qmp, disks)
    web.close()

    root, data = image(work / "root", 77 * CHUNK + 1001), image(work / "data", 9 * CHUNK + 1)
    write(root, 2, shared)
    write(root, 60, noise(1), within=100)
    write(root, 77, b"!" * 1001)
    before = repository.packs()
    repository.images("db", {"root": root})
    [pack] = repository.packs() - before
    write(root, 2, bytes(2 * CHUNK))
    write(root, 3, text(2, "other "), within=2048)
    repository.images("db", {"root": root})
    os.truncate(root, 61 * CHUNK + 3)
    write(data, 9, b"\x01")
    repository.images("db", {"root": root, "data": data})
    with open(pack, "r+b") as file:  # the payload of its first frame, chunk 60 of root, goes bad, is found, and is stored anew
        file.seek(2 * 16 + 64 + 200)
        file.write(b"BAD")
    repository.run("verify", check=False)
    repository.images("db", {"root": root, "data": data})


def main():
    folder = Path(sys.argv[1])
    folder.mkdir()
    (folder / "passphrase.txt").write_text("Für alle Zeit\n", encoding="utf-8")
    expected = []
    for name in KEYS:
        with tempfile.TemporaryDirectory() as work:
            repository = Repository(folder, name, Path(work))
            fill(repository, Path(work))
            expected += repository.expected
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
