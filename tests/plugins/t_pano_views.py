#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""pano-views: do the views show the right directions, and is bad input told of?

Invalid input first.  Then a smooth colour of the direction is drawn as a panorama, and
what a pixel of a view should be is known without any other program: a wrong sign, half a
pixel, a wrong seam or pole row would show in the worst pixel.
"""
import json
import os
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


def png(pixels):
    """A PNG of an array [height][width][1, 3 or 4] of uint8 or uint16."""
    height, width, channels = pixels.shape
    bits = 8 * pixels.dtype.itemsize
    rows = pixels.astype(pixels.dtype.newbyteorder(">")).reshape(height, -1)
    data = np.zeros((height, 1 + rows.shape[1] * pixels.dtype.itemsize), np.uint8)
    data[:, 1:] = np.ascontiguousarray(rows).view(np.uint8)
    return (b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits,
                                         {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(data.tobytes(), 1)) + chunk(b"IEND", b""))


def paeth(left, up, corner):
    guess = left + up - corner
    a, b, c = abs(guess - left), abs(guess - up), abs(guess - corner)
    return left if a <= b and a <= c else up if b <= c else corner


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


def read_png(path):
    """Any PNG that is not interlaced and has no palette; every checksum is checked."""
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
    for y in range(height):
        made[y + 1] = unfilter(rows[y, 0], rows[y, 1:], made[y], step)
    pixels = made[1:].copy()
    if bits == 16:
        pixels = pixels.view(">u2").astype(np.uint16)
    return pixels.reshape(height, width, channels)


def colour(d, scale):
    """Of unit directions (right, down, forward): never dark, never bright, smooth."""
    x, y, z = d[..., 0], d[..., 1], d[..., 2]
    waves = [np.sin(17 * x + 9 * z + 1), np.cos(20 * y - 7 * x),
             np.sin(14 * z) * np.cos(19 * y + 6 * x)]
    return scale * (0.5 + 0.43 * np.stack(waves, -1))


def panorama(width, scale):
    height = width // 2
    longitude = ((np.arange(width) + 0.5) / width - 0.5) * 2 * np.pi
    latitude = (0.5 - (np.arange(height) + 0.5) / height) * np.pi
    lon, lat = np.meshgrid(longitude, latitude)
    d = np.stack([np.cos(lat) * np.sin(lon), -np.sin(lat), np.cos(lat) * np.cos(lon)], -1)
    return np.round(colour(d, scale)).astype(np.uint8 if scale < 256 else np.uint16)


def expected(view, scale):
    """The view's true colours."""
    w, h = view["width"], view["height"]
    yaw, pitch, roll, hfov = (np.radians(view.get(k, 0)) for k in
                              ("yaw", "pitch", "roll", "hfov"))
    focal = w / 2 / np.tan(hfov / 2)
    x, y = np.meshgrid((np.arange(w) + 0.5 - w / 2) / focal,
                       (np.arange(h) + 0.5 - h / 2) / focal)
    # The camera turns clockwise, then up, then to the right.
    x, y = (x * np.cos(roll) - y * np.sin(roll), x * np.sin(roll) + y * np.cos(roll))
    y, z = (y * np.cos(pitch) - np.sin(pitch), y * np.sin(pitch) + np.cos(pitch))
    x, z = (x * np.cos(yaw) + z * np.sin(yaw), -x * np.sin(yaw) + z * np.cos(yaw))
    d = np.stack([x, y, z], -1)
    return colour(d / np.linalg.norm(d, axis=-1, keepdims=True), scale)


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


def t_alpha_and_grey_stay(folder):
    full = panorama(256, 255)
    write(os.path.join(folder, "shot/alpha.png"),
          png(np.concatenate([full, full[..., :1]], -1)))
    write(os.path.join(folder, "shot/grey.png"), png(full[..., 1:2].copy()))
    run = Run(folder, "width=64", "height=64")
    alpha = read_png(run.path("cam_00/alpha.png"))
    assert alpha.shape == (64, 64, 4)
    grey = read_png(run.path("cam_00/grey.png"))
    assert grey.shape == (64, 64, 1)
    assert np.array_equal(grey[..., 0], alpha[..., 1])


def main():
    tests = [(n, f) for n, f in globals().items() if n.startswith("t_")]
    print("1..%d" % len(tests))
    failed = 0
    for number, (name, function) in enumerate(tests, 1):
        with tempfile.TemporaryDirectory(prefix="t_pano_views.") as folder:
            try:
                function(folder)
                print("ok %d - %s" % (number, name))
            except Exception as error:  # noqa: BLE001: whatever it was, it is a failure
                failed = 1
                print("not ok %d - %s" % (number, name))
                print("\n".join("# " + line for line in repr(error).split("\\n")))
        sys.stdout.flush()
    sys.exit(failed)


main()
