# SPDX-License-Identifier: BSD-2-Clause
"""world.py - one drop folder with its kilnd, and what must hold of it whatever happened.

A World is a folder with inputs, a rule and a state.  Between two lives of kilnd
World.faults_now() says what somebody who looks would trip over, and at the end
World.faults_at_rest() what is not as if nothing had happened.  Each fault is a sentence;
none of them is a passing state, so that a sweep may count them."""

import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import tarfile
import time

BUILD = pathlib.Path(os.environ.get("top_builddir", ".")).resolve()
SOURCE = pathlib.Path(os.environ.get("top_srcdir", ".")).resolve()
PROGRAMS = pathlib.Path(os.environ.get("KILN_SWEEP_PROGRAMS", BUILD))
FAULT = BUILD / "tests/sweep/fault"
PATIENCE = 120  # seconds; a way out of a hang, not a measure
PUBLISHED = 3  # states of a unit in the ledger; 7: gone
FINAL = (3, 4, 5, 6, 7)
RIVAL = b"a rival\n"


ROOM = 1 << 30  # bytes that all worlds of a sweep may need


def scratch_folder():
    """Memory is as good a disk as any for a process that is killed, and much faster."""
    shm = pathlib.Path("/dev/shm")
    wanted = os.environ.get("KILN_SWEEP_DIR")
    if wanted:
        return pathlib.Path(wanted)
    suits = shm.is_dir() and os.access(shm, os.W_OK) and shutil.disk_usage(shm).free > ROOM
    return shm if suits else other_disk()


def other_disk():
    return pathlib.Path(os.environ.get("TMPDIR", "/tmp"))


class Scene:
    """What is dropped, and what the rule says about it."""

    def __init__(self, name, inputs, *, unit="file", policy="move", bad=(), old=(), across=False,
                 collision="version"):
        self.name, self.inputs, self.unit, self.policy = name, inputs, unit, policy
        self.bad, self.old, self.across, self.collision = bad, old, across, collision
        self.makes_folders = unit != "file"
        self.is_family = unit in ("sequence", "bundle")

    def dropped_as(self, path, name):
        """Where a part of that input lies in the drop folder; a family has no folder."""
        return os.path.join(path, name) if name and not self.is_family else name or path

    def home(self, path):
        """What that input is called where it is kept."""
        return path.partition(".")[0] if self.is_family else path

    def makes(self, path):
        """What comes out of that input."""
        return unpacked(self.inputs[path][""]) if self.unit == "archive" else self.inputs[path]


