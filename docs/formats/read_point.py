#!/usr/bin/python3
"""read_point.py REPOSITORY MACHINE DISK OUTPUT [--point ID] [--key-file F | --passphrase-file F]

Writes a disk as it was at a point (ID: the beginning of its id; else the latest) into a file that is sparse where there were zeros. Written
from the pages beside it and nothing else, to prove that they are enough. Needs python3-zstandard, python3-cryptography, python3-argon2."""
import argon2, argparse, contextlib, hashlib, hmac, json, re, sqlite3, struct, sys, tempfile, unicodedata, uuid, zstandard
from pathlib import Path
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TABLES = set(re.findall("^CREATE TABLE .*$", (Path(__file__).parent / "manifest.md").read_text(), re.MULTILINE))

DAMAGE = ValueError, InvalidTag, OSError, struct.error, zstandard.ZstdError


def check(holds, finding):
    if not holds:
        raise ValueError(finding)


def hkdf(salt, material, info):  # RFC 5869, one block of SHA-256
    return hmac.digest(hmac.digest(salt, material, "sha256"), info + b"\x01", "sha256")


def wrapping_key(kdf, secret):
    if kdf["name"] == "hkdf-sha-256":
        return hkdf(bytes.fromhex(kdf["salt"]), secret, b"key slot")
    memory, passes, lanes = kdf["memory"], kdf["iterations"], kdf["parallelism"]
    check(kdf["name"] == "argon2id" and 1 <= lanes <= 16 and 8 * lanes <= memory <= 256 * 1024 and 1 <= passes <= 64, "a key slot asks for what is unknown or too much")
    return argon2.low_level.hash_secret_raw(secret, bytes.fromhex(kdf["salt"]), passes, memory, lanes, 32, argon2.Type.ID, version=0x13)


def runs(columns, whole):
    """manifest.md: the chunks of a segment as number in it, pack number, offset, units. A length code of 0 stands for `whole` units."""
    at = 0

    def number():
        nonlocal at
        value = 0
        for shift in range(0, 35, 7):
            byte, at = columns[at], at + 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("the manifest has a number of more than five bytes")
    count = number()
    gaps, lengths, packs, offsets = ([number() for _ in range(count)] for _ in range(4))
    chunk, ends = 0, {}
    for gap, length, pack, fold in zip(gaps, lengths, packs, offsets):
        chunk += gap
        offset = ends.get(pack, 0) + (fold >> 1 ^ -(fold & 1))
        check(length > 0, "the manifest has an empty run")
        for code in columns[at:at + length]:
            yield chunk, pack, offset, code or whole
            chunk, offset, at, length = chunk + 1, offset + (code or whole), at + 1, length - 1
        check(length == 0, "the manifest's map is cut off")
        ends[pack] = offset
    check(count > 0 and at == len(columns), "the manifest's map is not whole")


