#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""gpu-peer.py [--frames N] [--bones N] [--check] - the batch method on a GPU, in PyTorch: bone
after bone, each one vectorised step over all frames,

    q_world = q_parent * q,    p_world = p_parent + rotate(q_parent, offset + t)

without interpolation, append or IK: what vmd-fk's pose kernel is held against.  Prints
frames a second, the best of some runs, all on the device.  --check holds it on the CPU
against numbers worked out by hand.  Exit status 77: no torch or no GPU, and which.
"""
import argparse
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


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--bones", type=int, default=122)
    args.add_argument("--frames", type=int, default=131072)
    args.add_argument("--check", action="store_true")
    args = args.parse_args()
    if args.check:
        sys.exit(0 if check() else 1)
    if not torch.cuda.is_available():
        print("no GPU for PyTorch")
        sys.exit(77)
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
