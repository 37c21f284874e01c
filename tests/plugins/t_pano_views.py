#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""pano-views: do the views show the right directions, and is bad input told of?

Invalid input first.  Then a smooth colour of the direction is drawn as a panorama, and
what a pixel of a view should be is known without any other program: a wrong sign, half a
pixel, a wrong seam or pole row would show in the worst pixel.
"""
import json
import os
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

try:
    import numpy as np
except ImportError:
    print("1..0 # SKIP numpy is not installed")
    sys.exit(0)

BUILD = os.environ.get("top_builddir", ".")
KILNCTL = os.path.join(BUILD, "kilnctl")


def chunk(kind, content):
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def png(pixels, exif=None, xmp=None):
    """A PNG of an array [height][width][1, 3 or 4] of uint8 or uint16."""
    height, width, channels = pixels.shape
    bits = 8 * pixels.dtype.itemsize
    rows = pixels.astype(pixels.dtype.newbyteorder(">")).reshape(height, -1)
    data = np.zeros((height, 1 + rows.shape[1] * pixels.dtype.itemsize), np.uint8)
    data[:, 1:] = np.ascontiguousarray(rows).view(np.uint8)
    return (b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits,
                                         {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0))
            + (chunk(b"eXIf", exif) if exif else b"")
            + (chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp) if xmp else b"")
            + chunk(b"IDAT", zlib.compress(data.tobytes(), 1)) + chunk(b"IEND", b""))


def paeth(left, up, corner):
    guess = left + up - corner
    a, b, c = abs(guess - left), abs(guess - up), abs(guess - corner)
    return left if a <= b and a <= c else up if b <= c else corner


def unfilter_paeth(rows):
    """[height][width][bytes of a pixel], all of filter 4: whole diagonals at once, since a
    byte waits only for those to its left and above."""
    height, width, step = rows.shape
    made = np.zeros((height + 1, width + 1, step), np.int16)
    for d in range(width + height - 1):
        y = np.arange(max(0, d - width + 1), min(height, d + 1))
        x = d - y
        left, up, corner = made[y + 1, x], made[y, x + 1], made[y, x]
        guess = left + up - corner
        a, b, c = np.abs(guess - left), np.abs(guess - up), np.abs(guess - corner)
        guess = np.where((a <= b) & (a <= c), left, np.where(b <= c, up, corner))
        made[y + 1, x + 1] = (rows[y, x] + guess) & 255
    return made[1:, 1:].astype(np.uint8).reshape(height, width * step)


def unfilter(kind, row, above, step):
    if kind == 0:
        return row
    if kind == 2:
        return row + above
    row = row.astype(np.int64)
    above = above.astype(np.int64)
    for i in range(len(row)):
        left = row[i - step] if i >= step else 0
        corner = above[i - step] if i >= step else 0
        row[i] += {1: left, 3: (left + above[i]) // 2,
                   4: paeth(left, above[i], corner)}[kind]
        row[i] &= 255
    return row.astype(np.uint8)


def read_png(path, beside=None):
    """Any PNG that is not interlaced and has no palette; every checksum is checked.  What
    stands beside the pixels goes into the dictionary `beside`."""
    with open(path, "rb") as f:
        data = f.read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", path
    at, packed, kinds = 8, b"", []
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        content = data[at + 8:at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length:at + 12 + length])[0] == \
            zlib.crc32(kind + content), "%s: checksum of %r" % (path, kind)
        kinds.append(kind)
        if beside is not None and kind in (b"eXIf", b"iTXt"):
            beside[kind] = content
        if kind == b"IHDR":
            width, height, bits, colour = struct.unpack(">IIBB", content[:10])
        if kind == b"IDAT":
            packed += content
        at += 12 + length
    assert kinds[-1] == b"IEND", path
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    step = channels * bits // 8
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, -1)
    assert rows.shape[1] == 1 + width * step, path
    made = np.zeros((height + 1, width * step), np.uint8)
    all_paeth = (rows[:, 0] == 4).all()
    if all_paeth:
        made[1:] = unfilter_paeth(rows[:, 1:].reshape(height, width, step))
    for y in range(0 if all_paeth else height):
        made[y + 1] = unfilter(rows[y, 0], rows[y, 1:], made[y], step)
    pixels = made[1:].copy()
    if bits == 16:
        pixels = pixels.view(">u2").astype(np.uint16)
    return pixels.reshape(height, width, channels)


def colour(d, scale, finer=1):
    """Of unit directions (right, down, forward): never dark, never bright, smooth."""
    x, y, z = d[..., 0] * finer, d[..., 1] * finer, d[..., 2] * finer
    waves = [np.sin(17 * x + 9 * z + 1), np.cos(20 * y - 7 * x),
             np.sin(14 * z) * np.cos(19 * y + 6 * x)]
    return scale * (0.5 + 0.43 * np.stack(waves, -1))


def panorama(width, scale, finer=1):
    height = width // 2
    longitude = ((np.arange(width) + 0.5) / width - 0.5) * 2 * np.pi
    latitude = (0.5 - (np.arange(height) + 0.5) / height) * np.pi
    lon, lat = np.meshgrid(longitude, latitude)
    d = np.stack([np.cos(lat) * np.sin(lon), -np.sin(lat), np.cos(lat) * np.cos(lon)], -1)
    return np.round(colour(d, scale, finer)).astype(np.uint8 if scale < 256 else np.uint16)


def expected(view, scale, finer=1, shift=(0, 0)):
    """The view's true colours, at places shifted by parts of a pixel."""
    w, h = view["width"], view["height"]
    yaw, pitch, roll, hfov = (np.radians(view.get(k, 0)) for k in
                              ("yaw", "pitch", "roll", "hfov"))
    focal = w / 2 / np.tan(hfov / 2)
    x, y = np.meshgrid((np.arange(w) + 0.5 + shift[0] - w / 2) / focal,
                       (np.arange(h) + 0.5 + shift[1] - h / 2) / focal)
    # The camera turns clockwise, then up, then to the right.
    x, y = (x * np.cos(roll) - y * np.sin(roll), x * np.sin(roll) + y * np.cos(roll))
    y, z = (y * np.cos(pitch) - np.sin(pitch), y * np.sin(pitch) + np.cos(pitch))
    x, z = (x * np.cos(yaw) + z * np.sin(yaw), -x * np.sin(yaw) + z * np.cos(yaw))
    d = np.stack([x, y, z], -1)
    return colour(d / np.linalg.norm(d, axis=-1, keepdims=True), scale, finer)


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


