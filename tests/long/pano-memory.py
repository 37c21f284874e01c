#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Goal: pano-views' engine is hardly larger for 10,000 frames than for 100; frames of 8K take at
most 1 GiB by default, whatever is asked of them and however many threads there are; frames
of 16384 x 8192 are split within as much.  KILN_FRAMES: how many of the small ones."""
import os
import shutil
import struct
import sys
import zlib

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../plugins"))
from pano import Watched, main, np, panorama, planes, write  # noqa: E402
from pictures import chunk, exr, jpeg, png, tiff  # noqa: E402

GIB = 1 << 20  # in KiB


def t_ten_thousand_frames(folder):
    """What grows is the list of inputs: less than 1 KiB each, and no descriptor."""
    count = int(os.environ.get("KILN_FRAMES", "10000"))
    small = png(panorama(64, 255))
    seen = {}
    for frames in (100, count):
        for number in range(frames):
            write(os.path.join(folder, "shot/%05d.png" % number), small)
        seen[frames] = run = Watched(folder, "-j", "4", "-p", "width=16", "-p", "height=8")
        made = len(os.listdir(os.path.join(run.out, "shot/cam_07")))
        print("# %d frames: %d KiB, %d descriptors" % (made, run.memory, run.descriptors))
        assert made == frames
    assert seen[count].memory - seen[100].memory < 1024 + count
    assert seen[count].descriptors <= seen[100].descriptors + 8


def eight_k(kind):
    """A frame of 7680 x 3840 with waves and noise, drawn small and made large."""
    coarse = np.kron(panorama(480, 255), np.ones((16, 16, 1), np.uint8))
    coarse ^= np.random.default_rng(2).integers(0, 8, coarse.shape, np.uint8)
    if kind == "jpg":
        return jpeg(coarse, "-s", "2x2")
    if kind == "scans.jpg":
        return jpeg(coarse, "-p", "-s", "2x2")
    if kind == "png":
        return png(coarse.astype(np.uint16) * 257)
    if kind == "tif":
        return tiff(coarse / np.float32(255), packing=8, strip=64)
    return exr(planes(coarse / np.float32(255)), 3)


def t_frames_of_8k_take_a_gigabyte_at_most(folder):
    for kind, asked in (("jpg", ('views="ring8"', "linear_light=true", "aa=true",
                                 'views="dome16"', 'format="tiff"')),
                        ("scans.jpg", ('views="dome16"',)),
                        ("png", ('views="ring8"', "linear_light=true", 'views="dome16"')),
                        ("tif", ('views="ring8"',)), ("exr", ('views="dome16"',))):
        shutil.rmtree(os.path.join(folder, "shot"), ignore_errors=True)
        data = eight_k(kind)
        for number in range(4):
            write(os.path.join(folder, "shot/%d.%s" % (number, kind)), data)
        for params in asked:
            for threads in ("2", "16"):
                run = Watched(folder, "-j", threads, "-p", params)
                print("# 8K %s, %s, %s threads: %d MiB" % (kind, params, threads,
                                                          run.memory >> 10))
                assert 10000 < run.memory <= GIB, (kind, params, threads, run.memory)


def gradient(bits):
    """16384 x 8192 of grey, row by row into a PNG."""
    packer, rows = zlib.compressobj(1), []
    ramp = np.arange(16384, dtype=np.uint32) * (2 ** bits - 1) // 16383
    for row in range(8192):
        line = (ramp * (row + 1) // 8192).astype(">u%d" % (bits // 8))
        rows.append(packer.compress(b"\0" + line.tobytes()))
    rows.append(packer.flush())
    head = struct.pack(">IIBBBBB", 16384, 8192, bits, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"".join(rows))
            + chunk(b"IEND", b""))


def t_the_largest_frames(folder):
    ramp = np.add.outer(np.arange(8192) // 64, np.arange(16384) // 128).astype(np.uint8)
    for name, data in (("grey.jpg", jpeg(ramp[..., None])), ("grey.png", gradient(8)),
                       ("deep.png", gradient(16))):
        shutil.rmtree(os.path.join(folder, "shot"), ignore_errors=True)
        write(os.path.join(folder, "shot", name), data)
        for views, most in (('views="ring8"', GIB), ('views="cube6"', 3 * GIB // 2)):
            run = Watched(folder, "-p", views)
            print("# 16384 x 8192 %s, %s: %d MiB" % (name, views, run.memory >> 10))
            assert len(os.listdir(os.path.join(run.out, "shot"))) > 4
            assert run.memory <= most, (name, views, run.memory)


main(globals())
