#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""pano-views: TIFF and OpenEXR, in and out."""
import os
import shutil
import struct
import sys

sys.dont_write_bytecode = True
import pano  # noqa: E402
from pano import Run, np, planes, sphere, toml, told_of, write  # noqa: E402
from pictures import (exr, gpano, ifd, made, png, read_exr, read_png,  # noqa: E402
                      read_tiff, tiff)


def t_bad_tiffs_are_left_out_and_named(folder):
    full = pano.panorama(64, 255)
    good = tiff(full, packing=8, predictor=2)
    small = np.zeros((16, 16, 3), np.uint8)
    told = told_of(folder, {
        "ok.tif": good, "head.tif": good[:4], "directory.tif": good[:-60],
        "strip.tif": tiff(full, packing=8, t279=[1] * 5),
        "beyond.tif": tiff(full, t273=[1 << 30] * 5),
        "few.tif": tiff(full, t273=[8], t279=[100]),
        "spoilt.tif": good[:30] + bytes(40) + good[70:],
        "huge.tif": tiff(full, t256=[65535], t257=[65535]),
        "tile.tif": tiff(full, tile=(16, 16), t322=[1 << 15], t323=[1 << 15]),
        "samples.tif": tiff(full, t277=[60000]), "zero.tif": tiff(full, t256=[0]),
        "cmyk.tif": tiff(np.zeros((32, 64, 4), np.uint8), t262=[5]),
        "fax.tif": tiff(full, t259=[4]), "nojpeg.tif": tiff(full, t259=[7]),
        "old.tif": tiff(full, t259=[6]), "jpeg.tif": made("tiff", full)[:-700],
        "ycbcr.tif": tiff(full, t262=[6]),
        "signed.tif": tiff(full, t339=[2, 2, 2]), "double.tif": tiff(full, t258=[64] * 3),
        "turned.tif": tiff(full, t274=[6]), "square.tif": tiff(small)})
    for name, words in (("huge.tif", "65535 x 65535"), ("cmyk.tif", "CMYK"),
                        ("fax.tif", "scheme 4"), ("nojpeg.tif", "pixels are broken"),
                        ("old.tif", "scheme 6"), ("ycbcr.tif", "YCbCr, and not"),
                        ("signed.tif", "format 2"), ("double.tif", "64 bits"),
                        ("turned.tif", "32 x 64 pixels are no panorama"), ("tile.tif", "tile of the TIFF"),
                        ("square.tif", "no panorama")):
        assert words in told[name], told[name]


def t_bad_exrs_are_left_out_and_named(folder):
    full = planes(sphere(64))
    good = exr(full, 3)
    box = struct.pack("<4i", 0, 0, 65534, 65534)
    plain = exr(planes(np.ones((32, 64, 3), np.float32)), 3)
    assert len(plain) < 1000, "the head and its chunks fit in one read"
    uints = {name: plane.astype(np.uint32) for name, plane in full.items()}
    told = told_of(folder, {
        "ok.exr": good, "head.exr": good[:100], "table.exr": good[:360],
        "cut.exr": good[:-200], "magic.exr": good[:4],
        "spoilt.exr": plain[:-30] + bytes(20) + plain[-10:], "ok.tiny.exr": plain,
        "huge.exr": exr(full, 3, data=box, display=box),
        "nowhere.exr": exr(full, display=struct.pack("<4i", 1, 0, 0, 31)),
        "b44.exr": made("exr", sphere(64), "-c", 6),
        "dwaa.exr": exr(full, 3, compression=b"\x08"),
        "inside.exr": exr(full, data=struct.pack("<4i", 9, 9, 0, 0)),
        "deep.exr": exr(full, version=0x802, type="deepscanline"), "ids.exr": exr(uints),
        "depth.exr": exr({"Z": full["R"]}), "two.exr": exr({"R": full["R"],
                                                            "G": full["G"]}),
        "layer.exr": exr({"left." + n: p for n, p in full.items()}),
        "tile.exr": exr(full, tile=(1 << 15, 1 << 15))})
    for name, words in (("depth.exr", "'Z'"), ("b44.exr", "floats packed by B44"),
                        ("ids.exr", "half or float"),
                        ("deep.exr", "flatten it"), ("layer.exr", "'left.B'"),
                        ("tile.exr", "32768 x 32768")):
        assert words in told[name], told[name]


