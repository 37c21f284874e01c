#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""pano-views: what of a panorama is to be ignored, is it so in its views, and there alone?"""
import os
import sys

sys.dont_write_bytecode = True
from pano import Run, main, np, panorama, toml, write  # noqa: E402
from pictures import png, read_png, tiff  # noqa: E402


def looked_at(view, width):
    """Where a view's pixel centres lie in a panorama, in its pixels."""
    w, h = view["width"], view["height"]
    focal = w / 2 / np.tan(np.radians(view["hfov"]) / 2)
    x, y = np.meshgrid((np.arange(w) + 0.5 - w / 2) / focal,
                       (np.arange(h) + 0.5 - h / 2) / focal)
    pitch, yaw = np.radians(view.get("pitch", 0)), np.radians(view["yaw"])
    y, z = y * np.cos(pitch) - np.sin(pitch), y * np.sin(pitch) + np.cos(pitch)
    x, z = x * np.cos(yaw) + z * np.sin(yaw), z * np.cos(yaw) - x * np.sin(yaw)
    latitude = np.arctan2(-y, np.hypot(x, z))
    return (width * (np.arctan2(x, z) / (2 * np.pi) + 0.5) - 0.5,
            width / 2 * (0.5 - latitude / np.pi) - 0.5, np.degrees(latitude))