def packed(files):
    """The same archive every time."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return whole.getvalue()


def unpacked(content):
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return {entry.name: archive.extractfile(entry).read() for entry in archive}


# An input is {relative name: bytes}; that of a file has the one name "".  A sequence is
# called as printf(3) would have it, a bundle by its main file.
SCENES = {
    "files": Scene("files", {
        "a.txt": {"": b"first\n"}, "b.txt": {"": b"second\n"}, "sub/c.txt": {"": b"third\n" * 4096},
    }, bad=("bad.txt",)),
    "folders": Scene("folders", {
        "shot1": {"f.1": b"one\n", "f.2": b"two\n"}, "shot2": {"g.1": b"three\n", "deep/g.2": b"four\n"},
    }, unit="directory", policy="delete"),
    "frames": Scene("frames", {
        "walk.%04d.txt": {f"walk.{n:04}.txt": b"walk %d\n" % n for n in (1, 2, 3)},
        "run.%04d.txt": {f"run.{n:04}.txt": b"run %d\n" % n for n in (1, 2, 3)},
    }, unit="sequence"),
    "meshes": Scene("meshes", {
        "chair.obj": {"chair.obj": b"v\n", "chair.mtl": b"red\n", "chair_wood.png": b"wood\n" * 500},
        "stool.obj": {"stool.obj": b"w\n", "stool-top.png": b"top\n"},
    }, unit="bundle"),
    "packs": Scene("packs", {
        "one.tar": {"": packed({"f.1": b"packed\n", "deep/f.2": b"deeper\n" * 900})},
        "two.tar": {"": packed({"g": b"other\n"})},
    }, unit="archive", policy="delete"),
    "replace": Scene("replace", {
        "a.txt": {"": b"new first\n"}, "b.txt": {"": b"new second\n"},
    }, old=("a.txt", "b.txt"), policy="keep", collision="replace"),
    # Enough for the engine not to wait until they are hashed (worker/identity.h).
    "large": Scene("large", {
        "a.txt": {"": b"a large one\n" * 700000}, "b.txt": {"": b"and a small one\n"},
    }),
    # The inputs are kept on another file system.
    "across": Scene("across", {
        "a.txt": {"": b"here\n"}, "b.txt": {"": b"there\n" * 2000},
    }, across=True),
}
OLD = b"an older output\n"
CLAIMS = ".kiln-claim"


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def tree(folder):
    """{relative path: bytes, None for a folder, a str for a symbolic link's target}."""
    found = {}
    for top, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(top, name)
            short = os.path.relpath(path, folder)
            if os.path.islink(path):
                found[short] = os.readlink(path)
            elif os.path.isdir(path):
                found[short] = None
            else:
                found[short] = pathlib.Path(path).read_bytes()
    return found


class World:
    def __init__(self, folder, scene):
        self.folder, self.scene = pathlib.Path(folder), scene
        self.elsewhere = None
        if scene.across and other_disk().stat().st_dev != self.folder.parent.stat().st_dev:
            self.elsewhere = other_disk() / f"kiln-sweep-{os.getpid()}-{self.folder.name}"
        self.logs = self.folder.with_name(self.folder.name + ".logs")
        self.state, self.drop, self.out = (self.folder / name for name in ("state", "in", "out"))
        self.failed = self.folder / "failed"
        self.done = self.elsewhere or self.folder / "done"
        self.conf = self.folder / "kiln.toml"
        self.rivals = set()

    def remove(self):
        for folder in (self.folder, self.elsewhere, self.logs):
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)

    def write(self, path, content):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def make(self):
        self.remove()
        self.rivals.clear()
        scene = self.scene
        for folder in (self.state, self.drop, self.out, self.failed, self.logs):
            folder.mkdir(parents=True)
        for path, files in scene.inputs.items():
            for name, content in files.items():
                self.write(self.drop / scene.dropped_as(path, name), content)
        for name in scene.bad:
            (self.drop / name).symlink_to("/etc/passwd")
        for name in scene.old:
            self.write(self.out / name, OLD)
        inputs = f'"move:{self.done}"' if scene.policy == "move" else f'"{scene.policy}"'
        self.write(self.conf, b"# Every key at its default.\n")
        self.write(self.folder / "rules.d/sweep.toml", f"""
[rule.sweep]
watch = "{self.drop}"
match = ["{"*.obj" if scene.unit == "bundle" else "*"}"]
unit = "{scene.unit}"
{"sequence = { first = 1, last = 3 }" if scene.unit == "sequence" else ""}
recursive = {"true" if scene.unit == "file" else "false"}
settle = "50ms"
kernel = "copy"
output = "{self.out}"
collision = "{scene.collision}"
inputs = {inputs}
quarantine = "{self.failed}"
retries = {{ max = 20, backoff = "20ms..100ms" }}
batch = {{ by = "all", max_units = 8, max_wait = "300ms" }}
""".encode())
        return self

    # --- kilnd --------------------------------------------------------------

    def start(self, *fault):
        """kilnd, below `fault` with these options if there are any."""
        command = [PROGRAMS / "kilnd", "-c", self.conf, "--state", self.state, "--foreground"]
        if fault:
            command = [FAULT, "--report", self.logs / "report", *fault, "--", *command]
        log = open(self.logs / "kilnd.log", "ab")
        with log:
            return subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                    stdout=log, stderr=log)

    def idle(self, process, patience):
        """Waits until nothing is left to do; False when kilnd ended before."""
        end = time.monotonic() + patience
        while process.poll() is None:
            if time.monotonic() > end:
                raise TimeoutError("kilnd does not come to rest")
            asked = subprocess.run(
                [PROGRAMS / "kilnctl", "--state", self.state, "sync", "--idle"],
                stdin=subprocess.DEVNULL, capture_output=True, timeout=patience, check=False)
            if asked.returncode == 0:
                return True
            time.sleep(0.01)
        return False

    def stop(self, process):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            return process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise TimeoutError("kilnd does not end") from None

    def run(self, *fault, within=None):
        """One life of kilnd until it is at rest or dead, or these seconds are over; what
        `fault` reports of it."""
        process = self.start(*fault)
        try:
            lived = self.idle(process, within or PATIENCE)
        except (subprocess.TimeoutExpired, TimeoutError):
            if within is None:
                raise TimeoutError("kilnd does not come to rest") from None
        finally:
            self.stop(process)
        if not fault and not lived:
            raise OSError(f"kilnd ended: {(self.logs / 'kilnd.log').read_text()[-300:]}")
        if not fault:
            return {}
        report = {}
        for line in (self.logs / "report").read_text().splitlines():
            word, *rest = line.split("\t")
            report.setdefault(word, []).append(rest)
        self.rivals |= {pathlib.Path(path) for path, in report.get("rival", ())}
        return report

    # --- what is there ------------------------------------------------------

    def ledger(self):
        """[(path, state, output, reason)] of what is committed, read from a copy."""
        copy = self.logs / "ledger"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for name in ("ledger.db", "ledger.db-wal"):
            if (self.state / name).exists():
                shutil.copyfile(self.state / name, copy / name)
        return read_ledger(copy / "ledger.db")

    def view(self):
        return View(self.scene, tree(self.drop), tree(self.out), tree(self.done), self.ledger(),
                    self.rivals_below(self.out), self.rivals_below(self.done))

    def rivals_below(self, folder):
        return {str(path.relative_to(folder)) for path in self.rivals if folder in path.parents}

    def faults_now(self):
        return list(self.view().faults())

    def faults_at_rest(self):
        """As if nothing had happened, but for litter."""
        view = self.view()
        faults = list(view.faults()) + list(view.unrest())
        # A second name of what is kept is litter.
        faults += [f"'{name}' is left in the drop folder" for name in view.left_over()
                   if view.drop[name] not in view.done.values()]
        return faults + list(self.quarantine_faults())

    def quarantine_faults(self):
        """Each bad input lies there once, under its name or a version of it, and why."""
        rivals = self.rivals_below(self.failed)
        found = {name: content for name, content in tree(self.failed).items()
                 if not name.startswith(".kiln-")}
        yield from (f"what somebody else put at '{self.failed / name}' was overwritten"
                    for name in rivals if found.pop(name, None) != RIVAL)
        for name in self.scene.bad:
            versions = [version for version in versions_of(name) if version in found and
                        found.pop(f"{version}.reason.txt", None)]
            if not versions or any(found.pop(one) != "/etc/passwd" for one in versions):
                yield f"'{name}' is not in quarantine: {sorted(found)}"
        if found:
            yield f"in quarantine are {sorted(found)} as well"

    def litter(self):
        """What is hidden and of no use, and nobody would remove any more."""
        found = [f"'{folder / name}' is left over" for folder in (self.drop, self.done, self.failed)
                 for name in tree(folder) if os.path.basename(name).startswith(".kiln-") and
                 name != CLAIMS]
        view = self.view()
        found += [f"'{name}' is left in the drop folder" for name in view.left_over()]
        found += [f"'{path}' is kept {len(view.in_done(path))} times" for path in view.scene.inputs
                  if len(view.in_done(path)) > 1]
        found += [f"'{name}' is in quarantine twice" for name in self.scene.bad
                  if sum((self.failed / one).is_symlink() for one in versions_of(name)) > 1]
        stages = self.out / ".kiln-stage"
        if stages.exists():
            found += [f"the stage '{name}' is left over" for name in os.listdir(stages)
                      if name not in ("checkpoints", "doubted") or
                      name == "doubted" and any((stages / name).iterdir())]
        return found