class Repository:
    def __init__(self, folder, key_file, passphrase_file):
        self.folder, self.master, given = folder, None, key_file or passphrase_file
        header = json.loads(self.stored("repository.json"))
        check(header["format"] == 1, f"the repository is of format {header['format']}, and this program reads 1")
        self.id, self.chunk_size, self.unit = bytes.fromhex(header["id"]), header["chunkSize"], header["chunkSize"] // 256
        self.whole = -(-(64 + self.chunk_size + 16) // self.unit)  # units of length code 0
        check(len(self.id) == 16 and self.chunk_size in (1 << n for n in range(12, 23)), "repository.json is damaged")
        kind = ("aes-256-gcm", "hmac-sha-256") if given else ("none", "sha-256")
        check((header["encryption"], header["hash"]) == kind, "there is a key and no encryption, or encryption and no key, or another hash")
        if given:
            self.unlock(header, "key-file" if key_file else "passphrase", re.split("\r\n|\r|\n", given.read_bytes().decode()))

    def unlock(self, header, kind, lines):
        """The master key by the first slot that the secret opens (encryption.md)."""
        if kind == "key-file":
            [line] = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
        secret = bytes.fromhex(line) if kind == "key-file" else unicodedata.normalize("NFC", lines[0]).encode()
        proven = "".join(f"{name} {header[name]}\n" for name in ("format", "id", "chunkSize", "hash", "encryption"))
        for slot in [slot for slot in header["keySlots"][:16] if slot["kind"] == kind]:
            associated = f"afterimage repository\n{proven}slot {slot['id']} {kind}\n".encode()
            with contextlib.suppress(InvalidTag):
                key = wrapping_key(slot["kdf"], secret)
                self.master = AESGCM(key).decrypt(bytes.fromhex(slot["nonce"]), bytes.fromhex(slot["wrapped"]), associated)
                return
        raise ValueError("the key does not open the repository, or repository.json was altered")

    def stored(self, key, offset=0, length=-1):
        with open(self.folder / key, "rb") as file:
            file.seek(offset)
            return file.read(length)

    def cipher(self, purpose):  # AES-256-GCM under the key for that
        return AESGCM(hkdf(self.id, self.master, purpose.encode()))

    def unsealed(self, key):
        content = self.stored(key)
        check(not self.master or content[:8] == b"AISEAL01", f"{key} is not sealed")
        return content if not self.master else self.cipher(f"object:{key}").decrypt(content[8:20], content[20:], key.encode())

    def descriptor(self, machine, prefix):
        """point.md: that of the one point whose id begins so, or of the latest."""
        ids = sorted(file.stem for file in (self.folder / "points" / machine).glob(f"{prefix}*.json") if len(file.stem) == 32)
        check(ids and (not prefix or len(ids) == 1), f"{machine} has {len(ids)} points {prefix}")
        content = self.unsealed(f"points/{machine}/{ids[-1]}.json")
        point, (before, digits, after) = json.loads(content), content.rpartition(json.loads(content)["check"].encode())
        check(hashlib.sha256(before + b"0" * 64 + after).hexdigest().encode() == digits, "the descriptor does not match its check")
        check(point["format"] == 1, f"the point is of format {point['format']}, and this program reads 1")
        check((point["machine"], point["point"]) == (machine, ids[-1]), "the descriptor is of another point")
        return point

    def disk(self, point, name):
        """manifest.md: the disk's size and its map, from the chunk's number to pack id, offset and length, both in units."""
        key = f"manifests/{point['machine']}/{point['point']}"
        sealed = self.stored(key)
        check(hashlib.sha256(sealed).hexdigest() == point["manifest"]["sha256"], "the manifest is not the one of its descriptor")
        content = self.unsealed(key)
        check(0 < zstandard.frame_content_size(content) <= 1 << 30, "the manifest does not say its size, or is too large")
        with tempfile.NamedTemporaryFile(buffering=0) as file:
            file.write(zstandard.ZstdDecompressor().decompress(content))
            database = sqlite3.connect(f"file:{file.name}?mode=ro&immutable=1", uri=True)
            return self.tables(point, name, lambda sql, *values: database.execute(sql, values).fetchall())

    def tables(self, point, name, rows):
        kind = [rows(f"PRAGMA {name}") for name in ("application_id", "user_version")]
        check(kind == [[(0x41496D66,)], [(1,)]], "the manifest is not one of version 1")
        check({sql for (sql,) in rows("SELECT sql FROM sqlite_master")} == TABLES, "the manifest has other tables")
        own = "SELECT id, machine, chunk_size FROM point"
        check(rows(own) == [(point["point"], point["machine"], self.chunk_size)], "the manifest is of another point")
        packs = {number: uuid.UUID(bytes=pack).bytes for number, pack in rows("SELECT number, id FROM pack")}  # 16 bytes each
        disks = {name: row for name, *row in rows("SELECT name, number, size FROM disk")}
        check(name in disks, f"the point has no disk {name}: it has {', '.join(disks)}")
        (disk, size), places = disks[name], {}
        for segment, columns in rows("SELECT number, map FROM segment WHERE disk = ?", disk):
            for chunk, pack, offset, units in runs(columns, self.whole):
                number = segment * 4096 + chunk
                fits = chunk < 4096 and 0 <= number * self.chunk_size < size and pack in packs and 1 <= offset < 1 << 24
                check(fits, "the manifest has a run outside of its disk or of any pack")
                places[number] = packs[pack], offset, units
        return size, places

    def frame(self, pack, offset, units):
        """chunk-frame.md: the chunk in the frame of that place, and its id."""
        key, length = pack.hex(), units * self.unit
        frame = self.stored(f"packs/{key[:2]}/{key}", offset * self.unit, length)
        check(len(frame) == length, f"pack {key} ends too early")
        magic, compression, stored, place = struct.unpack_from(">4sIII", frame)
        check((magic, place, frame[16:32]) == (b"AICF", offset, pack), f"another frame than {key}+{offset} lies there, or none")
        check(compression in (0, 1) and 64 + stored <= length, f"the header of {key}+{offset} is damaged")
        payload = frame[64:64 + stored]
        if self.master:
            payload = self.cipher(f"pack:{key}").decrypt(struct.pack(">8xI", offset), payload, frame[:64])
        if compression and zstandard.frame_content_size(payload) in (-1, self.chunk_size):
            payload = zstandard.ZstdDecompressor().decompress(payload, max_output_size=self.chunk_size)
        check(len(payload) == self.chunk_size, f"{key}+{offset} does not hold a chunk")
        check(self.master or hashlib.sha256(payload).digest() == frame[32:64], f"the chunk in {key}+{offset} does not match its hash")
        return payload, frame[32:64]

    def moved(self, pack, offset):
        """moves.md: where the frame of that place has come to lie anew, as (pack, offset, units), and the chunk's id."""
        for file in sorted((self.folder / "moves" / pack.hex()).glob("*.json")):
            move = json.loads(self.unsealed(file.relative_to(self.folder).as_posix()))
            check(move["format"] == 1, f"{file.name} is of format {move['format']}, and this program reads 1")
            for entry in move["frames"] if move["pack"] == pack.hex() else ():
                target = bytes.fromhex(move["packs"][entry["pack"]]), entry["at"], entry["length"] or self.whole
                if entry["offset"] == offset:
                    yield target, bytes.fromhex(entry["chunk"])

    def chunk(self, *home):
        """The chunk of that place, or of one where moves lead from there."""
        places, failures = [(home, None)], []
        for place, wanted in places:
            try:
                chunk, found = self.frame(*place)
                check(wanted in (None, found), "a move leads to another chunk")
                return chunk
            except DAMAGE as failure:
                failures.append(failure)
            places += [(target, chunk) for target, chunk in self.moved(*place[:2]) if wanted in (None, chunk)][:64 - len(places)]
        raise failures[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("repository", "machine", "disk", "output", "--point", "--key-file", "--passphrase-file"):
        parser.add_argument(name, type=str if name in ("machine", "disk", "--point") else Path)
    wanted = parser.parse_args()
    try:
        repository = Repository(wanted.repository, wanted.key_file, wanted.passphrase_file)
        size, places = repository.disk(repository.descriptor(wanted.machine, wanted.point or ""), wanted.disk)
        with open(wanted.output, "wb") as output:
            output.truncate(size)
            for number, place in sorted(places.items()):
                output.seek(number * repository.chunk_size)
                output.write(repository.chunk(*place)[:size - number * repository.chunk_size])
    except (*DAMAGE, LookupError, TypeError, AttributeError, sqlite3.Error) as failure:
        sys.exit(f"read_point.py: {str(failure) or 'what is encrypted there does not match its tag'} ({type(failure).__name__})")


main()
