#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Goal: an archive is unpacked in a confined engine and comes to the kernel as a
directory; whatever in it is meant to deceive or to overwhelm is refused with a reason, and
nothing is ever written outside the stage."""

import ctypes
import gzip
import hashlib
import io
import json
import lzma
import os
import pathlib
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile

BUILD = pathlib.Path(os.environ.get("top_builddir", ".")).resolve()
ARCHIVE = 16  # enum kiln_unit_kind's place for archives, daemon/worker/manifest.h
MIB = 1 << 20
tests = bad = 0


def check(fine, name, details=""):
    global tests, bad
    tests += 1
    bad += not fine
    print(f"{'ok' if fine else 'not ok'} {tests} - {name}")
    if not fine:
        print("".join(f"# {line}\n" for line in str(details).splitlines()), end="")


# --- archives ---------------------------------------------------------------

def tar(*entries, mode="w", form=tarfile.PAX_FORMAT):
    """Of (name, content) pairs, or tarfile.TarInfo for what is no file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=form) as archive:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry)
                continue
            info = tarfile.TarInfo(entry[0])
            info.size = len(entry[1])
            archive.addfile(info, io.BytesIO(entry[1]))
    return out.getvalue()


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def zipped(*entries, compression=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return out.getvalue()


def zip_link(name, target):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.create_system, info.external_attr = 3, 0o120777 << 16
        archive.writestr(info, target)
    return out.getvalue()


def by_libarchive(form, filters, *entries):
    """What the standard library cannot write: 7z, zstd."""
    library = ctypes.CDLL("libarchive.so.13")
    for name in ("archive_write_new", "archive_entry_new"):
        getattr(library, name).restype = ctypes.c_void_p
    writer = ctypes.c_void_p(library.archive_write_new())
    getattr(library, f"archive_write_set_format_{form}")(writer)
    for one in filters:
        getattr(library, f"archive_write_add_filter_{one}")(writer)
    room, used = ctypes.create_string_buffer(MIB), ctypes.c_size_t()
    library.archive_write_open_memory(writer, room, ctypes.c_size_t(MIB), ctypes.byref(used))
    for name, content in entries:
        entry = ctypes.c_void_p(library.archive_entry_new())
        library.archive_entry_set_pathname(entry, name.encode())
        library.archive_entry_set_size(entry, ctypes.c_int64(len(content)))
        library.archive_entry_set_filetype(entry, 0o100000)
        library.archive_entry_set_perm(entry, 0o644)
        library.archive_write_header(writer, entry)
        library.archive_write_data(writer, content, ctypes.c_size_t(len(content)))
        library.archive_entry_free(entry)
    library.archive_write_close(writer)
    library.archive_write_free(writer)
    return room.raw[:used.value]


def lying_zip(**changed):
    """A stored entry whose local header and central directory do not agree."""
    content = zipped(("a.txt", b"honest"), compression=zipfile.ZIP_STORED)
    data = bytearray(content)
    if "local" in changed:
        struct.pack_into("<II", data, 18, changed["local"], changed["local"])
    if "central" in changed:
        at = content.index(b"PK\x01\x02")
        struct.pack_into("<II", data, at + 20, changed["central"], changed["central"])
    if "crc" in changed:
        at = content.index(b"PK\x01\x02")
        struct.pack_into("<I", data, 14, changed["crc"])
        struct.pack_into("<I", data, at + 16, changed["crc"])
    return bytes(data)


def random_halves(size, times):
    """Bytes that pack to less than a half: each piece is there several times."""
    return b"".join(os.urandom(1024) * times for _ in range(size // 1024 // times))


def encrypted_zip():
    data = bytearray(zipped(("a.txt", b"x" * 40), compression=zipfile.ZIP_STORED))
    data[6] |= 1
    at = bytes(data).index(b"PK\x01\x02")
    data[at + 8] |= 1
    return bytes(data)


# --- running ----------------------------------------------------------------

class Place:
    def __init__(self, top):
        self.top = pathlib.Path(top)
        self.drop, self.out = self.top / "in", self.top / "out"
        for folder in (self.drop, self.out):
            folder.mkdir()
        self.number = 0

    def run(self, name, content, limit=0, memory=0, **more):
        """The result of one unit of that content, and what stands in the output folder."""
        self.number += 1
        out = self.out / str(self.number)
        (self.drop / name).write_bytes(content)
        manifest = {
            "batch": 1, "rule": "archives", "revision": "0" * 64,
            "plugin": str(BUILD / "plugins/copy.so"), "kernel": "copy", "params": {},
            "device": "cpu", "needs": 0, "threads": 1, "repeat": 1, "memory_limit": memory,
            "output_limit": limit, "wall_limit": 900.0, "root": str(self.drop), "out": str(out),
            "collision": "version", "inputs": "keep", "done": None, "quarantine": None,
            "mode": 0o644, "group": None, "verify_writers": True,
            "units": [{"id": 1, "kind": ARCHIVE, "attempt": 1, "path": name, "output": ""}]}
        manifest.update(more)
        (self.top / "manifest").write_text(json.dumps(manifest))
        result = self.top / "result"
        result.unlink(missing_ok=True)
        said = subprocess.run(
            [BUILD / "kiln-worker", "--manifest", self.top / "manifest", "--result", result],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=960, check=False)
        if not result.exists():
            return {"status": "none", "reason": said.stderr.decode(errors="replace")}, {}
        found = {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*")
                 if path.is_file()}
        return json.loads(result.read_text())["units"][0], found

    def strays(self):
        """What lies where nothing of an archive may."""
        return [str(path) for path in self.top.iterdir()
                if path.name not in ("in", "out", "manifest", "result")] + \
            [str(path) for path in self.out.rglob(".kiln-stage/*") if path.name != "checkpoints"]


FILES = (("a.txt", b"one"), ("sub/deep/b.txt", b"two" * 5000), ("empty", b""))


def taken(place):
    cases = {
        "shot.tar": tar(*FILES), "shot.tar.gz": tar(*FILES, mode="w:gz"),
        "shot.tar.xz": tar(*FILES, mode="w:xz"), "shot.zip": zipped(*FILES),
        "shot.ustar": tar(*FILES, form=tarfile.USTAR_FORMAT),
        "shot.stored.zip": zipped(*FILES, compression=zipfile.ZIP_STORED),
        "shot.7z": by_libarchive("7zip", (), *FILES),
        "shot.tar.zst": by_libarchive("pax", ("zstd",), *FILES),
        "shot.dots.tar": tar(special("./", tarfile.DIRTYPE), ("./a.txt", b"one"),
                             special("./sub", tarfile.DIRTYPE),
                             ("./sub/deep/b.txt", b"two" * 5000), ("empty", b"")),
    }
    for name, content in cases.items():
        unit, found = place.run(name, content)
        stem = name.removesuffix(".gz").removesuffix(".xz").removesuffix(".zst").rpartition(".")[0]
        right = unit["status"] == "published" and all(
            found.get(f"{stem}/{path}") == bytes_ for path, bytes_ in FILES)
        check(right, f"{name} is unpacked and published", (unit, sorted(found)))
        if name == "shot.zip" and right:
            sidecar = json.loads(found[f"{stem}/kiln.json"])
            entry = sidecar["inputs"][0]
            check(entry["name"] == name and
                  entry["sha256"] == hashlib.sha256(content).hexdigest() == sidecar["sha256"] and
                  [one["name"] for one in entry["entries"]] == ["a.txt", "empty", "sub/deep/b.txt"] and
                  entry["entries"][0]["sha256"] == hashlib.sha256(b"one").hexdigest(),
                  "the sidecar names the archive with its SHA-256, and its entries", entry)
    for name, content in (("dance.vmd.gz", gzip.compress(b"motion")),
                          ("dance.vmd.xz", lzma.compress(b"motion"))):
        unit, found = place.run(name, content)
        check(found.get("dance.vmd/dance.vmd") == b"motion", f"{name} is one file", (unit, found))
    inner = zipped(("inside.txt", b"x"))
    unit, found = place.run("nested.zip", zipped(("inner.zip", inner), ("a.txt", b"a")))
    check(found.get("nested/inner.zip") == inner, "a nested archive is a file, not unpacked",
          (unit, sorted(found)))
    unit, found = place.run("case.tar", tar(("a.txt", b"1"), ("A.txt", b"2")))
    check(found.get("case/a.txt") == b"1" and found.get("case/A.txt") == b"2",
          "names that differ in case only are two files here", (unit, sorted(found)))


def refused(place):
    zeros = bytes(64 * MIB)
    cases = (
        ("no archive at all", "x.zip", b"hello there", "it is no archive"),
        ("an empty file", "x.tar", b"", ""),
        ("an archive without files", "x.tar", tar(special("d", tarfile.DIRTYPE)), "holds no files"),
        ("a tar that was cut", "x.tar", tar(("a", bytes(5000)))[:2000], ""),
        ("a zip that was cut", "x.zip", zipped(("a", os.urandom(5000)))[:3000], ""),
        ("traversal", "x.tar", tar(("../out.txt", b"x")), "leaves its folder"),
        ("traversal within a name", "x.tar", tar(("a/../../out.txt", b"x")), "leaves its folder"),
        ("traversal in a zip", "x.zip", zipped(("a/../../../out.txt", b"x")), "leaves its folder"),
        ("an absolute name", "x.tar", tar(("/tmp/kiln-absolute", b"x")), "absolute name"),
        ("a backslash", "x.tar", tar(("..\\out.txt", b"x")), "backslashes"),
        ("a symbolic link", "x.tar", tar(special("l", tarfile.SYMTYPE, "/etc/passwd")),
         "is a symbolic link"),
        ("a link to write through", "x.tar",
         tar(special("d", tarfile.SYMTYPE, "/tmp"), ("d/kiln-through", b"x")), "is a symbolic link"),
        ("a symbolic link in a zip", "x.zip", zip_link("l", "/etc/passwd"), "is a symbolic link"),
        ("a hard link", "x.tar", tar(special("l", tarfile.LNKTYPE, "/etc/passwd")), "is a hard link"),
        ("a hard link to an entry", "x.tar", tar(("a", b"x"), special("l", tarfile.LNKTYPE, "a")),
         "is a hard link"),
        ("a FIFO", "x.tar", tar(special("f", tarfile.FIFOTYPE)), "is a FIFO"),
        ("a device", "x.tar", tar(special("d", tarfile.CHRTYPE)), "is a device"),
        ("a duplicate", "x.tar", tar(("a", b"1"), ("a", b"2")), "is there twice"),
        ("a duplicate by another spelling", "x.tar", tar(("a", b"1"), ("./a", b"2")),
         "is there twice"),
        ("a file that is a folder", "x.tar", tar(("a", b"1"), ("a/b", b"2")),
         "is a file and a folder"),
        ("a folder that is a file", "x.tar", tar(("a/b", b"1"), ("a", b"2")), ""),
        ("control characters", "x.tar", tar(("a\nb\x1b[31m", b"1")), "control characters"),
        ("names that are not UTF-8", "x.tar",
         tar(("\udcff\udcfe.txt", b"1"), form=tarfile.GNU_FORMAT), ""),
        ("a name that is too long", "x.tar", tar(("n" * 256, b"1")), "too long"),
        ("nesting without end", "x.tar", tar(("d/" * 40 + "f", b"1")), "nested too deep"),
        ("a zip bomb", "x.zip", zipped(("a", zeros)), "a bomb"),
        ("a gz bomb", "x.gz", gzip.compress(b"x" * (64 * MIB)), "a bomb"),
        ("a tar bomb", "x.tar.gz", tar(("a", zeros), mode="w:gz"), "a bomb"),
        ("a bomb of many files", "x.zip", zipped(*((f"{i}", bytes(MIB)) for i in range(40))),
         "a bomb"),
        ("a compression of compressions", "x.gz", gzip.compress(gzip.compress(b"x")),
         "more than once"),
        ("a size in the local header that lies", "x.zip", lying_zip(local=600), ""),
        ("a size in the directory that lies", "x.zip", lying_zip(central=3), ""),
        ("a checksum that lies", "x.zip", lying_zip(crc=0x12345678), "CRC"),
        ("encryption", "x.zip", encrypted_zip(), "encrypted"),
    )
    for what, name, content, reason in cases:
        unit, found = place.run(name, content)
        check(unit["status"] == "bad" and unit["reason"] and reason in unit["reason"] and not found,
              f"{what} is refused", (unit, sorted(found)))
    many = tar(*((f"{i}", b"") for i in range(100001)), mode="w:gz")
    unit, found = place.run("many.tar.gz", many)
    check(unit["status"] == "bad" and "100000 entries" in unit["reason"],
          "too many entries are refused", unit)
    unit, found = place.run("big.zip", zipped(("a", os.urandom(MIB))), limit=MIB // 2)
    check(unit["status"] == "bad" and "may be unpacked" in unit["reason"],
          "more than the rule's limit is refused", unit)
    limits = (
        ("entries", dict(archive_entries=2), tar(("a", b"1"), ("b", b"2"), ("c", b"3")),
         tar(("a", b"1"), ("b", b"2")), "more than 2 entries"),
        ("bytes", dict(archive_bytes=4096), tar(("a", os.urandom(4097))), tar(("a", os.urandom(4096))),
         "more than the 4096 bytes"),
        ("ratio", dict(archive_ratio=2), zipped(("a", random_halves(16 * MIB, 8))),
         zipped(("a", os.urandom(16 * MIB))), "more than 2 times the size"),
        ("depth", dict(archive_depth=2), tar(("a/b/c", b"1")), tar(("a/b", b"1")), "nested too deep"),
        ("name", dict(archive_name=5), tar(("a/123456", b"1")), tar(("12345/1234", b"1")), "too long"),
    )
    for key, limit, above, within, reason in limits:
        unit, found = place.run("x" + (".zip" if key == "ratio" else ".tar"), above, **limit)
        check(unit["status"] == "bad" and reason in unit["reason"] and not found,
              f"{key}: what is above is refused", unit)
        unit, found = place.run("x" + (".zip" if key == "ratio" else ".tar"), within, **limit)
        check(unit["status"] == "published", f"{key}: what is within is taken", unit)
    unit, found = place.run("big.zip", zipped(("a", os.urandom(MIB))), limit=MIB // 2, archive_bytes=MIB * 2)
    check(unit["status"] == "bad" and f"{MIB // 2} bytes" in unit["reason"],
          "bytes: the rule's limit holds all the same", unit)


def main():
    with tempfile.TemporaryDirectory(prefix="kiln-archives.") as top:
        place = Place(top)
        taken(place)
        refused(place)
        check(not place.strays(), "nothing is left behind or outside", place.strays())
        check(not any(os.path.exists(path) for path in ("/tmp/kiln-absolute", "/tmp/kiln-through")),
              "nothing was written where an entry said")
    print(f"1..{tests}")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
