#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""pano-views: do the views show the right directions?

A smooth colour of the direction is drawn as a panorama, and what a pixel of a view should
be is known without any other program: a wrong sign, half a pixel, a wrong seam or pole row
would show in the worst pixel.
"""
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
from pano import (BUILD, VIEWS, Run, colour, expected, judge, main, np,  # noqa: E402
                  panorama, planes, toml, write)
from pictures import exr, png, read_exr, read_png, read_tiff, tiff  # noqa: E402


def t_bad_parameters_are_refused(folder):
    write(os.path.join(folder, "shot/a.png"), png(panorama(64, 255)))
    for views, words in (('"ring9"', "found \"ring9\""), ("[]", "1 to 256"),
                         ("[{yaw=0},{yaw=1,name=\"cam_00\"}]", "both named"),
                         ("[{pitch=1}]", "at least a yaw"),
                         ("[{yaw=0,pitch=91}]", "the pitch of view 0"),
                         ("[{yaw=0,jaw=1}]", "'jaw'"),
                         ("[{yaw=0,name=\"../x\"}]", "the name of view 0")):
        try:
            run = Run(folder, "views=" + views, expect=1)
        except AssertionError:
            run = Run(folder, "views=" + views, expect=2)
        assert words in run.stderr + json.dumps(run.unit, ensure_ascii=False).replace(
            '\\"', '"'), (views, run.stderr, run.unit)
    # A rule's TOML becomes JSON; whoever hands over text that is none is told where.
    for views, place in (('[{"yaw": 1,}]', "line 1, column 12"), ("ring8", "near 'ring'"),
                         ('"ring8', "end of input"), ("{}", "found a table")):
        told = subprocess.run([os.path.join(BUILD, "tests/plugins/run-plugin"),
                               os.path.join(BUILD, "plugins/pano-views.so"), "pano-views",
                               "-p", "views=" + views, folder],
                              stdout=subprocess.PIPE).stdout.decode()
        assert place in told and "no memory" not in told, (views, told)


def t_views_show_the_right_directions(folder):
    write(os.path.join(folder, "shot/a.png"), png(panorama(3840, 255)))
    judge(folder, VIEWS, 255, 57.0, 1.1)
    judge(folder, VIEWS[:8], 255, 56.0, 1.5, 'filter="bicubic"')
    judge(folder, VIEWS[:8], 255, 56.0, 1.6, 'filter="lanczos3"')


def t_sixteen_bits_stay_sixteen(folder):
    write(os.path.join(folder, "shot/a.png"), png(panorama(3840, 65535)))
    judge(folder, VIEWS[:8], 65535, 88.0, 0.1)
    judge(folder, VIEWS[:3], 65535, 88.0, 0.1, 'filter="bicubic"')


def t_rings_turn_by_parts_of_a_pixel(folder):
    write(os.path.join(folder, "shot/a.png"), png(panorama(4096, 255)))
    judge(folder, [dict(name="r%d" % i, yaw=30 * i, hfov=90, width=240, height=136)
                   for i in range(12)], 255, 57.0, 1.1)


def t_aa_shows_fine_waves_as_their_mean(folder):
    """A view 2.7 times smaller than its panorama; then one that is not smaller at all."""
    small = dict(name="s", yaw=20, hfov=110, width=320, height=320)
    large = dict(name="l", yaw=20, hfov=60, width=480, height=320)
    write(os.path.join(folder, "shot/a.png"), png(panorama(1920, 255, 10)))
    parts = [(i + 0.5) / 8 - 0.5 for i in range(8)]
    wanted = sum(expected(small, 255, 10, (a, b)) for a in parts for b in parts) / 64
    reached, views = {}, {}
    for aa in ("false", "true"):
        run = Run(folder, toml([small, large]), "aa=" + aa)
        error = read_png(run.path("s/a.png")) - wanted
        reached[aa] = 10 * np.log10(255 ** 2 / np.mean(error ** 2))
        views[aa] = read_png(run.path("l/a.png"))
    print("# aa %s" % reached)
    assert reached["true"] >= 44 and reached["true"] >= reached["false"] + 3, reached
    assert np.array_equal(views["true"], views["false"])


def t_linear_light_keeps_the_brightness(folder):
    """A checker seen from afar; then what is smooth stays as exact as without."""
    for dtype, most in ((np.uint8, 255), (np.uint16, 65535)):
        checker = np.indices((512, 1024)).sum(0) % 2
        write(os.path.join(folder, "shot/a.png"),
              png(np.repeat(checker[..., None] * most, 3, -1).astype(dtype)))
        view = dict(name="c", yaw=0, hfov=90, width=20, height=20)
        for light, mean in (("false", 127.5), ("true", 187.5)):
            run = Run(folder, toml([view]), "aa=true", "linear_light=" + light)
            found = read_png(run.path("c/a.png")).mean() * 255 / most
            print("# linear_light=%s: mean %.2f" % (light, found))
            assert abs(found - mean) < 1, found
    write(os.path.join(folder, "shot/a.png"), png(panorama(3840, 255)))
    judge(folder, VIEWS[:8], 255, 57.0, 1.3, "linear_light=true")
    write(os.path.join(folder, "shot/a.png"), png(panorama(3840, 65535)))
    judge(folder, VIEWS[:3], 65535, 85.0, 0.1, "linear_light=true")
    # Every value comes back as it went, and alpha too.
    ramp = np.repeat(np.arange(256).reshape(1, 256), 128, 0)
    write(os.path.join(folder, "shot/a.png"),
          png(np.dstack([ramp, ramp, ramp, ramp | 1]).astype(np.uint8)))
    views = [dict(name="n", yaw=33, hfov=100, width=200, height=100)]
    params = (toml(views), 'filter="nearest"')
    plain = read_png(Run(folder, *params).path("n/a.png")).astype(int)
    light = read_png(Run(folder, *params, "linear_light=true").path("n/a.png")).astype(int)
    assert np.array_equal(plain[..., 3], light[..., 3])
    off = np.abs(plain - light)[plain[..., 3] > 128]
    assert off.max() <= 1, off.max()


def t_the_compass_sample_shows_its_letters(folder):
    """Each letter has a colour of its own, and stands in the middle of its view alone."""
    os.makedirs(os.path.join(folder, "shot"))
    subprocess.run([os.path.join(BUILD, "contrib/make-sample"), "--pano", "1536",
                    os.path.join(folder, "shot")], check=True)
    run = Run(folder, 'views="cardinal4"', "width=200", "height=200")
    colours = ((210, 30, 30), (240, 200, 20), (30, 60, 200), (20, 140, 50))
    for number in range(4):
        view = read_png(run.path("cam_%02d/compass.png" % number)).astype(int)
        for other, wanted in enumerate(colours):
            rows, columns = np.nonzero((np.abs(view - wanted) <= 1).all(-1))
            assert (len(rows) > 100) == (other == number), (number, other, len(rows))
            if other == number:
                assert rows.max() < 100 and abs(columns.min() + columns.max() - 199) < 12


def t_presets_and_layouts(folder):
    write(os.path.join(folder, "shot/day/one.png"), png(panorama(64, 255)))
    for preset, count, size in (("ring8", 8, (108, 192)), ("cube6", 6, (96, 96)),
                                ("dome16", 16, (96, 96)), ("cardinal4", 4, (96, 96))):
        run = Run(folder, 'views="%s"' % preset, "width=%d" % size[1],
                  "height=%d" % size[0])
        rig = json.load(open(run.path("rig_config.json")))[0]["cameras"]
        assert len(rig) == count and rig[0]["ref_sensor"] is True, rig
        for camera in rig:
            made = read_png(run.path(camera["image_prefix"] + "day/one.png"))
            assert made.shape == size + (3,), made.shape
    run = Run(folder, 'views="colmap12"')
    assert read_png(run.path("cam_11/day/one.png")).shape == (16, 16, 3)
    rig = json.load(open(run.path("rig_config.json")))[0]["cameras"]
    assert np.allclose(rig[1]["cam_from_rig_rotation"], [0.5 ** 0.5, 0, -0.5 ** 0.5, 0])
    assert np.allclose(rig[0]["camera_params"], [8, 8, 8, 8])
    run = Run(folder, 'layout="flat"', "width=16", "height=16", 'format="jpeg"')
    names = sorted(os.listdir(run.path("day")))
    assert names == ["one_cam_%02d.jpg" % i for i in range(8)], names
    assert open(run.path("day/one_cam_03.jpg"), "rb").read(3) == b"\xff\xd8\xff"


def t_cameras_say_where_the_views_look(folder):
    """A view's corners, through transforms.json, are the directions that it shows."""
    views = [dict(view, width=80 + i, height=60) for i, view in enumerate(VIEWS)]
    write(os.path.join(folder, "shot/day/a b.png"), png(panorama(512, 255)))
    write(os.path.join(folder, "shot/day/bad.png"), b"nothing")
    run = Run(folder, toml(views))
    told = json.load(open(run.path("transforms.json")))
    assert told["camera_model"] == "OPENCV" and len(told["frames"]) == len(views)
    lines = [line.split() for line in open(run.path("cameras.txt")) if line[0] != "#"]
    assert len(lines) == len(views)
    for number, (view, frame) in enumerate(zip(views, told["frames"])):
        assert frame["file_path"] == view["name"] + "/day/a b.png", frame
        assert "mask_path" not in frame
        assert lines[number][:4] == [str(number + 1), "PINHOLE", str(frame["w"]),
                                     str(frame["h"])], lines[number]
        assert [float(x) for x in lines[number][4:]] == [
            frame[key] for key in ("fl_x", "fl_y", "cx", "cy")]
        pixels = read_png(run.path(frame["file_path"]))
        assert pixels.shape == (frame["h"], frame["w"], 3)
        x, y = np.meshgrid(np.arange(frame["w"]) + .5, np.arange(frame["h"]) + .5)
        ray = np.stack([(x - frame["cx"]) / frame["fl_x"],
                        -(y - frame["cy"]) / frame["fl_y"], -np.ones_like(x)], -1)
        matrix = np.array(frame["transform_matrix"])
        assert np.allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3))
        assert np.array_equal(matrix[:, 3], [0, 0, 0, 1]) and np.linalg.det(matrix) > 0
        d = ray @ matrix[:3, :3].T * [1, -1, -1]
        wanted = colour(d / np.linalg.norm(d, axis=-1, keepdims=True), 255)
        assert np.sqrt(np.mean((pixels - wanted) ** 2)) < 2, view
    assert np.allclose(told["frames"][0]["transform_matrix"], np.eye(4))
    run = Run(folder, toml(views[:2]), "nadir=5")
    for frame in json.load(open(run.path("transforms.json")))["frames"]:
        assert os.path.exists(run.path(frame["mask_path"]))
    assert not os.path.exists(Run(folder, 'layout="flat"').path("cameras.txt"))