def t_what_a_format_does_not_hold_is_refused(folder):
    for name, data, choice, words in (
            ("a.exr", exr(planes(sphere(64))), "png", "floats, which PNG"),
            ("a.exr", exr(planes(sphere(64))), "jpeg", "floats, which JPEG"),
            ("a.tif", tiff(pano.panorama(64, 65535)), "jpeg", "16 bits, which JPEG"),
            ("a.png", png(pano.panorama(64, 255)), "exr", "8 bits, which OpenEXR")):
        shutil.rmtree(os.path.join(folder, "shot"), ignore_errors=True)
        write(os.path.join(folder, "shot", name), data)
        run = Run(folder, 'format="%s"' % choice, expect=1)
        assert words in run.unit["reason"], run.unit


def t_every_layout_of_a_tiff_is_the_same_picture(folder):
    """Bit by bit what comes of the same picture as PNG, which t_pano_views.py judges."""
    for scale in (255, 65535):
        full = pano.panorama(128, scale)
        frames = {"plain": tiff(full), "big-endian": tiff(full, ">", strip=64),
                  "lzw": tiff(full, packing=5, predictor=2),
                  "deflate": tiff(full, ">", packing=8, predictor=2),
                  "packbits": tiff(full, packing=32773, strip=1),
                  "planes": tiff(full, planar=True, packing=8),
                  "tiles": tiff(full, tile=(48, 32), packing=5),
                  "planes of tiles": tiff(full, ">", tile=(16, 16), planar=True),
                  "extra": tiff(np.dstack([full, full[..., :1]]), t338=[0]),
                  "named wrongly": tiff(full)}
        shutil.rmtree(os.path.join(folder, "shot"), ignore_errors=True)
        for name, data in frames.items():
            suffix = ".jpg" if name == "named wrongly" else ".tif"
            write(os.path.join(folder, "shot", name + suffix), data)
        write(os.path.join(folder, "shot/reference.png"), png(full))
        run = Run(folder, "width=48", "height=28", 'format="png"')
        for camera in ("cam_00/", "cam_03/"):
            wanted = read_png(run.path(camera + "reference.png"))
            for name in frames:
                got = read_png(run.path(camera + name + ".png"))
                assert np.array_equal(got, wanted), (scale, name)
        run = Run(folder, "width=48", "height=28")
        got, told = read_tiff(run.path("cam_03/planes.tif"))
        assert np.array_equal(got, wanted) and got.dtype.itemsize == (scale > 255) + 1


def t_grey_palettes_and_alpha_of_a_tiff(folder):
    full = pano.panorama(128, 255)
    grey = full[..., :1].copy()
    table = np.stack([np.arange(256) * 257, (255 - np.arange(256)) * 257,
                      np.full(256, 0x1234)])
    index = np.dstack([grey, 255 - grey, np.full_like(grey, 0x12)])
    rgba = np.dstack([full, np.full_like(grey, 128)])
    rgba[:, :64, 3] = 255
    for name, data in (
            ("grey.png", png(grey)), ("grey1.tif", tiff(grey)),
            ("grey2.tif", tiff(255 - grey, t262=[0])), ("index.png", png(index)),
            ("index1.tif", tiff(grey, t262=[3], t320=table.ravel())),
            ("rgba.png", png(rgba)), ("rgba1.tif", tiff(rgba))):
        write(os.path.join(folder, "shot", name), data)
    run = Run(folder, "width=48", "height=28", 'format="png"')
    for name, wanted in (("grey1", "grey"), ("grey2", "grey"), ("index1", "index"),
                         ("rgba1", "rgba")):
        assert np.array_equal(read_png(run.path("cam_06/%s.png" % name)),
                              read_png(run.path("cam_06/%s.png" % wanted))), name
    run = Run(folder, "width=48", "height=28")
    got, told = read_tiff(run.path("cam_06/rgba1.tif"))
    assert np.array_equal(got, read_png(run.path("cam_06/rgba.png")))
    assert told[338][2] == b"\2\0" and told[262][2] == b"\2\0"
    assert read_tiff(run.path("cam_06/grey1.tif"))[1][262][2] == b"\1\0"