def any_zero(mask, u, v, taps):
    """The mask that says 0 where any of the taps of a place is 0."""
    height, width = mask.shape
    x, y = np.floor(u).astype(int), np.floor(v).astype(int)
    seen = np.full(u.shape, 255)
    for down in range(1 - taps // 2, taps // 2 + 1):
        for across in range(1 - taps // 2, taps // 2 + 1):
            row, column = y + down, x + across
            beyond = (row < 0) | (row >= height)
            row = np.where(row < 0, -1 - row, np.where(row >= height,
                                                       2 * height - 1 - row, row))
            column = np.where(beyond, column + width // 2, column) % width
            seen = np.minimum(seen, mask[row, column])
    return np.where(seen == 0, 0, 255)


MASKED = [dict(name="m%d" % i, yaw=y, pitch=p, hfov=90, width=60, height=50)
          for i, (y, p) in enumerate(((0, 0), (33, 20), (180, 0), (10, 90), (0, -90)))]


def t_masks_are_split_with_the_geometry(folder):
    width = 128
    mask = np.full((width // 2, width), 255)
    mask[np.random.default_rng(5).random(mask.shape) < 0.03] = 0
    full = panorama(width, 255)
    alpha = np.dstack([full, np.where(mask == 0, 0, 200).astype(np.uint8)])
    write(os.path.join(folder, "shot/day/a.png"), png(full))
    write(os.path.join(folder, "shot/day/a_mask.png"),
          png(mask.astype(np.uint8)[..., None]))
    write(os.path.join(folder, "shot/day/b.png"), png(full))
    write(os.path.join(folder, "shot/day/masks/b_mask.png"),
          png(np.repeat(mask, 3, -1).reshape(mask.shape + (3,)).astype(np.uint16)))
    write(os.path.join(folder, "shot/day/c.png"), png(alpha))
    write(os.path.join(folder, "shot/day/d.png"), png(full))
    write(os.path.join(folder, "shot/day/e_mask.png"), png(full))
    for name, taps in (("bilinear", 2), ("bicubic", 4), ("lanczos3", 6)):
        run = Run(folder, toml(MASKED), 'filter="%s"' % name)
        assert "the mask 'day/e_mask.png' has no frame" in str(run.sidecar()["warnings"])
        for view in MASKED:
            made = [read_png(run.path("masks/%s/day/%s.png.png" % (view["name"], stem)))
                    for stem in "abc"]
            u, v, _ = looked_at(view, width)
            wanted = any_zero(mask, u, v, taps)
            assert 0 < (wanted == 0).mean() < 1
            for one in made:
                assert one.shape == (50, 60, 1)
                # A sample on a pixel's very centre may be either side of it.
                off = (one[..., 0] != wanted) & (abs(u - np.rint(u)) > 1e-4) \
                    & (abs(v - np.rint(v)) > 1e-4)
                assert not off.any(), (name, view, off.sum())
            assert not os.path.exists(run.path("masks/%s/day/d.png.png" % view["name"]))
        assert sorted(os.listdir(run.path("m0/day"))) == [s + ".png" for s in "abcd"]
    run = Run(folder, toml(MASKED[:1]), 'masks="off"')
    assert not os.path.exists(run.path("masks")) and os.path.exists(run.path("m0/day/d.png"))
    run = Run(folder, toml(MASKED[:1]), 'layout="flat"', 'format="jpeg"')
    assert sorted(os.listdir(run.path("masks/day"))) == [
        s + "_m0.jpg.png" for s in "abc"], os.listdir(run.path("masks/day"))


def t_masks_are_found_by_every_name_they_go_by(folder):
    """Each mask is black in a row of its own, so that a frame that took another's is
    noticed; none of them is taken for a frame."""
    full = panorama(64, 255)
    frames = {"images/a.png": "masks/a.png", "images/b.png": "masks/b.png.png",
              "c.png": "c_mask.png", "day/d.png": "day/masks/d_mask.png",
              "day/e.png": "masks/day/e.png", "day/f.png": "day/masks/f.png.png",
              "day/images/g.png": "day/masks/g_mask.png", "h.png": "masks/h.png_mask.png",
              "day/a.png": "day/masks/a.tif"}
    for number, (frame, mask) in enumerate(frames.items()):
        write(os.path.join(folder, "shot", frame), png(full))
        rows = np.full((32, 64, 1), 255, np.uint8)
        rows[10 + number] = 0
        write(os.path.join(folder, "shot", mask),
              tiff(rows) if mask.endswith(".tif") else png(rows))
    # Too many: the frame's whole name wins, then the first by name.
    for name in ("masks/images/b.png", "masks/c.png", "masks/nobody.png"):
        write(os.path.join(folder, "shot", name), png(full))
    view = dict(name="v", yaw=0, hfov=5, width=1, height=32)
    run = Run(folder, toml([view]), 'filter="nearest"', "preview=false")
    side = run.sidecar()
    assert side["facts"] == {"frames": len(frames), "refused_frames": 0}, side["facts"]
    _, v, _ = looked_at(view, 64)
    for number, frame in enumerate(frames):
        seen = read_png(run.path("masks/v/%s.png" % frame))[:, 0, 0]
        wanted = np.where(np.rint(v[:, 0]) == 10 + number, 0, 255)
        assert (wanted == 0).any() and np.array_equal(seen, wanted), (frame, seen, wanted)
    for name in ("masks/images/b.png", "masks/c.png", "masks/nobody.png"):
        assert "the mask '%s' has no frame, or one" % name in str(side["warnings"]), side


def t_a_mask_of_another_size_refuses_its_frame(folder):
    write(os.path.join(folder, "shot/a.png"), png(panorama(64, 255)))
    write(os.path.join(folder, "shot/a_mask.png"), png(panorama(32, 255)))
    write(os.path.join(folder, "shot/b.png"), png(panorama(64, 255)))
    write(os.path.join(folder, "shot/b_mask.png"), b"nothing")
    write(os.path.join(folder, "shot/c.png"), png(panorama(64, 255)))
    run = Run(folder, "width=16", "height=16")
    told = " ".join(run.sidecar()["warnings"])
    for words in ("'a.png' was left out: its mask 'a_mask.png' is 32 x 16 pixels, the frame "
                  "64 x 32", "'b.png' was left out: its mask 'b_mask.png'"):
        assert words in told, told
    assert os.listdir(run.path("cam_00")) == ["c.png"]


def t_caps_mask_the_poles(folder):
    write(os.path.join(folder, "shot/a.png"), png(panorama(128, 255)))
    plain = Run(folder, toml(MASKED))
    before = {v["name"]: read_png(plain.path(v["name"] + "/a.png")) for v in MASKED}
    assert not os.path.exists(plain.path("masks"))
    for filter in ("bilinear", "nearest"):
        run = Run(folder, toml(MASKED), "nadir=35.5", "zenith=20", 'masks="off"',
                  'filter="%s"' % filter)
        for view in MASKED:
            _, _, latitude = looked_at(view, 128)
            wanted = np.where((latitude > 70) | (latitude < -54.5), 0, 255)
            made = read_png(run.path("masks/%s/a.png.png" % view["name"]))[..., 0]
            close = (abs(latitude - 70) < .01) | (abs(latitude + 54.5) < .01)
            assert ((made == wanted) | close).all(), view
            if filter == "bilinear":
                assert np.array_equal(before[view["name"]],
                                      read_png(run.path(view["name"] + "/a.png")))


main(globals())
