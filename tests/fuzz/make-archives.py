#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes small archives for the fuzzers into the folder that is named."""

import io
import pathlib
import sys
import tarfile
import zipfile

FILES = (("a.txt", b"one"), ("sub/b.txt", b"two" * 50), ("sub/c", b""))


def main():
    folder = pathlib.Path(sys.argv[1])
    for name, mode in (("seed.tar", "w"), ("seed.tar.gz", "w:gz"), ("seed.tar.xz", "w:xz")):
        with tarfile.open(folder / name, mode) as archive:
            for path, content in FILES:
                info = tarfile.TarInfo(path)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            link = tarfile.TarInfo("link")
            link.type, link.linkname = tarfile.SYMTYPE, "a.txt"
            if mode == "w":
                archive.addfile(link)
    with zipfile.ZipFile(folder / "seed.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in FILES:
            archive.writestr(path, content)


if __name__ == "__main__":
    main()