def versions_of(path):
    """The name, and what it may have become where that was taken."""
    stem, dot, suffix = path.rpartition(".")
    return [path] + [f"{stem}.{n}.{suffix}" if dot else f"{path}.{n}" for n in range(2, 9)]


def read_ledger(path):
    if not os.path.exists(path):
        return []
    database = sqlite3.connect(path)
    try:
        rows = database.execute("SELECT path, state, output, reason FROM unit").fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        rows = []
    finally:
        database.close()
    text = lambda value: value.decode() if isinstance(value, bytes) else value
    return [(text(path), state, text(output), reason) for path, state, output, reason in rows]


def unclaimed(drop, scene):
    """What lies in the claim folder as ID~NAME lies, as good as ever, where it was dropped."""
    found = {name: content for name, content in drop.items()
             if name.split("/")[0] != CLAIMS}
    for name, content in drop.items():
        top, _, inside = name.partition("/")
        entry, slash, part = inside.partition("/")
        if top != CLAIMS or not re.match("[0-9]+~", entry):
            continue
        # A family's own folder has the name of its main file.
        if content is None and scene.is_family:
            continue
        for path in (*scene.inputs, *scene.bad):
            if os.path.basename(path) == entry.split("~", 1)[1]:
                found.setdefault(scene.dropped_as(path, part) if part or not slash else path, content)
    return found