def t_the_contact_sheet_shows_every_view(folder):
    """Each view's mean colour is in its cell, and something is written below it."""
    for number in range(5):
        write(os.path.join(folder, "shot/f%d.png" % number), png(panorama(256, 255)))
    write(os.path.join(folder, "shot/f4.png"), b"nothing")
    views = [dict(name="v%d" % i, yaw=36 * i, hfov=70, width=480, height=300)
             for i in range(10)]
    run = Run(folder, toml(views))
    sheet = read_png(run.path("contact-sheet.png")).astype(int)
    row, cell = 26 + 2 * (150 + 30), 248
    assert sheet.shape == (8 + 3 * row, 8 + 8 * cell, 3), sheet.shape
    paper = sheet[0, 0]
    for frame in range(3):
        for number, view in enumerate(views):
            top = 8 + frame * row + 26 + number // 8 * 180
            left = 8 + number % 8 * cell
            shown = sheet[top:top + 150, left:left + 240]
            label = (sheet[top + 150:top + 178, left:left + 240] != paper).any(-1)
            if frame == 2:
                assert (shown == paper).all() and not label.any(), "it was left out"
                continue
            full = read_png(run.path("%s/f%d.png" % (view["name"], 2 * frame))).astype(int)
            wanted = full.reshape(150, 2, 240, 2, 3).mean((1, 3))
            assert np.abs(shown - wanted).max() <= 0.5, (frame, number)
            assert label.any()
        title = sheet[8 + frame * row:8 + frame * row + 14]
        assert (title != paper).any()
    side = run.sidecar()
    assert "contact-sheet.png" in [o["name"] for o in side["outputs"]], side["outputs"]
    run = Run(folder, toml(views), "preview=false")
    assert not os.path.exists(run.path("contact-sheet.png"))