def t_associated_alpha_stays_as_it_is(folder):
    """Light where alpha is 0 must survive where the format allows it."""
    flame = np.zeros((64, 128, 4), np.float32)
    flame[...] = (4, 2, 1, 0)
    write(os.path.join(folder, "shot/e.exr"), exr(planes(flame)))
    write(os.path.join(folder, "shot/t.tif"), tiff(flame, t338=[1]))
    run = Run(folder, "width=16", "height=16")
    made, told = read_exr(run.path("cam_02/e.exr"))
    for name, value in zip("RGBA", (4, 2, 1, 0)):
        assert np.all(made[name] == value), name
    got, told = read_tiff(run.path("cam_02/t.tif"))
    assert told[338][2] == b"\1\0" and np.all(got == (4, 2, 1, 0))
    # What was not associated becomes so in an OpenEXR.
    clear = np.full((64, 128, 4), 0.5, np.float32)
    shutil.rmtree(os.path.join(folder, "shot"))
    write(os.path.join(folder, "shot/t.tif"), tiff(clear))
    made, told = read_exr(Run(folder, "width=16", "height=16", 'format="exr"').path(
        "cam_02/t.exr"))
    assert np.allclose(made["R"], 0.25) and np.allclose(made["A"], 0.5)
    byte = np.full((64, 128, 4), 100, np.uint8)
    write(os.path.join(folder, "shot/t.tif"), tiff(byte, t338=[1]))
    got = read_png(Run(folder, "width=16", "height=16", 'format="png"').path(
        "cam_02/t.png"))
    assert np.all(got == (255, 255, 255, 100)), got[0, 0]


def t_float_views_show_the_right_directions(folder):
    full = sphere(3840, 0.5)
    for name, data in (("f.tif", tiff(full, packing=8, predictor=3, strip=200)),
                       ("e.exr", exr(planes(full), 2)),
                       ("h.exr", exr(planes(full, np.float16), tile=(512, 300)))):
        write(os.path.join(folder, "shot", name), data)
    views = pano.VIEWS[1:7]
    run = Run(folder, toml(views))
    for view in views:
        wanted = pano.expected(view, 1000.0, 0.5)
        tif, _ = read_tiff(run.path(view["name"] + "/f.tif"))
        worst = {"tif": np.abs(tif / wanted - 1).max()}
        for name in ("e", "h"):
            made, _ = read_exr(run.path("%s/%s.exr" % (view["name"], name)))
            assert made["R"].dtype == ("<f4" if name == "e" else "<f2")
            got = np.stack([made[c] for c in "RGB"], -1).astype(np.float64)
            worst[name] = np.abs(got / wanted - 1).max()
        print("# %s: %s" % (view["name"], worst))
        # Half has 11 bits: one rounding in the file, one in the view.
        assert worst["tif"] < 1e-3 and worst["e"] < 1e-3 and worst["h"] < 1.3e-3, worst


def t_every_layout_of_an_exr_is_the_same_picture(folder):
    full = sphere(128)
    halves = planes(full, np.float16)
    flat = planes(full.astype(np.float16).astype(np.float32))
    grey = {"Y": flat["R"]}
    frames = {"none": exr(flat), "zips": exr(flat, 2), "zip": exr(flat, 3),
              "tiles": exr(flat, 3, tile=(40, 24)), "half": exr(halves, 3),
              "moved": exr(flat, 3, origin=(-7, 1000)), "parts": exr(flat, 2, parts=2),
              "more": exr(dict(flat, Z=flat["R"], **{"x.A": halves["G"]}), 3),
              "mixed": exr(dict(flat, G=halves["G"]))}
    for name, data in frames.items():
        write(os.path.join(folder, "shot", name + ".exr"), data)
    write(os.path.join(folder, "shot/grey.exr"), exr(grey, 3))
    write(os.path.join(folder, "shot/tiff.tif"), tiff(np.stack(
        [flat[c] for c in "RGB"], -1)))
    run = Run(folder, "width=48", "height=28", 'format="tiff"')
    wanted, _ = read_tiff(run.path("cam_05/tiff.tif"))
    for name in frames:
        got, _ = read_tiff(run.path("cam_05/%s.tif" % name))
        assert got.dtype == (">f2" if name == "half" else ">f4"), name
        assert np.array_equal(got, wanted.astype(got.dtype)), name
    run = Run(folder, "width=48", "height=28")
    for name in frames:
        made, _ = read_exr(run.path("cam_05/%s.exr" % name))
        assert sorted(made) == ["B", "G", "R"]
        for i, channel in enumerate("RGB"):
            exact = wanted[..., i].astype(made[channel].dtype)
            assert np.array_equal(made[channel], exact), (name, channel)
    made, _ = read_exr(run.path("cam_05/grey.exr"))
    assert sorted(made) == ["Y"] and np.array_equal(made["Y"], wanted[..., 0])