class View:
    """What lies in the folders at one moment, kilnd not running: as tree() gives it."""

    def __init__(self, scene, drop, out, done, ledger, rivals_out=(), rivals_done=()):
        self.scene, self.done, self.ledger = scene, done, ledger
        self.drop = unclaimed(drop, scene)
        self.out = {name: content for name, content in out.items()
                    if not name.split("/")[0].startswith(".kiln-stage")}
        self.rivals_out, self.rivals_done = rivals_out, rivals_done

    def dropped(self, path):
        """Whether that input is there still, as it was dropped."""
        return all(self.drop.get(self.scene.dropped_as(path, name)) == content
                   for name, content in self.scene.inputs[path].items())

    def left_over(self):
        """What a rule that moves or deletes its inputs should not leave in the drop folder."""
        return [name for name, content in self.drop.items() if self.scene.policy != "keep" and
                content is not None and "/.kiln-" not in f"/{name}"]

    def in_done(self, path):
        """Under its own name, or a version of it when that was taken."""
        return [name for name in versions_of(self.scene.home(path))
                if name not in self.rivals_done and
                all(self.done.get(os.path.join(name, part) if part else name) == content
                    for part, content in self.scene.inputs[path].items())]

    def sidecars(self):
        """{sidecar's path: (its folder, its JSON)}; what cannot be read is a fault."""
        for path, content in self.out.items():
            base = os.path.basename(path)
            if path in self.rivals_out or not (base == "kiln.json" or base.endswith(".kiln.json")):
                continue
            try:
                yield path, os.path.dirname(path), json.loads(content)
            except (ValueError, TypeError):
                yield path, os.path.dirname(path), None

    def outputs(self):
        """Yields (input or None, primary, fault or None) of what stands in the folder."""
        if self.scene.makes_folders:
            yield from self.folder_outputs()
            return
        vouched = {}
        for path, folder, side in self.sidecars():
            if side is None:
                yield None, path, f"the sidecar '{path}' is not whole"
                continue
            for output in side["outputs"]:
                vouched[os.path.join(folder, output["name"])] = (side, output)
        for path, content in self.out.items():
            if content is None or path.endswith(".kiln.json") or path in self.rivals_out:
                continue
            if path in self.scene.old and content == OLD:
                continue
            side, output = vouched.get(path, (None, None))
            if side is None:
                yield None, path, f"'{path}' has no sidecar"
            elif sha256(content) != output["sha256"]:
                yield None, path, f"'{path}' is not what its sidecar says"
            else:
                yield side["path"], path, None

    def folder_outputs(self):
        for path, content in self.out.items():
            if "/" in path or path in self.rivals_out:
                continue
            side = next((side for _, folder, side in self.sidecars() if folder == path), None)
            if content is not None or side is None:
                yield None, path, f"'{path}' has no sidecar"
                continue
            files = {os.path.relpath(name, path): sha256(bytes_) for name, bytes_ in self.out.items()
                     if name.startswith(path + "/") and bytes_ is not None}
            files.pop("kiln.json")
            claimed = {output["name"]: output["sha256"] for output in side["outputs"]}
            if files != claimed:
                yield None, path, f"'{path}' is not what its sidecar says"
            else:
                yield side["path"], path, None

    def published(self):
        """{input: [primaries]}"""
        found = {path: [] for path in self.scene.inputs}
        for path, primary, fault in self.outputs():
            if fault is None:
                found.setdefault(path, []).append(primary)
        return found

    def right_content(self, path, primary):
        return all(self.out.get(os.path.join(primary, name) if name else primary) == content
                   for name, content in self.scene.makes(path).items())

    def faults(self):
        """What must hold at any moment."""
        yield from (fault for _, _, fault in self.outputs() if fault)
        published = self.published()
        recorded = {path for path, state, _, _ in self.ledger if state == PUBLISHED}
        for path, primaries in published.items():
            if path not in self.scene.inputs:
                yield f"there is an output of '{path}', which nobody dropped"
                continue
            if len(primaries) > 1:
                yield f"'{path}' is published {len(primaries)} times: {primaries}"
            yield from (f"'{primary}' is not what '{path}' makes" for primary in primaries
                        if not self.right_content(path, primary))
            if path in recorded and not primaries:
                yield f"'{path}' is recorded as published and has no output"
            if self.dropped(path):
                continue
            if self.scene.policy == "keep":
                yield f"'{path}' has left the drop folder, where it was to be kept"
            if not primaries:
                yield f"'{path}' has left the drop folder without an output"
            if path not in recorded:
                yield f"'{path}' has left the drop folder before the ledger had its outcome"
            if self.scene.policy == "move" and not self.in_done(path):
                yield f"'{path}' is lost: neither dropped nor kept"
        yield from self.rival_faults()

    def rival_faults(self):
        for folder, names in ((self.out, self.rivals_out), (self.done, self.rivals_done)):
            for name in names:
                others = [path for path in folder if path.startswith(name + "/")]
                if name not in folder or folder[name] not in (None, RIVAL) or others:
                    yield f"what somebody else put at '{name}' was overwritten"

    def unrest(self):
        """What must hold, besides, when everything has come to its end."""
        published = self.published()
        for path in self.scene.inputs:
            if not published[path]:
                yield f"'{path}' is not published"
            if self.scene.policy == "move" and not self.in_done(path):
                yield f"'{path}' is not kept"
        yield from (f"'{path}' is in state {state} in the ledger ({reason})"
                    for path, state, _, reason in self.ledger if state not in FINAL)
        yield from (f"'{path}' failed: {reason}" for path, state, _, reason in self.ledger
                    if state == 6 and path in self.scene.inputs)
        kept = [name for path in self.scene.inputs for name in self.in_done(path)]
        yield from (f"'{name}' is left among the inputs that are done"
                    for name, content in self.done.items() if content is not None and
                    not any(f"{name}/".startswith(f"{one}/") for one in kept) and
                    name not in self.rivals_done and "/.kiln-" not in f"/{name}")
        yield from (f"the sidecar '{path}' is left without its output"
                    for path, folder, side in self.sidecars() if side is None or
                    not self.scene.makes_folders and
                    os.path.join(folder, side["outputs"][0]["name"]) not in self.out)
