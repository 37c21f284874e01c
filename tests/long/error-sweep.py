#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Goal: whichever system call on a file fails, once or for good, with EIO, ENOSPC, EMFILE, EINTR or
EDQUOT, on the way of publishing (a keeper's) or in the ledger (kilnd's): the same kilnd
ends with every input published exactly once, or says why not and keeps the input; a
next one, undisturbed, publishes the rest.  An fsync that failed once is not repeated.  And
whenever a rename finds that somebody else was faster, what that one put there stays.

KILN_SWEEP_POINTS: how many errors at least (2000), 0 for all."""

import errno
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "sweep"))
from sweep import Sweep, Tap, evenly, wanted  # noqa: E402

POINTS = int(os.environ.get("KILN_SWEEP_POINTS", "2000"))
A_WHILE = 3  # seconds that a kilnd for which nothing works is looked at
SCENES = ("files", "folders", "frames", "meshes", "packs", "large", "replace", "across")
ERRORS = (errno.EIO, errno.ENOSPC, errno.EMFILE, errno.EINTR, errno.EDQUOT)
CALLS = {"open", "openat", "openat2", "creat", "mkdir", "mkdirat", "unlink", "unlinkat", "rename",
         "renameat", "renameat2", "linkat", "read", "pread64", "write", "pwrite64", "writev",
         "copy_file_range", "sendfile", "fsync", "fdatasync", "ftruncate", "fallocate", "fchmod",
         "fchown", "utimensat", "flock", "getdents64", "fstat", "newfstatat", "close"}


def below(world, role):
    """Which files a role's calls are counted of: not the libraries it loads."""
    return world.state / "ledger.db" if role != "keeper" else world.folder


def points_of(sweep, scene):
    found = []
    for role in ("keeper", "kilnd", "start"):
        world = sweep.world(scene)
        counts = sweep.count(scene, "--below", below(world, role))
        found += [(scene, role, call, n, error) for (who, call), times in counts.items()
                  if who == role and call in CALLS and wanted(scene, role, call)
                  for n in range(1, times + 1) for error in ERRORS]
    return found


def fail(sweep):
    def one(world, scene, role, call, n, error):
        report = world.run("--role", role, "--below", below(world, role), "--at", f"{call}:{n}",
                           "--error", str(error))
        if "hit" not in report:
            return 0
        point = scene, role, f"{call}:{n}", errno.errorcode[error], report["hit"][0][1]
        faults = world.faults_now()
        faults += [f"'{path}' is in state {state} without a reason" for path, state, _, reason
                   in world.ledger() if state in (2, 6) and not reason]
        faults += [f"'{path}' was given up: {reason}" for path, state, _, reason in world.ledger()
                   if state == 6 and path in world.scene.inputs]
        faults += [f"an fsync that failed is repeated on '{path}'" for path, in
                   report.get("repeated", ())]
        sweep.charge(point, faults, world)
        if faults or world.faults_at_rest():
            world.run()
            sweep.charge(point, world.faults_at_rest(), world)
        return 1
    return one


def fail_on(sweep):
    """From there on all such calls fail: nothing need be published, nothing may be lost."""
    def one(world, scene, role, call, n, error):
        report = world.run("--role", role, "--below", below(world, role), "--at", f"{call}:{n}",
                           "--error", str(error), "--on", within=A_WHILE)
        if "hit" not in report:
            return 0
        point = scene, role, f"{call}:{n}+", errno.errorcode[error], report["hit"][0][1]
        given_up = {path for path, state, _, reason in world.ledger() if state == 6 and reason}
        faults = world.faults_now()
        if not given_up - set(world.scene.bad):
            world.run()
            faults += world.faults_at_rest()
        sweep.charge(point, faults, world)
        return 1
    return one


def rival(sweep):
    def one(world, scene, role, call, n):
        report = world.run("--role", role, "--below", world.folder, "--at", f"{call}:{n}", "--rival")
        if "rival" not in report:
            return 0
        sweep.charge((scene, role, f"{call}:{n}", "rival", report["rival"][0][0]),
                     world.faults_now() + world.faults_at_rest(), world)
        return 1
    return one


def main():
    tap = Tap()
    with Sweep() as sweep:
        points = [point for scene in SCENES for point in points_of(sweep, scene)]
        errors = sweep.each(evenly(points, POINTS * 9 // 8), fail(sweep))
        # A call that is always interrupted is rightly tried for ever.
        lasting = [point for point in points if point[4] != errno.EINTR]
        errors += sweep.each(evenly(lasting, POINTS // 6), fail_on(sweep))
        renames = [point[:4] for point in points if point[1] == "keeper" and point[0] != "replace" and
                   point[2].startswith("rename") and point[4] == ERRORS[0]]
        rivals = sweep.each(renames, rival(sweep))
        sweep.tell(tap)
        tap.note(f"{rivals} rivals")
        tap.note(f"{errors} injected errors")
        tap.note(f"{len(sweep.violations)} violations")
        tap.check(errors >= min(1000, len(points) * 8 // 10) or 0 < POINTS < 1000 and errors >= POINTS,
                  "enough errors were injected")
        tap.check(rivals >= 10, "rivals were met")
        tap.check(not sweep.violations, "no violation")
    tap.end()


if __name__ == "__main__":
    main()
