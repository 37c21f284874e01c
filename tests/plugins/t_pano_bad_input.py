#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""pano-views: one bad frame is told of, with what was expected and what was found, and
never sinks the others."""
import os
import shutil
import struct
import sys
import zlib

sys.dont_write_bytecode = True
from pano import Run, main, np, panorama, write  # noqa: E402
from pictures import png  # noqa: E402


def t_bad_frames_are_left_out_and_named(folder):
    good = png(panorama(64, 255))
    late = bytearray(good)
    late[len(late) // 2] ^= 0xff
    huge = bytearray(good)
    huge[16:24] = struct.pack(">II", 65535, 65535)
    huge[29:33] = struct.pack(">I", zlib.crc32(bytes(huge[12:29])))
    frames = {"empty.jpg": b"", "cut.png": good[:len(good) // 2], "flipped.png": late,
              "huge.png": huge, "text.png": b"no picture at all",
              "square.png": png(np.zeros((64, 64, 3), np.uint8)),
              "odd.png": png(np.zeros((11, 21, 3), np.uint8)),
              "jpeg.jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF", "good.png": good}
    for name, data in frames.items():
        write(os.path.join(folder, "shot", name), bytes(data))
    run = Run(folder, "width=16", "height=16")
    side = run.sidecar()
    told = " ".join(side["warnings"])
    for name in frames:
        assert ("'%s' was left out" % name in told) == (name != "good.png"), (name, told)
    for words in ("65535 x 65535", "64 x 64 pixels are no panorama", "even number"):
        assert words in told, (words, told)
    assert os.listdir(run.path("cam_00")) == ["good.png"], os.listdir(run.path("cam_00"))
    assert side["facts"]["refused_frames"] == 8 and side["facts"]["frames"] == 1


def t_a_unit_without_a_good_frame_fails(folder):
    write(os.path.join(folder, "shot/a.png"), b"nothing")
    run = Run(folder, expect=1)
    assert "no frame could be split" in run.unit["reason"], run.unit
    shutil.rmtree(os.path.join(folder, "shot"))
    write(os.path.join(folder, "shot/notes.txt"), b"nothing")
    run = Run(folder, expect=1)
    assert "found none" in run.unit["reason"], run.unit


def t_frames_that_would_collide_are_refused(folder):
    for name in ("shot/a.png", "shot/a.PNG"):
        write(os.path.join(folder, name), png(panorama(64, 255)))
    run = Run(folder, expect=1)
    assert "'a.png'" in run.unit["reason"] and "'a.PNG'" in run.unit["reason"], run.unit


main(globals())
