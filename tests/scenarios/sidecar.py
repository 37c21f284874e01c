#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""sidecar.py OUTPUT | --all FOLDER | --seen FOLDER - whether what lies there is what its sidecar says.

An independent reader of sidecars: NAME.kiln.json beside a file, kiln.json inside a
directory.  Every output a sidecar names must exist with the size and SHA-256 it claims.
With --all, moreover, every regular file of FOLDER must be a sidecar or named by one:
half an output, a forgotten stage or an output without sidecar is a fault (checkpoints,
which are kept on purpose, are not).  With --seen it may be in the middle of work: stages
are passed over, and a sidecar may stand there before its output, never after.  Prints faults; exit status 1 if there are any."""

import hashlib
import json
import os
import pathlib
import re
import sys


def sidecar_of(output):
    return output / "kiln.json" if output.is_dir() else output.parent / (output.name + ".kiln.json")


def unescaped(name):
    """The file name that a sidecar writes with \\xNN for what is not printable."""
    return os.fsdecode(re.sub(rb"\\x([0-9a-f]{2})", lambda hexes: bytes.fromhex(hexes[1].decode()),
                              name.encode()))


def outputs(sidecar):
    """Yields (path, claims) of each output that the sidecar names."""
    for claims in json.loads(sidecar.read_text())["outputs"]:
        yield sidecar.parent / unescaped(claims["name"]), claims


def faults_of(sidecar):
    if not sidecar.is_file():
        yield f"there is no {sidecar}"
        return
    named = list(outputs(sidecar))
    if not named:
        yield f"{sidecar} names no output"
    for path, claims in named:
        if not path.is_file():
            yield f"{sidecar.name} names {path}, which is not there"
            continue
        content = path.read_bytes()
        if len(content) != claims["bytes"]:
            yield f"{path}: {len(content)} bytes, the sidecar says {claims['bytes']}"
        if hashlib.sha256(content).hexdigest() != claims["sha256"]:
            yield f"{path}: its SHA-256 is not what the sidecar says"


def faults_seen(folder):
    """What somebody who looks at FOLDER at this moment could trip over."""
    files = []
    for top, folders, names in os.walk(folder):
        # Stages come and go meanwhile.
        folders[:] = [name for name in folders if name != ".kiln-stage"]
        files += [path for name in names if (path := pathlib.Path(top, name)).is_file()]
    sidecars = [path for path in files
                if path.name.endswith(".kiln.json") or path.name == "kiln.json"]
    vouched = {path: claims for sidecar in sidecars for path, claims in outputs(sidecar)}
    faults = []
    for path in files:
        if path in sidecars:
            continue
        if path not in vouched:
            faults.append(f"{path} has no sidecar")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != vouched[path]["sha256"]:
            faults.append(f"{path} is not what its sidecar says")
    return faults


def main():
    if sys.argv[1] == "--seen":
        faults = faults_seen(pathlib.Path(sys.argv[2]))
    elif sys.argv[1] != "--all":
        output = pathlib.Path(sys.argv[1])
        faults = list(faults_of(sidecar_of(output)))
        if not faults and output.is_file() and output not in dict(outputs(sidecar_of(output))):
            faults = [f"the sidecar of {output} does not name it"]
    else:
        folder = pathlib.Path(sys.argv[2])
        files = [path for path in folder.rglob("*")
                 if path.is_file() and ".kiln-stage/checkpoints/" not in str(path)]
        sidecars = [path for path in files
                    if path.name.endswith(".kiln.json") or path.name == "kiln.json"]
        faults = [fault for sidecar in sidecars for fault in faults_of(sidecar)]
        vouched = {path for sidecar in sidecars for path, _ in outputs(sidecar)}
        faults += [f"{path} has no sidecar" for path in files
                   if path not in sidecars and path not in vouched]
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
