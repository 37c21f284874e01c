#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Goal: kilnd, a keeper or an engine that dies by SIGKILL at any of its system calls
leaves nothing half published, loses nothing, and the next life makes good what it left:
every input is published exactly once, with a valid sidecar, and only then moved.

KILN_SWEEP_POINTS: how many points at least (2000), 0 for every call of every process;
KILN_SWEEP_JOBS: how many kilnds at a time.  Only kills that happened count, and of kilnd
only those after the ledger had the first batch; those before are swept as well."""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "sweep"))
from sweep import Sweep, Tap, evenly, wanted  # noqa: E402

POINTS = int(os.environ.get("KILN_SWEEP_POINTS", "2000"))
ROLES = ("kilnd", "keeper", "engine")


def visit(sweep, orphans):
    """A kill at that point; 1 when it happened."""
    def kill(world, scene, role, call, n):
        options = ["--orphans"] if orphans(n) and role == "kilnd" else []
        report = world.run("--role", role, "--at", f"{call}:{n}", "--kill", *options)
        if "hit" not in report:
            return 0
        point = scene, role, call, n, *options
        if not options:
            sweep.charge(point, world.faults_now(), world)
        world.run()
        sweep.charge(point, world.faults_at_rest() + world.litter(), world)
        return 1
    return kill


def points_of(sweep, roles, scenes):
    return [(scene, role, call, n) for scene in scenes
            for (role, call), times in sweep.count(scene).items() if role in roles and
            wanted(scene, role, call) for n in range(1, times + 1)]


def main():
    tap = Tap()
    with Sweep() as sweep:
        scenes = ("files", "folders", "frames", "meshes", "packs", "large", "replace", "across")
        points = points_of(sweep, ROLES, scenes)
        early = points_of(sweep, ("start",), ("files",))
        # Some calls are not met again: a run differs a little from the one before.
        chosen = evenly(points, POINTS * 9 // 8)
        # Every other kilnd that dies leaves a keeper behind that works on for a while.
        kills = sweep.each(chosen, visit(sweep, lambda n: n % 2 == 0))
        before = sweep.each(evenly(early, POINTS // 12), visit(sweep, lambda n: False))
        sweep.tell(tap)
        tap.note(f"{before} kills of a kilnd that had not entered its first batch yet, not counted")
        tap.note(f"{kills} kill points")
        tap.note(f"{len(sweep.violations)} violations")
        tap.check(kills >= min(1000, len(points) * 8 // 10) or 0 < POINTS < 1000 and kills >= POINTS,
                  "enough kill points were met")
        tap.check(not sweep.violations, "no violation")
    tap.end()


if __name__ == "__main__":
    main()
