# SPDX-License-Identifier: BSD-2-Clause
"""sweep.py - walks the system calls of a run, does something at each, and counts.

A point is (scene, role, call, n) and what is done there.  Points are found by a run that
only counts; as many as the caller wants are taken from them at even steps.  They are run
several at a time, each in a World of its own."""

import concurrent.futures
import itertools
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import threading
import traceback

from world import BUILD, FAULT, SCENES, World, scratch_folder

JOBS = int(os.environ.get("KILN_SWEEP_JOBS", "0")) or min(24, 3 * (os.cpu_count() or 1))


class Tap:
    """Says what passed, as `prove` reads it."""

    def __init__(self):
        self.count, self.bad = 0, 0

    def check(self, good, what):
        self.count += 1
        self.bad += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {what}", flush=True)

    def note(self, text):
        for line in str(text).splitlines():
            print(f"# {line}", flush=True)

    def end(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.bad else 0)


def skip_all(reason):
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)


def skip_unable():
    """Where a process cannot be traced, or a sanitizer would mind, nothing can be swept."""
    if platform.machine() != "x86_64":
        skip_all("fault knows x86-64 only")
    if re.search(r"KILN_SANITIZED\s+1", (BUILD / "config.h").read_text()):
        skip_all("a sanitizer ends what runs below ptrace")
    if subprocess.run([FAULT, "--", "/bin/true"], check=False).returncode != 0:
        skip_all("no process may be traced here")


def wanted(scene, role, call):
    """Whether KILN_SWEEP_ONLY, a pattern of "SCENE ROLE CALL", asks for that point."""
    only = os.environ.get("KILN_SWEEP_ONLY")
    return not only or re.fullmatch(only, f"{scene} {role} {call}") is not None


def evenly(points, most):
    """At most `most` of them, at even steps; 0: all."""
    if most == 0 or len(points) <= most:
        return points
    return [points[i * len(points) // most] for i in range(most)]


class Sweep:
    """Where the worlds lie, which programs run in them, and what was found."""

    def __init__(self):
        skip_unable()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kiln-sweep.", dir=scratch_folder()))
        self.numbers = itertools.count()
        self.local = threading.local()
        self.violations = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not os.environ.get("KILN_KEEP"):
            for world in self.folder.glob("*"):
                World(world, SCENES["across"]).remove()
            self.folder.rmdir() if not any(self.folder.iterdir()) else None

    def world(self, scene):
        """This thread's world of that scene, as it was before anything ran."""
        worlds = self.local.__dict__.setdefault("worlds", {})
        if scene not in worlds:
            worlds[scene] = World(self.folder / f"{scene}{next(self.numbers)}", SCENES[scene])
        return worlds[scene].make()

    def count(self, scene, *options):
        """{(role, call): times} of an undisturbed run, which must be faultless."""
        world = self.world(scene)
        world.run("--count", world.logs / "count", *options)
        self.charge((scene, "undisturbed"), world.faults_at_rest(), world)
        found = {}
        for line in (world.logs / "count").read_text().splitlines():
            role, call, times = line.split("\t")
            found[role, call] = int(times)
        return found

    def charge(self, point, faults, world):
        for fault in faults:
            self.violations.append((point, fault))
        if faults and os.environ.get("KILN_KEEP"):
            print(f"# {point} {faults} in {world.folder}", flush=True)

    def each(self, points, visit):
        """visit(world, *point) of every point; the sum of what they return."""
        def one(point):
            world = self.world(point[0])
            try:
                return visit(world, *point) or 0
            except (TimeoutError, OSError, ValueError) as error:
                self.charge(point, [f"{error}", traceback.format_exc(limit=3)], world)
                return 0
        with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
            return sum(pool.map(one, points))

    def tell(self, tap, most=30):
        """Each kind of violation once, with the first place it was met at."""
        kinds = {}
        for point, fault in self.violations:
            kinds.setdefault((point[0], fault), []).append(point)
        for (_, fault), points in list(kinds.items())[:most]:
            place = " ".join(str(word) for word in points[0])
            tap.note(f"{place}: {fault}" + (f" ({len(points)} times)" if points[1:] else ""))
        if len(kinds) > most:
            tap.note(f"... and {len(kinds) - most} kinds more")