def on_screen(run, name, paper):
    """A view over the paper, 0..255; floats are linear light, a TIFF's alpha is associated."""
    path = run.path(name)
    if name.endswith(".exr"):
        made = read_exr(path)[0]
        alpha = np.clip(made["A"].astype(float), 0, 1) if "A" in made else np.ones_like(made["R"])
        alpha = alpha[..., None]
        light = np.stack([made[c] for c in "RGB"], -1).astype(float)
        light = np.clip(np.divide(light, alpha, np.zeros_like(light), where=alpha > 0), 0, 1)
        straight = np.where(light <= 0.0031308, 12.92 * light,
                            1.055 * light ** (1 / 2.4) - 0.055)
        return 255 * straight * alpha + paper * (1 - alpha)
    is_tiff = name.endswith(".tif")
    full = read_tiff(path)[0] if is_tiff else read_png(path)
    full = full.astype(float) / np.iinfo(full.dtype).max * 255
    if full.shape[2] == 3:
        return full
    alpha = full[..., 3:] / 255
    return full[..., :3] * (1 if is_tiff else alpha) + paper * (1 - alpha)


def box_means(full):
    """As a small picture of at most 240 x 240."""
    height, width = full.shape[:2]
    scale = min(1, 240 / max(height, width))
    down, across = int(height * scale), int(width * scale)
    rows, columns = np.arange(down) * height // down, np.arange(across) * width // across
    sums = np.add.reduceat(np.add.reduceat(full, rows), columns, 1)
    sizes = np.outer(np.diff(rows, append=height), np.diff(columns, append=width))
    return sums / sizes[..., None]