class Run:
    """One folder of frames through kilnctl run."""

    def __init__(self, folder, *params, expect=0):
        self.out = os.path.join(folder, "out")
        shutil.rmtree(self.out, ignore_errors=True)
        command = [KILNCTL, "run", "pano-views", "--json", "-o", self.out]
        for param in params:
            command += ["-p", param]
        done = subprocess.run(command + [os.path.join(folder, "shot")],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.stderr = done.stderr.decode("utf-8", "replace")
        if done.returncode != expect:
            raise AssertionError("status %d, expected %d: %s %s" % (
                done.returncode, expect, done.stdout[-500:], self.stderr[-500:]))
        self.unit = json.loads(done.stdout)["units"][0] if done.stdout else None

    def path(self, name):
        return os.path.join(self.out, "shot", name)

    def sidecar(self):
        with open(self.path("kiln.json")) as f:
            return json.load(f)


def toml(views):
    return "views=[" + ",".join(
        "{" + ",".join("%s=%s" % (k, json.dumps(v)) for k, v in view.items()) + "}"
        for view in views) + "]"


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


def judge(folder, views, scale, least, most, *params):
    run = Run(folder, toml(views), *params)
    for view in views:
        error = read_png(run.path(view["name"] + "/a.png")) - expected(view, scale)
        decibel = 10 * np.log10(scale ** 2 / np.mean(error ** 2))
        worst = np.abs(error).max() * 255 / scale
        print("# %s %s: %.2f dB, worst %.2f" % (view["name"], params, decibel, worst))
        assert decibel >= least and worst <= most, (view, decibel, worst)


VIEWS = [dict(name="v%d" % i, yaw=y, pitch=p, roll=r, hfov=90, width=240, height=136)
         for i, (y, p, r) in enumerate((
             (0, 0, 0), (45, 0, 0), (30, 20, 10), (170, 0, 0), (180, 0, 0), (180, 45, 0),
             (0, 90, 0), (37, 90, 12), (180, -90, 0), (-135, 75, -30), (-179.9, 0, 90),
             (123.4, -5.6, 180), (0, -45, 20)))]


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


GPANO = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:%s="http://ns.google.com/photos/1.0/panorama/" %s>%s</rdf:Description></rdf:RDF>
</x:xmpmeta>"""


def gpano(values, as_elements):
    """GPano either way, under another prefix than the usual one."""
    if as_elements:
        return (GPANO % ("g", "", "".join(
            "<g:%s>%s</g:%s>" % (k, v, k) for k, v in values.items()))).encode()
    return (GPANO % ("GPano", " ".join(
        'GPano:%s="%s"' % item for item in values.items()), "")).encode()


def t_a_window_of_the_sphere_lies_where_gpano_says(folder):
    """The sizes are told in other pixels than there are: they are scaled."""
    whole = panorama(1024, 255)
    window = whole[100:420, 200:840]
    told = {"FullPanoWidthPixels": 2048, "FullPanoHeightPixels": 1024,
            "CroppedAreaLeftPixels": 400, "CroppedAreaTopPixels": 200,
            "CroppedAreaImageWidthPixels": 1280, "CroppedAreaImageHeightPixels": 640}
    views = [dict(name="v%d" % i, yaw=y, pitch=p, hfov=60, width=120, height=80)
             for i, (y, p) in enumerate(((0, 0), (20, 10), (-100, 0), (180, 0)))]
    write(os.path.join(folder, "shot/a.png"), png(whole))
    run = Run(folder, toml(views))
    wanted = [read_png(run.path(v["name"] + "/a.png")) for v in views]
    for as_elements in (True, False):
        write(os.path.join(folder, "shot/a.png"),
              png(window, xmp=gpano(told, as_elements)))
        run = Run(folder, toml(views))
        for number, view in enumerate(views):
            got = read_png(run.path(view["name"] + "/a.png"))
            inside = got[..., 3] == 255
            assert inside.all() == (number < 2) and inside.any() == (number < 3), number
            assert np.abs(got[..., :3].astype(int) - wanted[number])[inside].max(
                initial=0) <= 1, number
            assert (got[..., 3] == 0).any() == (number >= 2)
    told["CroppedAreaLeftPixels"] = 100000
    write(os.path.join(folder, "shot/a.png"), png(window, xmp=gpano(told, True)))
    run = Run(folder, toml(views))
    assert read_png(run.path("v0/a.png")).shape[2] == 3, "a lie is not believed"
    del told["CroppedAreaLeftPixels"]
    write(os.path.join(folder, "shot/a.png"),
          png(window[:, :500].copy(), xmp=gpano(told, True)))
    run = Run(folder, toml(views), expect=1)
    assert "GPano's crop" in run.unit["reason"], run.unit


def t_a_tilted_camera_is_levelled(folder):
    """What the tilted camera saw is drawn by the rotation that GPano's pose means."""
    pitch, roll = np.radians(7.5), np.radians(-4.0)
    width, height = 2048, 1024
    lon, lat = np.meshgrid(((np.arange(width) + 0.5) / width - 0.5) * 2 * np.pi,
                           (0.5 - (np.arange(height) + 0.5) / height) * np.pi)
    x, y, z = np.cos(lat) * np.sin(lon), -np.sin(lat), np.cos(lat) * np.cos(lon)
    x, y = x * np.cos(roll) - y * np.sin(roll), x * np.sin(roll) + y * np.cos(roll)
    y, z = y * np.cos(pitch) - z * np.sin(pitch), y * np.sin(pitch) + z * np.cos(pitch)
    seen = np.round(colour(np.stack([x, y, z], -1), 255)).astype(np.uint8)
    told = {"PoseHeadingDegrees": 300, "PosePitchDegrees": 7.5, "PoseRollDegrees": -4}
    write(os.path.join(folder, "shot/a.png"), png(seen, xmp=gpano(told, True)))
    judge(folder, VIEWS[:6], 255, 56.0, 1.4)


def ifd(block, at):
    """Tag to (type, count, bytes) of a little-endian directory."""
    found = {}
    for i in range(struct.unpack_from("<H", block, at)[0]):
        tag, kind, count = struct.unpack_from("<HHI", block, at + 2 + 12 * i)
        length = count * (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8)[kind]
        value = at + 10 + 12 * i
        if length > 4:
            value = struct.unpack_from("<I", block, value)[0]
        assert value + length <= len(block)
        assert tag not in found and (not found or tag > max(found)), "sorted, once"
        found[tag] = (kind, count, bytes(block[value:value + length]))
    return found


def t_exif_is_carried_over_and_corrected(folder):
    """A big-endian block with GPS, a maker note and the other camera's focal length."""
    def directory(entries, at):
        head, rest = struct.pack(">H", len(entries)), b""
        beside = at + 2 + 12 * len(entries) + 4
        for tag, kind, count, value in entries:
            if len(value) > 4:
                place = struct.pack(">I", beside + len(rest))
                rest += value + b"\0" * (len(value) % 2)
            else:
                place = value.ljust(4, b"\0")
            head += struct.pack(">HHI", tag, kind, count) + place
        return head + b"\0\0\0\0" + rest
    gps = [(1, 2, 2, b"S\0"), (2, 5, 3, struct.pack(">6I", 22, 1, 57, 1, 3303, 100)),
           (0x11, 5, 1, struct.pack(">2I", 3375, 10))]
    exif = [(0x829a, 5, 1, struct.pack(">2I", 1, 5000)),
            (0x9003, 2, 20, b"2015:12:05 17:27:47\0"), (0x920a, 5, 1, bytes(8)),
            (0x927c, 7, 40, b"maker" * 8), (0xa002, 4, 1, struct.pack(">I", 5376))]
    image = [(0x10f, 2, 6, b"RICOH\0"), (0x112, 3, 1, struct.pack(">H", 1)),
             (0x8769, 4, 1, b"")] + [(0x8825, 4, 1, b"")]
    exif_at = 8 + len(directory(image, 8))
    gps_at = exif_at + len(directory(exif, exif_at))
    image[2] = (0x8769, 4, 1, struct.pack(">I", exif_at))
    image[3] = (0x8825, 4, 1, struct.pack(">I", gps_at))
    block = (b"MM\0*\0\0\0\x08" + directory(image, 8) + directory(exif, exif_at)
             + directory(gps, gps_at))
    write(os.path.join(folder, "shot/a.png"), png(panorama(64, 255), exif=block))
    beside = {}
    run = Run(folder, "width=32", "height=16")
    read_png(run.path("cam_01/a.png"), beside)
    made = beside[b"eXIf"]
    assert made[:8] == b"II*\0\x08\0\0\0"
    first = ifd(made, 8)
    assert first[0x10f] == (2, 6, b"RICOH\0") and first[0x112][2] == b"\1\0"
    second = ifd(made, struct.unpack("<I", first[0x8769][2])[0])
    third = ifd(made, struct.unpack("<I", first[0x8825][2])[0])
    assert struct.unpack("<2I", second[0x829a][2]) == (1, 5000)
    assert second[0x9003][2] == b"2015:12:05 17:27:47\0"
    assert struct.unpack("<I", second[0xa002][2])[0] == 32
    assert struct.unpack("<I", second[0xa003][2])[0] == 16
    assert struct.unpack("<H", second[0xa405][2])[0] == 18
    assert 0x927c not in second and 0x920a not in second
    assert struct.unpack("<6I", third[2][2]) == (22, 1, 57, 1, 3303, 100)
    over, under = struct.unpack("<2I", third[0x11][2])
    assert over / under == 22.5, "337.5 and 45 to the right"
    assert b'view:Yaw="45"' in beside[b"iTXt"], beside[b"iTXt"]
    # Blocks cut anywhere, or with any byte another, are no reason to fail.
    for i in range(0, len(block), 5):
        bad = bytearray(block)
        bad[i] ^= 0xff
        write(os.path.join(folder, "shot/b%d.png" % i), png(panorama(8, 255), exif=bad))
        write(os.path.join(folder, "shot/c%d.png" % i),
              png(panorama(8, 255), exif=block[:i + 1]))
    run = Run(folder, "width=8", "height=4")
    for name in os.listdir(run.path("cam_00")):
        read_png(run.path("cam_00/" + name), beside)
        assert 0x112 in ifd(beside[b"eXIf"], 8)


def main(names):
    tests = [(n, f) for n, f in names.items() if n.startswith("t_")]
    print("1..%d" % len(tests))
    failed = 0
    for number, (name, function) in enumerate(tests, 1):
        with tempfile.TemporaryDirectory(prefix="t_pano.") as folder:
            try:
                function(folder)
                print("ok %d - %s" % (number, name))
            except Exception as error:  # noqa: BLE001: whatever it was, it is a failure
                failed = 1
                print("not ok %d - %s" % (number, name))
                print("\n".join("# " + line for line in repr(error).split("\\n")))
        sys.stdout.flush()
    sys.exit(failed)


if __name__ == "__main__":
    main(globals())