def t_half_floats_of_a_tiff_stay_half(folder):
    full = sphere(128).astype(np.float16)
    frames = {"plain": tiff(full), "deflate": tiff(full, ">", packing=8, predictor=3),
              "planes": tiff(full, planar=True, packing=5),
              "tiles": tiff(full, ">", tile=(48, 32), packing=8, predictor=3),
              "float": tiff(full.astype(np.float32))}
    for name, data in frames.items():
        write(os.path.join(folder, "shot", name + ".tif"), data)
    write(os.path.join(folder, "shot/grey.tif"), tiff(full[..., :1].copy()))
    run = Run(folder, "width=48", "height=28")
    wanted, _ = read_tiff(run.path("cam_02/float.tif"))
    for name in frames:
        got, _ = read_tiff(run.path("cam_02/%s.tif" % name))
        assert got.dtype == (">f4" if name == "float" else ">f2"), name
        assert np.array_equal(got, wanted.astype(got.dtype)), name
    assert np.array_equal(read_tiff(run.path("cam_02/grey.tif"))[0][..., 0],
                          wanted[..., 0].astype(np.float16))
    run = Run(folder, "width=48", "height=28", 'format="exr"')
    got, _ = read_exr(run.path("cam_02/tiles.exr"))
    assert got["G"].dtype == "<f2" and np.array_equal(
        got["G"], wanted[..., 1].astype(np.float16))


def t_jpeg_in_a_tiff_is_read(folder):
    """Against the same panorama as PNG: what is lossy is close to it."""
    full = pano.panorama(512, 255)
    frames = {"rgb": made("tiff", full), "tiles": made("tiff", full, "-t"),
              "ycbcr": made("tiff", full, "-s", "2x2"),
              "halves": made("tiff", full, "-s", "2x1", "-t"), "reference": png(full),
              "grey": made("tiff", full[..., 1:2])}
    for name, data in frames.items():
        suffix = ".png" if name == "reference" else ".tif"
        write(os.path.join(folder, "shot", name + suffix), data)
    run = Run(folder, "width=64", "height=36", 'format="png"')
    wanted = read_png(run.path("cam_05/reference.png")).astype(int)
    for name in frames:
        got = read_png(run.path("cam_05/%s.png" % name))
        assert got.shape[2] == (1 if name == "grey" else 3), name
        off = np.abs(got - (wanted[..., 1:2] if name == "grey" else wanted))
        print("# %s: mean %.2f, worst %d" % (name, off.mean(), off.max()))
        assert off.mean() < 2 and off.max() < 30, name


def t_every_packing_of_an_exr_is_read(folder):
    """Those without loss bit by bit, PXR24's floats to 16 bits, B44's halves to 6."""
    full = sphere(128) / 1000 + 0.5
    for packing in range(6):
        write(os.path.join(folder, "shot/f%d.exr" % packing),
              made("exr", full, "-c", packing))
    for packing in range(8):
        write(os.path.join(folder, "shot/h%d.exr" % packing),
              made("exr", full, "-c", packing, "-h"))
    run = Run(folder, "width=48", "height=28")
    for kind, packing in [("f", i) for i in range(6)] + [("h", i) for i in range(8)]:
        wanted, _ = read_exr(run.path("cam_05/%s0.exr" % kind))
        got, _ = read_exr(run.path("cam_05/%s%d.exr" % (kind, packing)))
        for name in "RGB":
            off = np.abs(got[name] / wanted[name].astype(np.float64) - 1).max()
            most = {("f", 5): 2 ** -15, ("h", 6): 0.02, ("h", 7): 0.02}
            assert off <= most.get((kind, packing), 0), (kind, packing, name, off)


