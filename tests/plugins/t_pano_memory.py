#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""pano-views: memory and descriptors are bounded, whatever the number of frames."""
import os
import resource
import struct
import subprocess
import sys
import zlib

sys.dont_write_bytecode = True
from pano import BUILD, Run, Watched, main, panorama, write  # noqa: E402
from pictures import chunk, png  # noqa: E402


def t_few_descriptors_serve_many_frames(folder):
    """Hundreds of frames of which each becomes eight views, with few descriptors: were one
    file left open for each, the last could not be written."""
    small = png(panorama(32, 255))
    for number in range(300):
        write(os.path.join(folder, "shot/%03d.png" % number), small)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
    try:
        run = Run(folder, "width=8", "height=4")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert run.sidecar()["facts"]["frames"] == 300
    assert len(os.listdir(run.path("cam_07"))) == 300


def t_the_engine_is_as_large_for_many_frames_as_for_some(folder):
    """600 frames more cost no more than their names in a list do."""
    frames = [png(panorama(width, 255)) for width in (64, 96, 64, 128)]
    seen = {}
    for count in (150, 750):
        for number in range(count):
            write(os.path.join(folder, "shot/%04d.png" % number), frames[number % 4])
        seen[count] = Watched(folder, "-j", "3", "-p", "width=16", "-p", "height=8")
    for count, run in seen.items():
        print("# %d frames: %d KiB, %d descriptors" % (count, run.memory, run.descriptors))
    assert seen[150].memory > 1000, "the engine was seen"
    assert seen[750].memory - seen[150].memory < 600, "1 KiB for each of 600"
    assert seen[750].descriptors <= seen[150].descriptors + 6


def t_a_frame_that_cannot_fit_is_told_of(folder):
    """A limit of 64 MiB: what needs more by itself is refused, and the others go on."""
    large = zlib.compress(bytes(4096 * (1 + 8192 * 3)), 9)
    head = struct.pack(">IIBBBBB", 8192, 4096, 8, 2, 0, 0, 0)
    write(os.path.join(folder, "shot/large.png"), b"\x89PNG\r\n\x1a\n" + chunk(
        b"IHDR", head) + chunk(b"IDAT", large) + chunk(b"IEND", b""))
    write(os.path.join(folder, "shot/small.png"), png(panorama(64, 255)))
    told = subprocess.run(
        [os.path.join(BUILD, "tests/plugins/run-plugin"),
         os.path.join(BUILD, "plugins/pano-views.so"), "pano-views", "-o", folder,
         "-p", 'views="dome16"', "-p", "width=64", "-p", "height=64", "-p",
         "layout=flat",
         "-b", str(64 << 20), os.path.join(folder, "shot/large.png"),
         os.path.join(folder, "shot/small.png")], stdout=subprocess.PIPE).stdout.decode()
    assert "done 0 1 " in told and "done 1 0 " in told, told
    assert "limits.memory allows 64: raise it" in told, told


main(globals())
