#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""pano-views: one bad frame is told of, with what was expected and what was found, and
never sinks the others."""
import json
import os
import resource
import shutil
import struct
import sys
import zlib

sys.dont_write_bytecode = True
from pano import Run, main, np, panorama, planes, toml, write  # noqa: E402
from pictures import (chunk, exr, gpano, jpeg, oriented, png, read_png,  # noqa: E402
                      read_tiff, tiff)

VIEW = dict(name="v", yaw=20, hfov=80, width=48, height=32)


def told_of(folder, frames, *params):
    """The warning for each frame, which must all be left out but for good*."""
    shutil.rmtree(os.path.join(folder, "shot"), ignore_errors=True)
    for name, data in frames.items():
        write(os.path.join(folder, "shot", name), bytes(data))
    run = Run(folder, toml([VIEW]), "preview=false", *params)
    told = {}
    for name in frames:
        mine = [w for w in run.sidecar()["warnings"] if "'%s' was left out" % name in w]
        assert len(mine) == (not name.startswith("good")), (name, run.sidecar()["warnings"])
        told[name] = "".join(mine)
        stem = os.path.splitext(name)[0]
        made = [f for f in os.listdir(run.path("v")) if os.path.splitext(f)[0] == stem]
        assert len(made) == name.startswith("good"), (name, made)
    return told


def t_a_jpeg_cut_mid_scan(folder):
    """Anywhere: also where no row that a view needs is missing, and in any kind of scan."""
    full = panorama(256, 255)
    frames = {"good.jpg": jpeg(full), "good.trailer.jpg": jpeg(full) + bytes(5000)}
    for name, options in (("base", ()), ("scans", ("-p",)), ("restart", ("-r", 1))):
        whole = jpeg(full, *options, exif=oriented(1) + jpeg(full[:32, :32])[:900])
        for part in (50, 90, 99):
            frames["%s%d.jpg" % (name, part)] = whole[:len(whole) * part // 100]
        frames[name + "end.jpg"] = whole[:-2]
    for name, words in told_of(folder, frames).items():
        assert name.startswith("good") or "was cut off: its " in words, (name, words)


def t_a_wrong_extension(folder):
    """What a file is, its bytes say; views have the suffix that is right."""
    full = panorama(64, 255)
    for name, data in (("p.jpg", png(full)), ("j.png", jpeg(full)), ("t.exr", tiff(full)),
                       ("e.tif", exr(planes(full / np.float32(255))))):
        write(os.path.join(folder, "shot", name), data)
    run = Run(folder, toml([VIEW]))
    assert sorted(os.listdir(run.path("v"))) == ["e.exr", "j.jpg", "p.png", "t.tif"]
    assert read_png(run.path("v/p.png")).shape == (32, 48, 3)
    told = told_of(folder, {"good.jpg": jpeg(full), "text.jpg": b"no picture at all",
                            "gif.png": b"GIF89a" + bytes(50)})
    for name in ("text.jpg", "gif.png"):
        assert "expected a JPEG, PNG, TIFF or OpenEXR picture" in told[name], told


def t_zero_bytes(folder):
    good = png(panorama(64, 255))
    told = told_of(folder, {"good.png": good, "none.png": b"", "zeros.jpg": bytes(4096),
                            "tail.png": good[:20] + bytes(len(good) - 20)})
    assert "found an empty file" in told["none.png"], told
    assert "found none's first bytes" in told["zeros.jpg"], told
    assert "at byte" in told["tail.png"], told


def t_heads_that_lie_about_65535_pixels(folder):
    """They are refused by what they say: with 150 MB, 12 GB were not asked for."""
    full = panorama(64, 255)
    lying = bytearray(png(full))
    lying[16:24] = struct.pack(">II", 65535, 65535)
    lying[29:33] = struct.pack(">I", zlib.crc32(bytes(lying[12:29])))
    scan, progressive = bytearray(jpeg(full)), bytearray(jpeg(full, "-p"))
    for data, marker in ((scan, b"\xff\xc0"), (progressive, b"\xff\xc2")):
        at = data.index(marker) + 5
        data[at:at + 4] = struct.pack(">HH", 65500, 65500)
    box = struct.pack("<4i", 0, 0, 65534, 65534)
    floats = planes(full / np.float32(255))
    frames = {"good.png": png(full), "png.png": lying, "scan.jpg": scan,
              "scans.jpg": progressive, "tiff.tif": tiff(full, t256=[65535], t257=[65535]),
              "lines.exr": exr(floats, data=box, display=box),
              "display.exr": exr(floats, display=box)}
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (150 << 20, before[1]))
    try:
        told = told_of(folder, frames, "width=16", "height=16")
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
    for name, words in (("png.png", "65535 x 65535"), ("scan.jpg", "65500 x 65500"),
                        ("scans.jpg", "65500 x 65500"), ("tiff.tif", "65535 x 65535"),
                        ("lines.exr", "bytes are too few"),
                        ("display.exr", "65535 x 65535")):
        assert words in told[name], (name, told[name])


def t_sixteen_bits_with_a_profile(folder):
    profile = bytes(range(256)) * 5
    data = png(panorama(256, 65535))
    data = data[:33] + chunk(b"iCCP", b"wide\0\0" + zlib.compress(profile)) + data[33:]
    write(os.path.join(folder, "shot/a.png"), data)
    run = Run(folder, toml([VIEW]))
    assert read_png(run.path("v/a.png")).dtype == np.uint16
    made = open(run.path("v/a.png"), "rb").read()
    at = made.index(b"iCCP")
    length, = struct.unpack(">I", made[at - 4:at])
    assert zlib.decompress(made[at + 4:at + 4 + length].split(b"\0\0", 1)[1]) == profile
    run = Run(folder, toml([VIEW]), 'format="tiff"')
    assert read_tiff(run.path("v/a.tif"))[1][34675][2] == profile


def t_sizes_mixed_in_one_directory(folder):
    """Each frame's views are as if it were alone."""
    sizes = (64, 512, 128, 1024, 64, 256)
    alone = {}
    for width in set(sizes):
        shutil.rmtree(os.path.join(folder, "shot"), ignore_errors=True)
        write(os.path.join(folder, "shot/a.png"), png(panorama(width, 255)))
        alone[width] = read_png(Run(folder, toml([VIEW])).path("v/a.png"))
    shutil.rmtree(os.path.join(folder, "shot"))
    for number, width in enumerate(sizes):
        write(os.path.join(folder, "shot/%d.png" % number), png(panorama(width, 255)))
    run = Run(folder, toml([VIEW]))
    assert run.sidecar()["warnings"] == []
    for number, width in enumerate(sizes):
        assert np.array_equal(read_png(run.path("v/%d.png" % number)), alone[width])
    # Where views are as large as panoramas let them be, one rig cannot tell of all.
    run = Run(folder, 'views="colmap12"')
    told, = run.sidecar()["warnings"]
    assert "frames have several sizes" in told and "64 pixels, not of '1.png' with 512" in told
    rig = json.load(open(run.path("rig_config.json")))[0]["cameras"]
    assert np.allclose(rig[0]["camera_params"], 8), rig
    frames = json.load(open(run.path("transforms.json")))["frames"]
    assert {f["w"] for f in frames} == {w // 4 for w in sizes}


def t_an_unreadable_frame_in_the_middle(folder):
    good = png(panorama(64, 255))
    late = bytearray(good)
    late[len(late) // 2] ^= 0xff
    frames = {"good%d.png" % i: good for i in range(9)}
    frames.update({"good4.5.png": good, "half.png": good[:len(good) // 2], "late.png": late})
    told = told_of(folder, frames)
    assert "ends within a chunk, at byte" in told["half.png"], told
    assert "checksum of the PNG's chunk at byte" in told["late.png"], told


def t_cmyk(folder):
    full = panorama(64, 255)
    told = told_of(folder, {"good.jpg": jpeg(full), "four.jpg": jpeg(
        np.dstack([full, full[..., :1]]))})
    assert "4 channels (CMYK); save it as RGB" in told["four.jpg"], told


def t_not_twice_as_wide_as_high(folder):
    told = told_of(folder, {
        "good.png": png(panorama(64, 255)),
        "square.png": png(np.zeros((64, 64, 3), np.uint8)),
        "flat.jpg": jpeg(np.zeros((16, 640, 3), np.uint8)),
        "one.png": png(np.zeros((1, 1, 3), np.uint8)),
        "odd.png": png(np.zeros((11, 21, 3), np.uint8))})
    assert "64 x 64 pixels are no panorama: expected twice" in told["square.png"], told
    assert "GPano's crop in the XMP" in told["flat.jpg"], told
    assert "expected an even number" in told["odd.png"], told


def t_gpano_that_lies(folder):
    """Sizes that cannot be are as if they were not told: then the frame has to be whole."""
    told = {"FullPanoWidthPixels": 128, "FullPanoHeightPixels": 64,
            "CroppedAreaLeftPixels": 32, "CroppedAreaTopPixels": 16,
            "CroppedAreaImageWidthPixels": 64, "CroppedAreaImageHeightPixels": 40}
    window = np.zeros((40, 64, 3), np.uint8)
    frames = {"good.png": png(window, xmp=gpano(told, False))}
    for number, (key, value) in enumerate((
            ("CroppedAreaLeftPixels", 100), ("CroppedAreaTopPixels", -1),
            ("FullPanoWidthPixels", "1e300"), ("FullPanoHeightPixels", "nan"),
            ("CroppedAreaImageWidthPixels", 0), ("CroppedAreaImageHeightPixels", "0.0001"),
            ("FullPanoWidthPixels", 1000000), ("FullPanoHeightPixels", "sixty"),
            ("CroppedAreaImageWidthPixels", 128 - 32), ("FullPanoHeightPixels", 63.9e9))):
        frames["lie%d.png" % number] = png(window, xmp=gpano(dict(told, **{key: value}),
                                                             number % 2))
    del told["CroppedAreaTopPixels"]
    frames["part.png"] = png(window, xmp=gpano(told, True))
    frames["cut.png"] = png(window, xmp=gpano(told, True)[:200])
    frames["good.whole.png"] = png(panorama(64, 255), xmp=gpano(
        {"PosePitchDegrees": "inf", "PoseRollDegrees": 1e9, "PoseHeadingDegrees": "x"}, 1))
    for name, words in told_of(folder, frames).items():
        assert name.startswith("good") or "64 x 40 pixels are no panorama" in words or \
            "GPano says that the frame is a window" in words, (name, words)


def t_every_jpeg_is_read_the_same_in_part_and_as_a_whole(folder):
    """Any subsampling, grey, progressive, restarts: views at the horizon need a band, and
    are the same bits when others want the poles; and close to those of the PNG."""
    full = panorama(512, 255)
    kinds = {"%s%s" % (s, "".join(more)): jpeg(full, "-s", s, "-q", 98, *more)
             for s in ("1x1", "2x1", "1x2", "2x2", "4x1", "1x4", "4x2")
             for more in ((), ("-p",))}
    kinds["grey"] = jpeg(full[..., 1:2], "-q", 98)
    kinds["restart"] = jpeg(full, "-q", 98, "-s", "1x1", "-r", 2)
    for name, data in kinds.items():
        write(os.path.join(folder, "shot", name + ".jpg"), data)
    write(os.path.join(folder, "shot/png.png"), png(full))
    low = dict(VIEW, hfov=40, pitch=-12)
    poles = [low] + [dict(name="p%d" % p, yaw=0, pitch=p, width=9, height=9)
                     for p in (90, -90)]
    band = Run(folder, toml([low]), 'format="png"')
    parts = {name: read_png(band.path("v/%s.png" % name)) for name in [*kinds, "png"]}
    whole = Run(folder, toml(poles), 'format="png"')
    for name in kinds:
        assert np.array_equal(parts[name], read_png(whole.path("v/%s.png" % name))), name
        wanted = parts["png"][..., 1:2] if name == "grey" else parts["png"]
        assert parts[name].shape == wanted.shape, name
        off = np.abs(parts[name].astype(int) - wanted)
        print("# %s: mean %.2f, worst %d" % (name, off.mean(), off.max()))
        assert off.mean() < (1 if name in ("grey", "restart", "1x1") else 10), name


def t_names_that_collide(folder):
    full = png(panorama(64, 255))
    for pair in (("a.png", "a.PNG"), ("a.png", "a.jpg"), ("day/a.tif", "day/a.exr")):
        shutil.rmtree(os.path.join(folder, "shot"), ignore_errors=True)
        for name in pair + ("b.png",):
            write(os.path.join(folder, "shot", name), full)
        run = Run(folder, expect=1)
        assert all("'%s'" % name in run.unit["reason"] for name in pair), run.unit


def t_exif_in_knots(folder):
    """Directories that name themselves or each other, counts beyond all bytes."""
    def entries(*them):
        return (struct.pack("<H", len(them))
                + b"".join(struct.pack("<HHII", *e) for e in them))
    head = b"II*\0\x08\0\0\0"
    knots = {
        "itself": head + entries((0x8769, 4, 1, 8), (0x8825, 4, 1, 8)) + struct.pack("<I", 8),
        "next": head + entries((0x112, 3, 1, 1)) + struct.pack("<I", 8),
        "count": head + entries((0x10f, 2, 0xffffffff, 8), (0x829a, 5, 0x20000001, 8)),
        "beyond": head + entries((0x8769, 4, 1, 0xfffffff0), (0x8825, 4, 1, 0x7fffffff)),
        "many": head + b"\xff\xff" + bytes(3000), "short": head[:7],
        "nowhere": b"MM\0*\xff\xff\xff\xff",
        "type": head + entries((0x112, 0, 1, 6), (0x112, 99, 1, 6)),
        "orientation": head + entries((0x112, 3, 1, 9)), "empty": b"\0"}
    full = panorama(64, 255)
    for name, block in knots.items():
        write(os.path.join(folder, "shot/p%s.png" % name), png(full, exif=block))
        write(os.path.join(folder, "shot/j%s.jpg" % name), jpeg(full, exif=block))
    run = Run(folder, toml([VIEW]))
    assert run.sidecar()["warnings"] == [], run.sidecar()["warnings"]
    wanted = read_png(run.path("v/pcount.png"))
    for name in knots:
        assert np.array_equal(read_png(run.path("v/p%s.png" % name)), wanted), name
        assert os.path.exists(run.path("v/j%s.jpg" % name)), name


def t_names_of_any_bytes(folder):
    """They come out as they went in; only one that grows beyond what is possible does not."""
    full = png(panorama(64, 255))
    names = [b"new\nline.png", b"quote'\".png", b"back\\slash.png", b"-p.png", b"%s%n.png",
             b"tab\t.png", b"esc\x1b[31m.png", b"no utf \xff\xfe.png", b"\xe2\x80\xae.png",
             "ü 日本.png".encode(), b" .png", b"a.b.c.png", b"x" * 251 + b".png"]
    for name in names:
        path = os.path.join(folder.encode(), b"shot", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(full)
    run = Run(folder, toml([VIEW]))
    made = set(os.listdir(run.path("v").encode()))
    assert made == set(names), made ^ set(names)
    told = json.load(open(run.path("transforms.json")))["frames"]
    assert len(told) == len(names) - 1, "all but the one that is no UTF-8"
    assert "\x1b" not in run.stderr
    for params, added in (((toml([VIEW]), 'layout="flat"'), 6),
                          ((toml([VIEW]), "nadir=10"), 8)):
        run = Run(folder, *params)
        warnings = str(run.sidecar()["warnings"])
        assert "its name has 251 bytes, to which views and masks add %d" % added in warnings
        assert run.sidecar()["facts"] == {"frames": len(names) - 1, "refused_frames": 1}


def t_a_unit_without_a_good_frame_fails(folder):
    write(os.path.join(folder, "shot/a.png"), b"nothing")
    run = Run(folder, expect=1)
    assert "no frame could be split" in run.unit["reason"], run.unit
    shutil.rmtree(os.path.join(folder, "shot"))
    write(os.path.join(folder, "shot/notes.txt"), b"nothing")
    run = Run(folder, expect=1)
    assert "found none" in run.unit["reason"], run.unit
    write(os.path.join(folder, "shot/masks/a.png"), png(panorama(64, 255)))
    run = Run(folder, expect=1)
    assert "what is in masks/, are masks" in run.unit["reason"], run.unit


main(globals())
