#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""pano-views: memory and descriptors are bounded, whatever the number of frames."""
import os
import resource
import sys

sys.dont_write_bytecode = True
from pano import Run, main, panorama, write  # noqa: E402
from pictures import png  # noqa: E402


def t_memory_and_descriptors_do_not_grow_with_frames(folder):
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


main(globals())