def t_windows_of_an_exr(folder):
    """Of the display window what the data window leaves out is black; what lies beyond the
    display is not seen.  In lines and in tiles."""
    full, alpha = sphere(128), np.ones((64, 128), np.float32)
    seen = np.zeros((64, 128, 4), np.float32)
    seen[17:50, 30:101, :3] = full[17:50, 30:101]
    seen[17:50, 30:101, 3] = 1
    display = struct.pack("<4i", 0, 0, 127, 63)
    inner = planes(full[17:50, 30:101])
    outer = planes(np.pad(full, ((21, 3), (40, 9), (0, 0)), constant_values=9))
    frames = {}
    for name, more in (("lines", dict(packing=3)), ("tiles", dict(tile=(40, 24)))):
        frames["in." + name] = exr(dict(inner, A=alpha[17:50, 30:101].copy()),
                                   origin=(30, 17), display=display, **more)
        frames["opaque." + name] = exr(inner, origin=(30, 17), display=display, **more)
        frames["out." + name] = exr(outer, origin=(-40, -21), display=display, **more)
        frames["beyond." + name] = exr(inner, origin=(500, -900), display=display, **more)
    frames["seen"], frames["full"] = exr(planes(seen)), exr(planes(full))
    for name, data in frames.items():
        write(os.path.join(folder, "shot", name + ".exr"), data)
    run = Run(folder, "width=48", "height=28", 'masks="off"')
    for camera in ("cam_00", "cam_03", "cam_04"):
        got = {name: read_exr(run.path("%s/%s.exr" % (camera, name)))[0]
               for name in frames}
        for name, one in got.items():
            like = got["full" if name.startswith(("out", "full")) else "seen"]
            for channel in one:
                wanted = 0 * like["R"] if name.startswith("beyond") else like[channel]
                assert np.array_equal(one[channel], wanted), (camera, name, channel)


def t_what_stands_beside_the_pixels(folder):
    """A window by GPano, in TIFF's tag and OpenEXR's attribute; EXIF; a profile."""
    told = {"FullPanoWidthPixels": 128, "FullPanoHeightPixels": 64,
            "CroppedAreaLeftPixels": 32, "CroppedAreaTopPixels": 16,
            "CroppedAreaImageWidthPixels": 64, "CroppedAreaImageHeightPixels": 32}
    window = sphere(128)[16:48, 32:96]
    xmp = gpano(told, True)
    profile = bytes(range(200))
    write(os.path.join(folder, "shot/t.tif"),
          tiff(window, t700=xmp, t34675=profile, t271=b"RICOH\0"))
    write(os.path.join(folder, "shot/e.exr"), exr(planes(window), 3, xmp=xmp))
    run = Run(folder, "width=32", "height=32", "hfov=60")
    tif, tags = read_tiff(run.path("cam_00/t.tif"))
    made, attributes = read_exr(run.path("cam_00/e.exr"))
    assert tif.shape[2] == 4 and np.all(tif[..., 3] == 1), "within the window"
    for i, name in enumerate("RGBA"):
        assert np.array_equal(made[name], tif[..., i]), name
    assert np.all(read_exr(run.path("cam_04/e.exr"))[0]["A"] == 0), "far outside"
    assert b'view:Yaw="0"' in tags[700][2] and b'view:Yaw="0"' in attributes["xmp"]
    assert tags[34675][2] == profile and tags[271][2] == b"RICOH\0"
    with open(run.path("cam_00/t.tif"), "rb") as f:
        second = ifd(f.read(), struct.unpack("<I", tags[0x8769][2])[0])
    assert struct.unpack("<I", second[0xa002][2])[0] == 32


pano.main(globals())