def t_the_contact_sheet_shows_means_of_whole_boxes(folder):
    """Sizes that are no multiples of the small pictures', of 8 and 16 bits and of floats,
    with alpha and without."""
    frames = {"float.exr": exr(planes(panorama(512, 65535) / np.float32(65535)))}
    veil = np.linspace(0, 1, 512, dtype=np.float32) * np.ones((256, 1), np.float32)
    coloured = panorama(512, 65535) / np.float32(65535) * veil[..., None]
    frames["veil.exr"] = exr(planes(np.concatenate([coloured, veil[..., None]], -1)))
    for bits in (8, 16):
        frame = panorama(512, 2 ** bits - 1)
        alpha = np.full(frame.shape[:2] + (1,), 2 ** bits - 1, frame.dtype)
        alpha[100:140, ::7] //= 3
        alpha[150:] = 0
        frames["opaque%d.png" % bits] = png(frame)
        frames["alpha%d.png" % bits] = png(np.concatenate([frame, alpha], -1))
        alpha = (veil[..., None] * (2 ** bits - 1)).astype(frame.dtype)
        dimmed = (frame * veil[..., None]).astype(frame.dtype)
        frames["veil%d.tif" % bits] = tiff(np.concatenate([dimmed, alpha], -1), t338=[1])
    views = [dict(name="wide", yaw=10, hfov=70, width=500, height=310),
             dict(name="high", yaw=99, pitch=-50, hfov=50, width=301, height=777),
             dict(name="small", yaw=50, hfov=50, width=60, height=37)]
    for name, data in frames.items():
        write(os.path.join(folder, name, "shot", name), data)
        run = Run(os.path.join(folder, name), toml(views), 'masks="off"')
        sheet = read_png(run.path("contact-sheet.png")).astype(float)
        paper = sheet[0, 0]
        for number, view in enumerate(views):
            wanted = box_means(on_screen(run, "%s/%s" % (view["name"], name), paper))
            down, across = wanted.shape[:2]
            shown = sheet[34:34 + 240, 8 + number * 248:][:, :240]
            worst = np.abs(shown[:down, :across] - wanted).max()
            # Each pixel is rounded to 8 bits before its box's mean is.
            assert worst <= (0.51 if name == "opaque8.png" else 1.5), (name, view, worst)
            assert (shown[down:] == paper).all() and (shown[:, across:] == paper).all()


