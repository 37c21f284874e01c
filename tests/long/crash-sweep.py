#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Goal: whatever a power cut leaves of what was not fsynced, nothing is lost, nothing that
the ledger calls published is missing or half, and the next life makes good the rest.

A run is recorded call by call, and cut after each of its changes; tests/sweep/crash.py
says what may be found then.  All of that is looked at; of some states kilnd is started and
run until it is at rest.  KILN_SWEEP_STARTS: how many (150), 0 for every distinct state."""

import concurrent.futures
import os
import pathlib
import shutil
import sqlite3
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "sweep"))
from crash import Disk  # noqa: E402
from sweep import Sweep, Tap, evenly  # noqa: E402
from world import View, read_ledger, tree  # noqa: E402

STARTS = int(os.environ.get("KILN_SWEEP_STARTS", "150"))
SCENES = ("files", "folders", "frames", "meshes", "packs", "replace", "across")


def snapshot(folders):
    """What lies in these folders, by absolute path, as Disk wants it."""
    found = {}
    for folder in folders:
        top = str(folder).strip("/")
        found.update({f"{top}/{path}": content for path, content in tree(folder).items()})
        found[top] = None
    return found


def below(found, folder):
    """Of a tree, the part below that folder."""
    top = str(folder).strip("/") + "/"
    return {path[len(top):]: content for path, content in found.items() if path.startswith(top)}


class Ledgers:
    """What a ledger says, by the bytes of its files: many states share them."""

    def __init__(self, folder):
        self.folder, self.known = folder, {}

    def read(self, files):
        key = files.get("ledger.db"), files.get("ledger.db-wal"), files.get("ledger.db-journal")
        if key not in self.known:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir()
            for name, content in zip(("ledger.db", "ledger.db-wal", "ledger.db-journal"), key):
                if content is not None:
                    (self.folder / name).write_bytes(content)
            try:
                self.known[key] = read_ledger(self.folder / "ledger.db"), []
            except sqlite3.DatabaseError as error:
                self.known[key] = [], [f"the ledger cannot be read: {error}"]
        return self.known[key]


class Recorded:
    """A recorded run of one scene, and what may be left of it."""

    def __init__(self, sweep, scene):
        self.sweep, self.scene = sweep, scene
        self.world = world = sweep.world(scene)
        self.folders = [world.folder] + ([world.elsewhere] if world.elsewhere else [])
        if world.elsewhere:
            world.elsewhere.mkdir()
        self.before = snapshot(self.folders)
        log = world.logs / "record"
        world.run("--record", log, *(word for folder in self.folders for word in ("--folder", folder)))
        sweep.charge((scene, "undisturbed"), world.faults_at_rest(), world)
        self.lines = log.read_text().splitlines()
        self.data = log.with_name("record.data").read_bytes()
        self.ledgers = Ledgers(world.logs / "cut")

    def states(self):
        """Yields (cut, its line, what is found), each state once."""
        disk, seen = Disk(self.before), set()
        for cut, line in enumerate(self.lines, 1):
            disk.replay(line, self.data)
            for picture in disk.states(cut):
                found = picture.tree()
                key = hash(frozenset(found.items()))
                if key not in seen:
                    seen.add(key)
                    yield cut, line, found
        after = disk.now().tree()
        present = snapshot(self.folders)
        # Sockets and locks have no content that counts.
        different = [path for path in after.keys() | present.keys()
                     if after.get(path) != present.get(path) and "/control" not in path]
        if different:
            self.sweep.charge((self.scene, "record"), [f"the replay is not what happened: {different}"],
                              self.world)

    def faults(self, found):
        world = self.world
        ledger, faults = self.ledgers.read(below(found, world.state))
        view = View(world.scene, below(found, world.drop), below(found, world.out),
                    below(found, world.done), ledger)
        faults = faults + list(view.faults())
        for name in world.scene.bad:
            if name not in view.drop and name not in below(found, world.failed):
                faults.append(f"'{name}' is lost: neither dropped nor in quarantine")
        return faults

    def start_from(self, found):
        """Puts that state there, and has kilnd run until it is at rest."""
        for folder in self.folders:
            for path in folder.iterdir():
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        for path, content in sorted(found.items()):
            path = pathlib.Path("/" + path)
            if content is None:
                path.mkdir(0o700, exist_ok=True)
            elif isinstance(content, str):
                path.symlink_to(content)
            else:
                path.write_bytes(content)
        for folder in self.folders + [self.world.drop, self.world.out, self.world.state]:
            folder.mkdir(exist_ok=True)
        self.world.run()
        return self.world.faults_at_rest()


def sweep_scene(sweep, scene, lock):
    recorded = Recorded(sweep, scene)
    states = list(recorded.states())
    for cut, line, found in states:
        sweep.charge((scene, cut, line.replace("\t", " ")), recorded.faults(found), recorded.world)
    # At least one of each scene: none would mean all.
    started = evenly(states, STARTS and max(1, STARTS // len(SCENES)))
    for cut, line, found in started:
        point = scene, cut, line.replace("\t", " "), "started"
        try:
            sweep.charge(point, recorded.start_from(found), recorded.world)
        except (TimeoutError, OSError) as error:
            sweep.charge(point, [str(error)], recorded.world)
    with lock:
        return len(states), len(started), len(recorded.lines)


def main():
    tap = Tap()
    with Sweep() as sweep:
        lock = threading.Lock()
        with concurrent.futures.ThreadPoolExecutor(len(SCENES)) as pool:
            counted = list(pool.map(lambda scene: sweep_scene(sweep, scene, lock), SCENES))
        states, started, cuts = (sum(column) for column in zip(*counted))
        sweep.tell(tap)
        tap.note(f"{cuts} places of a cut, kilnd started from {started} of the states")
        tap.note(f"{states} crash states")
        tap.note(f"{len(sweep.violations)} violations")
        tap.check(states >= 1000, "enough crash states were looked at")
        tap.check(not sweep.violations, "no violation")
    tap.end()


if __name__ == "__main__":
    main()
