#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Goal: the sweeps can fail.  Mistakes that a daemon of this kind is known for are planted
into a copy of the sources, one at a time, by tests/sweep/mutants/NAME.patch; each must be
caught by the sweep that is there for it, and for the right reason.  A patch that does not
apply any more, or a mutant that does not build, is not caught.  mutants.py NAME...: these
only."""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "sweep"))
from sweep import Tap, skip_unable  # noqa: E402
from world import BUILD, SOURCE, other_disk  # noqa: E402

PATCHES = SOURCE / "tests/sweep/mutants"
PROGRAMS = ("kilnd", "kilnctl", "kiln-worker", "plugins/copy.so")
# The sweep, which of its points are enough, and what it must complain of.
MUTANTS = {
    "no-parent-fsync": ("crash-sweep.py", {}, "is recorded as published and has no output"),
    "inputs-before-ledger": ("kill-sweep.py", {"KILN_SWEEP_ONLY": "files keeper (renameat2|sendmsg)"},
                             "has left the drop folder before the ledger had its outcome"),
    "sidecar-last": ("kill-sweep.py", {"KILN_SWEEP_ONLY": "files keeper renameat2"}, "has no sidecar"),
    "no-noreplace": ("error-sweep.py", {"KILN_SWEEP_ONLY": "files keeper rename.*"},
                     "what somebody else put at .* was overwritten"),
    "fsync-again": ("error-sweep.py", {"KILN_SWEEP_ONLY": "files keeper fsync"},
                    "an fsync that failed is repeated"),
    "state-before-publish": ("kill-sweep.py", {"KILN_SWEEP_ONLY": "files kilnd (epoll_wait|recvmsg)"},
                             "is recorded as published and has no output"),
}


def run(command, folder, log, **options):
    with open(log, "a") as out:
        print("$", *command, file=out, flush=True)
        return subprocess.run([str(word) for word in command], cwd=folder, stdin=subprocess.DEVNULL,
                              stdout=out, stderr=out, check=False, **options).returncode == 0


def copy_sources(to):
    """Without what builds left there, or a build would take its files for its own."""
    def skip(folder, names):
        built = {"config.status", "config.log", "config.h", "Makefile", "stamp-h1", ".git"}
        return [name for name in names if name in built or name.endswith((".o", ".a")) or
                (pathlib.Path(folder) / name / "config.status").exists() or name.startswith("build-ci")]
    shutil.copytree(SOURCE, to, ignore=skip, symlinks=True)


def configure(folder, log):
    """As the build under test was, but for its folder."""
    asked = subprocess.run([BUILD / "config.status", "--config"], capture_output=True, text=True, check=True)
    return run(["../configure", "-q", *shlex.split(asked.stdout)], folder, log)


def build(folder, log):
    return run(["make", "-s", f"-j{os.cpu_count()}", *PROGRAMS], folder, log)


def sweep(folder, name):
    """What the mutant's sweep says of it."""
    script, options, _ = MUTANTS[name]
    environment = dict(os.environ, KILN_SWEEP_PROGRAMS=str(folder), KILN_SWEEP_POINTS="0",
                       KILN_SWEEP_STARTS="4", **options)
    done = subprocess.run([HERE / script], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env=environment, check=False)
    return done.stdout + done.stderr


def judge(tap, tree, name, log):
    """1 when that mutant is caught."""
    patch = ["patch", "-s", "-p1", "-i", PATCHES / f"{name}.patch"]
    if not run(patch, tree, log):
        tap.check(False, f"{name}: its patch applies")
        return 0
    said, built = "", build(tree / "build-mutant", log)
    if built:
        said = sweep(tree / "build-mutant", name)
    run([*patch, "-R"], tree, log)
    caught = re.search(f"^# .*{MUTANTS[name][2]}.*", said, re.M)
    tap.check(caught is not None, f"{name} is caught by {MUTANTS[name][0]}")
    tap.note(caught[0][2:] if caught else said if built else "it does not build")
    return caught is not None


def main():
    tap = Tap()
    skip_unable()
    names = sys.argv[1:] or list(MUTANTS)
    log = pathlib.Path(os.environ.get("KILN_LOGS", BUILD)) / "mutants-build.log"
    log.unlink(missing_ok=True)
    patches = sorted(path.stem for path in PATCHES.glob("*.patch"))
    tap.check(patches == sorted(MUTANTS), "each patch has its sweep")
    with tempfile.TemporaryDirectory(prefix="kiln-mutants.", dir=other_disk()) as scratch:
        tree = pathlib.Path(scratch) / "kiln"
        copy_sources(tree)
        (tree / "build-mutant").mkdir()
        ready = configure(tree / "build-mutant", log) and build(tree / "build-mutant", log)
        tap.check(ready, f"the copy builds (see {log})")
        caught = sum(judge(tap, tree, name, log) for name in names) if ready else 0
    tap.note(f"{caught} of {len(names)} mutants caught")
    tap.end()


if __name__ == "__main__":
    main()
