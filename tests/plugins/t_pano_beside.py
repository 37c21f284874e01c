#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""pano-views: what stands beside the pixels: GPano, the camera's pose, EXIF."""
import os
import shutil
import struct
import sys

sys.dont_write_bytecode = True
from pano import VIEWS, Run, colour, judge, main, np, panorama, toml, write  # noqa: E402
from pictures import (chunk, gpano, ifd, jpeg, laid, oriented, png, read_png,  # noqa: E402
                      tiff)


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


def t_a_picture_that_lies_in_its_file_is_stood_up(folder):
    """All eight orientations of EXIF and TIFF: views are those of the upright picture, and
    say that they are upright.  A mask beside it is upright by its own account."""
    full = panorama(256, 255)
    mask = np.full((128, 256, 1), 255, np.uint8)
    mask[20:70, 100:140] = 0
    for way in range(1, 9):
        lying = laid(full, way)
        for name, data in (
                ("p%d.png" % way, png(lying, exif=oriented(way, "<>"[way % 2]))),
                ("t%d.tif" % way, tiff(lying, t274=[way], packing=5)),
                ("j%d.jpg" % way,
                 jpeg(lying, "-q", 100, "-s", "1x1", exif=oriented(way))),
                ("p%d_mask.png" % way, png(mask)),
                ("t%d_mask.png" % way, png(laid(mask, way), exif=oriented(way)))):
            write(os.path.join(folder, "shot", name), data)
    write(os.path.join(folder, "shot/upright.png"), png(full))
    write(os.path.join(folder, "shot/upright_mask.png"), png(mask))
    for pitch in (0, 50, -80):
        view = dict(name="v", yaw=20, pitch=pitch, hfov=80, width=60, height=40)
        run = Run(folder, toml([view]), 'format="png"')
        beside = {}
        wanted = read_png(run.path("v/upright.png"))
        ignored = read_png(run.path("masks/v/upright.png.png"))
        assert (ignored == 0).any() == (pitch >= 0)
        for way in range(1, 9):
            for kind in "pt":
                got = read_png(run.path("v/%s%d.png" % (kind, way)), beside)
                assert np.array_equal(got, wanted), (kind, way, pitch)
                assert np.array_equal(
                    read_png(run.path("masks/v/%s%d.png.png" % (kind, way))), ignored)
                assert ifd(beside[b"eXIf"], 8)[0x112][2] == b"\1\0"
            got = read_png(run.path("v/j%d.png" % way)).astype(int)
            assert np.abs(got - wanted).mean() < 1, (way, pitch)
    # GPano tells of the upright picture, too.
    shutil.rmtree(os.path.join(folder, "shot"))
    told = {"FullPanoWidthPixels": 256, "FullPanoHeightPixels": 128,
            "CroppedAreaLeftPixels": 60, "CroppedAreaTopPixels": 30,
            "CroppedAreaImageWidthPixels": 140, "CroppedAreaImageHeightPixels": 70}
    for way in range(1, 9):
        write(os.path.join(folder, "shot/w%d.png" % way),
              png(laid(full[30:100, 60:200], way), exif=oriented(way),
                  xmp=gpano(told, False)))
    run = Run(folder, toml([dict(name="v", yaw=20, hfov=120, width=60, height=40)]))
    for way in range(2, 9):
        assert np.array_equal(read_png(run.path("v/w%d.png" % way)),
                              read_png(run.path("v/w1.png"))), way


def t_what_stands_behind_the_pixels_of_a_png_counts(folder):
    """Where exiftool puts it; a second one, and what is broken, does not count."""
    full = panorama(128, 255)
    told = {"FullPanoWidthPixels": 128, "FullPanoHeightPixels": 64,
            "CroppedAreaLeftPixels": 20, "CroppedAreaTopPixels": 10,
            "CroppedAreaImageWidthPixels": 80, "CroppedAreaImageHeightPixels": 40}
    window, xmp = full[10:50, 20:100], gpano(told, True)

    def behind(data, *chunks):
        return data[:-12] + b"".join(chunk(*c) for c in chunks) + data[-12:]
    text = b"XML:com.adobe.xmp\0\0\0\0\0"
    lying = png(laid(window, 6))
    frames = {"before": png(laid(window, 6), exif=oriented(6), xmp=xmp),
              "behind": behind(lying, (b"eXIf", oriented(6)), (b"iTXt", text + xmp)),
              "twice": behind(png(laid(window, 6), exif=oriented(6), xmp=xmp),
                              (b"eXIf", oriented(1)), (b"iTXt", text + b"<x/>")),
              "later": behind(lying, (b"iTXt", b"Title\0\0\0\0\0x"), (b"iTXt", text[:18]),
                              (b"iTXt", text + xmp), (b"eXIf", oriented(6)))}
    for name, data in frames.items():
        write(os.path.join(folder, "shot", name + ".png"), data)
    run = Run(folder, toml([dict(name="v", yaw=5, hfov=90, width=40, height=30)]))
    for name in frames:
        assert np.array_equal(read_png(run.path("v/%s.png" % name)),
                              read_png(run.path("v/before.png"))), name


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


main(globals())
