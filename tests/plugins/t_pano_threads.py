#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""pano-views: views do not depend on how many threads make them.

One frame, whose views are then made by several threads at once, and several frames with
one that cannot be read in the middle: every file is the same, byte for byte.
"""
import os
import subprocess
import sys

sys.dont_write_bytecode = True
import pano  # noqa: E402
from pano import np, panorama, write  # noqa: E402
from pictures import png  # noqa: E402


def files_of(folder, threads, params, expect=0):
    """What a run writes, but for the sidecar, which has times."""
    out = os.path.join(folder, "out%d" % threads)
    command = [pano.KILNCTL, "run", "pano-views", "-j", str(threads), "-o", out]
    for param in params:
        command += ["-p", param]
    done = subprocess.run(command + [os.path.join(folder, "shot")],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == expect, (threads, done.stdout[-500:])
    found = {}
    for base, _, names in os.walk(out):
        for name in names:
            path = os.path.join(base, name)
            with open(path, "rb") as f:
                found[os.path.relpath(path, out)] = f.read()
    found.pop("shot/kiln.json", None)
    subprocess.run(["rm", "-r", out], check=True)
    return found


def same(folder, *params):
    one = files_of(folder, 1, params)
    for threads in (2, 3, 16):
        many = files_of(folder, threads, params)
        assert sorted(many) == sorted(one), (threads, sorted(many), sorted(one))
        for name in one:
            assert many[name] == one[name], (threads, name)
    return one


def t_one_frame(folder):
    frame = panorama(256, 255)
    alpha = np.full(frame.shape[:2] + (1,), 255, np.uint8)
    alpha[60:70, 100:120] = 0
    write(os.path.join(folder, "shot/a.png"), png(np.concatenate([frame, alpha], -1)))
    for params in (["width=90", "height=70"], ['views="cube6"', "nadir=20", "aa=true"],
                   ['views="dome16"', 'filter="bicubic"', "linear_light=true"]):
        found = same(folder, *params)
        assert any(name.endswith("_mask.png") or "masks/" in name for name in found)


def t_several_frames_and_a_bad_one(folder):
    for i in range(5):
        write(os.path.join(folder, "shot/f%d.png" % i),
              png(np.roll(panorama(128, 255), 9 * i, 1)))
    write(os.path.join(folder, "shot/f2.png"), b"nothing")
    found = same(folder, 'views="colmap12"', "width=40", "height=30")
    views = [name for name in found if name.endswith(("f0.png", "f3.png"))]
    assert len(views) == 24 and "shot/contact-sheet.png" in found, sorted(found)


pano.main(globals())
