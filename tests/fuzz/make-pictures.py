#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""make-pictures.py FOLDER - small pictures of every kind that is read, as seeds for fuzzers:
FOLDER/*.jpg, .png, .tif and .exr; what stands beside pixels also alone, as *.exif and *.xmp."""
import os
import struct
import sys
import zlib

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../plugins"))
import numpy as np  # noqa: E402
import pictures  # noqa: E402

rng = np.random.default_rng(1)
x, y = np.meshgrid(np.arange(32), np.arange(16))
rgb = (np.stack([x * 8, y * 16, x ^ y], -1) % 256).astype(np.uint8)
rgba = np.dstack([rgb, (255 * (x > 9)).astype(np.uint8)])
floats = (rgb / 255).astype(np.float32)


def directory(at, *entries):
    """Entries of tag, type and value; what is longer than four bytes follows them."""
    sizes = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1}
    past = at + 2 + 12 * len(entries) + 4
    head, beside = struct.pack("<H", len(entries)), b""
    for tag, kind, value in entries:
        place = value.ljust(4, b"\0")
        if len(value) > 4:
            place = struct.pack("<I", past + len(beside))
            beside += value + b"\0" * (len(value) % 2)
        head += struct.pack("<HHI", tag, kind, len(value) // sizes[kind]) + place
    return head + bytes(4) + beside


def exif():
    """One directory after the other, as cameras write them."""
    gps = [(1, 2, b"N\0"), (2, 5, struct.pack("<6I", 22, 1, 57, 1, 3303, 100)),
           (16, 2, b"T\0"), (17, 5, struct.pack("<2I", 3375, 10))]
    shot = [(0x829a, 5, struct.pack("<2I", 1, 50)), (0x9003, 2, b"2015:12:05 17:27:47\0"),
            (0x920a, 5, bytes(8)), (0x927c, 7, b"maker" * 4), (0xa002, 4, bytes(4))]
    image = [(0x10f, 2, b"RICOH\0"), (0x112, 3, struct.pack("<H", 6))]

    def first(shot_at, gps_at):
        return directory(8, *image, (0x8769, 4, struct.pack("<I", shot_at)),
                         (0x8825, 4, struct.pack("<I", gps_at)))
    shot_at = 8 + len(first(0, 0))
    gps_at = shot_at + len(directory(shot_at, *shot))
    return (b"II*\0\x08\0\0\0" + first(shot_at, gps_at) + directory(shot_at, *shot)
            + directory(gps_at, *gps))


xmp = pictures.gpano({"FullPanoWidthPixels": 64, "FullPanoHeightPixels": 32,
                      "CroppedAreaLeftPixels": 16, "CroppedAreaTopPixels": 8,
                      "CroppedAreaImageWidthPixels": 32, "CroppedAreaImageHeightPixels": 16,
                      "PoseHeadingDegrees": 337.5, "PosePitchDegrees": -1.8}, False)
icc = b"iCCP" + b"profile\0\0" + zlib.compress(bytes(range(128)))


def with_chunk(png, kind, content):
    return png[:33] + pictures.chunk(kind, content) + png[33:]


made = {
    "base.jpg": pictures.jpeg(rgb, "-s", "2x2", exif=exif(), xmp=xmp),
    "full.jpg": pictures.jpeg(rgb, "-s", "1x1", "-r", 1, exif=pictures.oriented(3)),
    "tall.jpg": pictures.jpeg(rgb, "-s", "1x4"), "grey.jpg": pictures.jpeg(rgb[..., :1]),
    "scans.jpg": pictures.jpeg(rgb, "-p", "-s", "2x1"),
    "cmyk.jpg": pictures.jpeg(rgba),
    "rgb.png": with_chunk(pictures.png(rgb, exif=exif(), xmp=xmp), b"iCCP", icc[4:]),
    "rgba.png": pictures.png(rgba), "grey.png": pictures.png(rgb[..., :1].copy()),
    "deep.png": pictures.png(rgba.astype(np.uint16) * 257, exif=pictures.oriented(8)),
    "half.tif": pictures.tiff(floats.astype(np.float16), packing=8, predictor=3),
    "float.tif": pictures.tiff(floats, ">", planar=True, t700=xmp),
    "bits.tif": pictures.tiff(rgba, packing=32773, t274=[5]),
    "ycbcr.tif": pictures.made("tiff", rgb, "-s", "2x2"),
    "jpeg.tif": pictures.made("tiff", rgb, "-t"),
    "window.exr": pictures.exr(
        {c: floats[..., i].copy() for i, c in enumerate("RGB")}, 3, xmp=xmp,
        display=struct.pack("<4i", -5, -3, 20, 9)),
    "grey.exr": pictures.exr({"Y": floats[..., 0].astype(np.float16)}, tile=(8, 8)),
    "camera.exif": exif(), "turned.exif": pictures.oriented(6, ">"), "pano.xmp": xmp,
}
for packing in range(1, 6):
    made["packed%d.exr" % packing] = pictures.made("exr", floats, "-c", packing)
made["packed6.exr"] = pictures.made("exr", floats, "-c", 6, "-h")
for name, data in made.items():
    with open(os.path.join(sys.argv[1], name), "wb") as f:
        f.write(data)