def t_grey_stays_grey(folder):
    full = panorama(256, 255)
    write(os.path.join(folder, "shot/grey.png"), png(full[..., 1:2].copy()))
    write(os.path.join(folder, "shot/rgb.png"), png(full))
    run = Run(folder, "width=64", "height=64")
    grey = read_png(run.path("cam_00/grey.png"))
    assert grey.shape == (64, 64, 1)
    assert np.array_equal(grey[..., 0], read_png(run.path("cam_00/rgb.png"))[..., 1])


def t_what_is_transparent_does_not_bleed(folder):
    for dtype, most in ((np.uint8, 255), (np.uint16, 65535)):
        full = np.zeros((64, 128, 4), dtype)
        full[...] = (most, 0, 0, 0)  # red, but nobody may see it
        full[:, 64:] = (0, 0, most, most)
        write(os.path.join(folder, "shot/a.png"), png(full))
        for name in ("bilinear", "lanczos3"):
            run = Run(folder, "width=64", "height=64", 'filter="%s"' % name)
            view = read_png(run.path("cam_00/a.png"))
            assert view.shape == (64, 64, 4) and view.dtype == dtype
            seen = view[view[..., 3] > 0]
            assert len(seen) and len(seen) < 64 * 64
            assert seen[:, 0].max() == 0 and seen[:, 2].min() >= most - 1, name


def t_png_of_any_kind_can_be_read(folder):
    """Flat, noise, grey, alpha, 16 bits; views of one pixel, of one row, of one column. The
    format that is asked for has no say in the pixels: 16 rows at once and views of eight
    at once are no borders."""
    rng = np.random.default_rng(3)
    views = [dict(name="v%d" % i, yaw=40 * i, hfov=70, width=w, height=h) for i, (w, h) in
             enumerate(((1, 1), (701, 1), (1, 41), (33, 17), (64, 32), (64, 32), (64, 32),
                        (64, 32), (64, 32), (64, 32), (64, 32), (64, 32), (64, 32)))]
    for dtype, most in ((np.uint8, 255), (np.uint16, 65535)):
        for channels in (1, 3, 4):
            shape = (128, 256, channels)
            frames = {"flat": np.full(shape, most // 3, dtype),
                      "noise": rng.integers(0, most, shape, dtype, True)}
            if channels == 4:
                frames["noise"][..., 3] = most
            for name, frame in frames.items():
                write(os.path.join(folder, "shot/%s.png" % name), png(frame))
            run = Run(folder, toml(views), 'filter="nearest"')
            for view in views:
                flat = read_png(run.path(view["name"] + "/flat.png"))
                noise = read_png(run.path(view["name"] + "/noise.png"))
                assert flat.shape == noise.shape == (view["height"], view["width"],
                                                     channels), (view, flat.shape)
                assert flat.dtype == noise.dtype == dtype
                # What comes back from premultiplied alpha of 8 bits may be off by one.
                slack = 1 if channels == 4 else 0
                assert np.abs(flat.astype(int) - most // 3).max() <= slack
                where = {tuple(pixel) for pixel in frames["noise"].reshape(-1, channels)}
                assert all(tuple(pixel) in where for pixel in noise.reshape(-1, channels))


if __name__ == "__main__":
    main(globals())
