#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""vmd-fk against the reference outputs of another program.

Every case of shared/data/vmd/ref is evaluated and compared bone by bone: positions in
MMD units, local rotations as angles.  What each class of bones may differ by is said in
LIMITS, and there are no exceptions but bones whose parent comes later in the order, for
which the reference says nothing.  Both programs stop solving a curve before its last
digits (kernels/curve.h says where), or this would not hold.
"""
import json
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError:
    print("1..0 # SKIP numpy is not installed")
    sys.exit(0)

SRC = os.environ.get("top_srcdir", ".")
BUILD = os.environ.get("top_builddir", ".")
SHARED = os.environ.get("KILN_SHARED", os.path.join(SRC, "..", "shared"))
DATA = os.path.join(SHARED, "data", "vmd")

# class: (positions, degrees).  "ik" is judged at its 99.9th percentile.
LIMITS = {
    "authored": (1e-3, 0.05),
    "synth": (4e-3, 0.15),
    "ik": (2e-3, None),
}


def angles(a, b):
    """Degrees between unit quaternions, exact for small angles."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    a /= np.linalg.norm(a, axis=-1, keepdims=True)
    b /= np.linalg.norm(b, axis=-1, keepdims=True)
    chord = np.minimum(np.linalg.norm(a - b, axis=-1), np.linalg.norm(a + b, axis=-1))
    return np.degrees(4 * np.arcsin(np.clip(chord / 2, 0, 1)))


def evaluate(case, info, folder):
    motion = os.path.join(DATA, info["motion"])
    subprocess.run(
        [os.path.join(BUILD, "tests/plugins/run-plugin"),
         os.path.join(BUILD, "plugins/vmd-fk.so"), "vmd-fk", "-o", folder,
         "-p", "model=" + os.path.join(DATA, info["model"]), motion],
        check=True, stdout=subprocess.DEVNULL)
    stem = os.path.splitext(os.path.basename(motion))[0]
    return np.load(os.path.join(folder, stem + ".npz"), allow_pickle=False)


def judge(case, info, ours, ref):
    """(problems, notes): sentences."""
    problems, notes = [], []
    for key in ("positions", "quaternions", "frame_numbers"):
        if ours[key].shape != ref[key].shape or ours[key].dtype != ref[key].dtype:
            return ["%s: %s %s, expected %s %s" % (key, ours[key].dtype, ours[key].shape,
                    ref[key].dtype, ref[key].shape)], notes
    if list(ours["bone_names"]) != list(ref["bone_names"]):
        problems.append("bone_names differ")
    if not np.array_equal(ours["frame_numbers"], ref["frame_numbers"]):
        problems.append("frame_numbers differ")

    indices = lambda key: {bone["index"] for bone in info[key]}
    masked = indices("masked_parent_evaluated_later")
    ik = set(info["ik_dependent_bones"]) - masked
    append = (indices("local_append_bones") | indices("multi_stage_append_bones")) - masked
    plain = set(range(ref["positions"].shape[1])) - masked - ik
    kind = "synth" if info["motion"].startswith("synth/") else "authored"

    gap = np.linalg.norm(ours["positions"].astype(np.float64) - ref["positions"], axis=2)
    turn = angles(ours["quaternions"], ref["quaternions"])
    if not np.isfinite(gap).all():
        problems.append("positions hold NaN")
    classes = [(kind, kind, sorted(plain - append)), (kind + "-append", kind, sorted(append))]
    for name, rule, bones in classes:
        if not bones:
            continue
        limit, degrees = LIMITS[rule]
        worst, most = gap[:, bones].max(), turn[:, bones].max()
        notes.append("%s: %d bones, max %.2e units, %.4f degrees"
                     % (name, len(bones), worst, most))
        for frame in np.flatnonzero(gap[:, bones].max(axis=1) > limit):
            problems.append("%s: %.2e units at frame %d, at most %g" %
                            (name, gap[frame, bones].max(), frame, limit))
        if most > degrees:
            problems.append("%s: %.4f degrees, at most %g" % (name, most, degrees))
    if ik:
        bones = sorted(ik)
        limit = LIMITS["ik"][0]
        p999 = np.percentile(gap[:, bones], 99.9)
        notes.append("ik: %d bones, p99.9 %.2e, max %.2e units" %
                     (len(bones), p999, gap[:, bones].max()))
        for bone in bones:
            over = np.flatnonzero(gap[:, bone] > limit)
            if over.size:
                notes.append("ik bone %d %s jumps at %d frames: %.2e units" %
                             (bone, ref["bone_names"][bone], over.size, gap[:, bone].max()))
        if p999 > limit:
            problems.append("ik: p99.9 %.2e units, at most %g" % (p999, limit))
    for bone in sorted(masked):
        notes.append("masked: bone %d, whose parent comes later in the order" % bone)
    return problems, notes


def main():
    table = os.path.join(DATA, "ref", "agreement.json")
    if not os.path.exists(table):
        print("1..0 # SKIP no shared data (KILN_SHARED): %s" % table)
        return 0
    with open(table, encoding="utf-8") as f:
        cases = json.load(f)
    print("1..%d" % len(cases))
    failed = 0
    for number, (case, info) in enumerate(cases.items(), 1):
        with tempfile.TemporaryDirectory() as folder:
            try:
                ours = evaluate(case, info, folder)
                ref = np.load(os.path.join(DATA, "ref", case + ".npz"))
                problems, notes = judge(case, info, ours, ref)
            except (subprocess.CalledProcessError, OSError, KeyError) as error:
                problems, notes = [str(error)], []
        print("%s %d - %s" % ("not ok" if problems else "ok", number, case))
        for line in problems + notes:
            print("# " + line)
        failed += bool(problems)
    return 1 if failed else 0


sys.exit(main())
