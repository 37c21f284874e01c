#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""gpu-peer.py [--frames N] [--bones N] [--pano] [--check] - what kiln's kernels are held
against on a GPU, in PyTorch.

The batch method: bone after bone, each one vectorised step over all frames,

    q_world = q_parent * q,    p_world = p_parent + rotate(q_parent, offset + t)

without interpolation, append or IK: what vmd-fk's pose kernel is held against.  Prints
frames a second, the best of some runs, all on the device.

--pano: views of a panorama by grid_sample, as such scripts have it, what pano-views' kernel
is held against.  Prints ms a view.

--check holds both on the CPU against numbers worked out by hand.  Exit status 77: no torch
or no GPU, and which.
"""
import argparse
import math
import sys
import time

try:
    import torch
except ImportError:
    print("no PyTorch")
    sys.exit(77)


def multiply(a, b):
    ax, ay, az, aw = a.unbind(-1)
    bx, by, bz, bw = b.unbind(-1)
    return torch.stack((aw * bx + ax * bw + ay * bz - az * by,
                        aw * by - ax * bz + ay * bw + az * bx,
                        aw * bz + ax * by - ay * bx + az * bw,
                        aw * bw - ax * bx - ay * by - az * bz), -1)


def rotate(q, v):
    u = q[..., :3]
    t = torch.linalg.cross(u, v, dim=-1) + q[..., 3:] * v
    return v + 2 * torch.linalg.cross(u, t, dim=-1)


def kinematics(offset, parent, q, t):
    """q, t: [bone][frame][component], so that each step's data lie together."""
    world, place = torch.empty_like(q), torch.empty_like(t)
    for bone, above in enumerate(parent):
        if above < 0:
            world[bone] = q[bone]
            place[bone] = offset[bone] + t[bone]
        else:
            world[bone] = multiply(world[above], q[bone])
            place[bone] = place[above] + rotate(world[above], offset[bone] + t[bone])
    return place, world


def check():
    """An arm along x whose second bone turns by a right angle about z."""
    half = 0.5 ** 0.5
    offset = torch.tensor([[0., 10, 0], [3, 0, 0], [2, 0, 0]])
    q = torch.tensor([[[0., 0, 0, 1]], [[0, 0, half, half]], [[0, 0, 0, 1]]])
    place, _ = kinematics(offset, [-1, 0, 1], q, torch.zeros(3, 1, 3))
    return torch.allclose(place[2, 0], torch.tensor([3., 12, 0]), atol=1e-6)


def directions(width, height, hfov):
    """What the pixels of a level view look at, x right, y down, z forward."""
    focal = width / 2 / math.tan(math.radians(hfov) / 2)
    y, x = torch.meshgrid((torch.arange(height) + 0.5 - height / 2) / focal,
                          (torch.arange(width) + 0.5 - width / 2) / focal, indexing="ij")
    return torch.stack((x, y, torch.ones_like(x)), -1)


def grid(rays, yaw):
    """Where a view's pixels lie in the panorama, -1..1 from edge to edge."""
    x, y, z = rays.unbind(-1)
    longitude = torch.atan2(x, z) + math.radians(yaw)
    longitude = torch.remainder(longitude + math.pi, 2 * math.pi) - math.pi
    latitude = torch.atan2(y, torch.hypot(x, z))
    return torch.stack((longitude / math.pi, latitude / (math.pi / 2)), -1)[None]


def split(frame, grids):
    """Views [3][height][width] of a frame [height][width][3], all 8 bits."""
    floats = frame.permute(2, 0, 1)[None].float()
    return [torch.nn.functional.grid_sample(floats, g, mode="bilinear", padding_mode="border",
                                            align_corners=False)[0].add_(0.5).clamp_(0, 255).byte()
            for g in grids]


def check_pano():
    """A panorama whose red is its column, whose green its row: the middle of a view and its
    neighbour to the right look where they should."""
    column, row = torch.arange(200.), torch.arange(100.)
    frame = torch.stack((column[None].expand(100, 200), row[:, None].expand(100, 200),
                         torch.zeros(100, 200)), -1).byte()
    view = split(frame, [grid(directions(21, 11, 20), 90)])[0]
    step = math.degrees(math.atan(1 / (10.5 / math.tan(math.radians(10))))) * 200 / 360
    return (abs(float(view[0, 5, 10]) - 149.5) <= 0.51 and abs(float(view[1, 5, 10]) - 49.5) <= 0.51
            and abs(float(view[0, 5, 15]) - 149.5 - 5 * step) <= 0.6)


def time_pano():
    """ms a view: eight of 1920x1080 at 90 degrees out of 7680x3840, all on the device; a frame
    becomes floats once, as the method has it."""
    rays = directions(1920, 1080, 90)
    grids = [grid(rays, 45 * i).cuda() for i in range(8)]
    frame = torch.randint(0, 256, (3840, 7680, 3), dtype=torch.uint8, device="cuda")
    best = float("inf")
    for _ in range(7):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        split(frame, grids)
        torch.cuda.synchronize()
        best = min(best, time.perf_counter() - begin)
    return 1e3 * best / 8


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--bones", type=int, default=122)
    args.add_argument("--frames", type=int, default=131072)
    args.add_argument("--pano", action="store_true", help="views by grid_sample: ms a view")
    args.add_argument("--check", action="store_true")
    args = args.parse_args()
    if args.check:
        sys.exit(0 if check() and check_pano() else 1)
    if not torch.cuda.is_available():
        print("no GPU for PyTorch")
        sys.exit(77)
    if args.pano:
        print("%.6f" % time_pano())
        return
    torch.manual_seed(1)
    parent = [-1] + [max(0, j - 6) + (j * 7) % min(j, 6) for j in range(1, args.bones)]
    offset = torch.randn(args.bones, 3, device="cuda")
    q = torch.randn(args.bones, args.frames, 4, device="cuda")
    q /= q.norm(dim=-1, keepdim=True)
    t = torch.zeros(args.bones, args.frames, 3, device="cuda")
    best = float("inf")
    for _ in range(5):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        kinematics(offset, parent, q, t)
        torch.cuda.synchronize()
        best = min(best, time.perf_counter() - begin)
    print("%.0f" % (args.frames / best))


if __name__ == "__main__":
    main()
