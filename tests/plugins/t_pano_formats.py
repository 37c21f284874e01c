#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""pano-views: TIFF and OpenEXR, in and out.

Invalid input first.  Files are written and read here by hand, after TIFF 6.0 and the
OpenEXR file layout, so that the libraries under test judge nothing of themselves.
"""
import os
import shutil
import struct
import sys
import zlib

sys.dont_write_bytecode = True
import t_pano_views as pano  # noqa: E402
from t_pano_views import Run, np, png, read_png, toml, write  # noqa: E402


# --- TIFF ---------------------------------------------------------------------

def lzw(data):
    """Nothing but clear codes and literals: nine bits each, most significant first."""
    codes = []
    for i in range(0, len(data), 250):
        codes += [256] + list(data[i:i + 250])
    bits = "".join(format(code, "09b") for code in codes + [257])
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def packbits(data):
    runs = [data[i:i + 128] for i in range(0, len(data), 128)]
    return b"".join(bytes([len(run) - 1]) + run for run in runs)


PACKERS = {1: bytes, 5: lzw, 8: zlib.compress, 32773: packbits}


def predicted(block, kind):
    """Rows [height][width][samples] as predictor 2 or 3 has them."""
    if kind == 1:
        return block
    if kind == 2:
        made = block.copy()
        made[:, 1:] -= block[:, :-1]
        return made
    height, width, samples = block.shape
    planes = block.astype(">f4").view(np.uint8).reshape(height, width * samples, 4)
    flat = planes.transpose(0, 2, 1).reshape(height, -1)
    made = flat.copy()
    made[:, samples:] -= flat[:, :-samples]
    return made


def tiff(pixels, order="<", packing=1, predictor=1, strip=7, tile=None, planar=False,
         **tags):
    """A TIFF of [height][width][samples]; tags as t258=[8, 8, 8] go before ours."""
    height, width, samples = pixels.shape
    kind = pixels.dtype.newbyteorder(order)
    parts = [pixels[..., c:c + 1] for c in range(samples)] if planar else [pixels]
    blocks = []
    for part in parts:
        if tile:
            for y in range(0, height, tile[1]):
                for x in range(0, width, tile[0]):
                    block = np.zeros((tile[1], tile[0], part.shape[2]), pixels.dtype)
                    cut = part[y:y + tile[1], x:x + tile[0]]
                    block[:cut.shape[0], :cut.shape[1]] = cut
                    blocks.append(block)
        else:
            blocks += [part[y:y + strip] for y in range(0, height, strip)]
    packed = []
    for block in blocks:
        rows = predicted(block, predictor)
        packed.append(PACKERS[packing]((rows.astype(kind) if predictor < 3 else rows)
                                       .tobytes()))
    data = b"".join(packed)
    places = np.cumsum([8] + [len(p) for p in packed[:-1]])
    entries = {256: [width], 257: [height], 258: [8 * pixels.dtype.itemsize] * samples,
               259: [packing], 262: [1 if samples < 3 else 2], 277: [samples],
               284: [2 if planar else 1], 317: [predictor],
               339: [3 if pixels.dtype.kind == "f" else 1] * samples}
    if samples in (2, 4):
        entries[338] = [2]
    if tile:
        entries.update({322: [tile[0]], 323: [tile[1]], 324: places,
                        325: [len(p) for p in packed]})
    else:
        entries.update({273: places, 278: [strip], 279: [len(p) for p in packed]})
    entries.update({int(name[1:]): value for name, value in tags.items()})
    at = 8 + len(data)
    directory, beside = struct.pack(order + "H", len(entries)), b""
    past = at + 2 + 12 * len(entries) + 4
    for tag in sorted(entries):
        values = entries[tag]
        if isinstance(values, bytes):
            code, raw = 1, values
        else:
            code = 4 if tag in (273, 279, 324, 325, 256, 257) else 3
            raw = b"".join(struct.pack(order + "HI"[code == 4], int(v)) for v in values)
        if len(raw) > 4:
            place = struct.pack(order + "I", past + len(beside))
            beside += raw
        else:
            place = raw.ljust(4, b"\0")
        directory += struct.pack(order + "HHI", tag, code, len(values)) + place
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "I", at)
    return head + data + directory + bytes(4) + beside


def read_tiff(path):
    """What we write: little-endian, deflate, strips.  Pixels and the directory."""
    with open(path, "rb") as f:
        data = f.read()
    assert data[:4] == b"II*\0", path
    found = pano.ifd(data, struct.unpack_from("<I", data, 4)[0])

    def values(tag):
        kind, count, raw = found[tag]
        return struct.unpack("<%d%s" % (count, {3: "H", 4: "I"}[kind]), raw)
    (width,), (height,), (samples,) = values(256), values(257), values(277)
    size, form = values(258)[0] // 8, values(339)[0]
    assert values(259) == (8,) and values(317) == ((3,) if form == 3 else (2,))
    raw = b"".join(zlib.decompress(data[o:o + n]) for o, n in
                   zip(values(273), values(279)))
    if form == 3:
        rows = np.frombuffer(raw, np.uint8).reshape(height, -1, samples)
        rows = np.cumsum(rows, 1, dtype=np.uint8).reshape(height, 4, -1)
        pixels = np.ascontiguousarray(rows.transpose(0, 2, 1)).view(">f4")
    else:
        kind = np.dtype("<u%d" % size)
        pixels = np.frombuffer(raw, kind).reshape(height, width, samples)
        pixels = np.cumsum(pixels, 1, dtype=kind)
    return pixels.reshape(height, width, samples), found


# --- OpenEXR ------------------------------------------------------------------

def scrambled(raw):
    """Even bytes, then odd ones, each less the one before plus 128."""
    flat = np.frombuffer(raw, np.uint8)
    flat = np.concatenate([flat[::2], flat[1::2]])
    made = flat.copy()
    made[1:] = flat[1:] - flat[:-1] + np.uint8(128)
    return made.tobytes()


def unscrambled(raw):
    flat = np.frombuffer(raw, np.uint8).copy()
    flat[1:] += np.uint8(128)
    flat = np.cumsum(flat, dtype=np.uint8)
    made = np.empty_like(flat)
    half = (len(flat) + 1) // 2
    made[::2], made[1::2] = flat[:half], flat[half:]
    return made.tobytes()


def attribute(name, kind, value):
    return (name.encode() + b"\0" + kind.encode() + b"\0"
            + struct.pack("<I", len(value)) + value)


ROWS = {0: 1, 2: 1, 3: 16}  # of a chunk: none, ZIPS, ZIP


def exr(channels, packing=0, tile=None, origin=(0, 0), parts=1, version=2, **more):
    """An OpenEXR of {name: [height][width]}, half or float as the arrays are."""
    names = sorted(channels)
    height, width = channels[names[0]].shape
    codes = {"float16": 1, "float32": 2, "uint32": 0}
    box = struct.pack("<4i", origin[0], origin[1], origin[0] + width - 1,
                      origin[1] + height - 1)
    head = attribute("channels", "chlist", b"".join(
        n.encode() + b"\0" + struct.pack("<i4x2i", codes[channels[n].dtype.name], 1, 1)
        for n in names) + b"\0")
    head += attribute("compression", "compression", bytes([packing]))
    head += attribute("dataWindow", "box2i", more.get("data", box))
    head += attribute("displayWindow", "box2i", more.get("display", box))
    head += attribute("lineOrder", "lineOrder", b"\0")
    head += attribute("pixelAspectRatio", "float", struct.pack("<f", 1))
    head += attribute("screenWindowCenter", "v2f", bytes(8))
    head += attribute("screenWindowWidth", "float", struct.pack("<f", 1))
    if tile:
        head += attribute("tiles", "tiledesc", struct.pack("<IIB", tile[0], tile[1], 0))
        version |= 0x200
    if "type" in more:
        head += attribute("type", "string", more["type"].encode())
        head += attribute("name", "string", b"deep")
        head += attribute("version", "int", struct.pack("<i", 1))
        head += attribute("chunkCount", "int", struct.pack("<i", height))
        head += attribute("maxSamplesPerPixel", "int", struct.pack("<i", 1))
    if "xmp" in more:
        head += attribute("xmp", "string", more["xmp"])
    step = tile or (width, ROWS[packing])
    chunks = []
    for y in range(0, height, step[1]):
        for x in range(0, width, step[0]):
            raw = b"".join(channels[n][row, x:x + step[0]].tobytes()
                           for row in range(y, min(y + step[1], height)) for n in names)
            packed = zlib.compress(scrambled(raw)) if packing else raw
            packed = min(packed, raw, key=len)
            place = (struct.pack("<4i", x // step[0], y // step[1], 0, 0) if tile
                     else struct.pack("<i", origin[1] + y))
            chunks.append(place + struct.pack("<I", len(packed)) + packed)
    heads = head + b"\0"
    if parts > 1:
        version |= 0x1000
        heads = b"".join(
            head + attribute("name", "string", b"part%d" % i)
            + attribute("type", "string", b"scanlineimage")
            + attribute("chunkCount", "int", struct.pack("<i", len(chunks))) + b"\0"
            for i in range(parts)) + b"\0"
        chunks = [struct.pack("<i", i) + chunk for i in range(parts) for chunk in chunks]
    data = b"\x76\x2f\x31\x01" + struct.pack("<I", version) + heads
    places = np.cumsum([len(data) + 8 * len(chunks)] + [len(c) for c in chunks[:-1]])
    return data + places.astype("<u8").tobytes() + b"".join(chunks)


def read_exr(path):
    """What we write: lines, packed by ZIP.  Channels and attributes."""
    with open(path, "rb") as f:
        data = f.read()
    assert data[:8] == b"\x76\x2f\x31\x01\2\0\0\0", data[:8]
    at, told = 8, {}
    while data[at]:
        name, kind, _ = data[at:].split(b"\0", 2)
        at += len(name) + len(kind) + 2
        length, = struct.unpack_from("<I", data, at)
        told[name.decode()] = data[at + 4:at + 4 + length]
        at += 4 + length
    at += 1
    assert told["compression"] == b"\3"
    left, top, right, bottom = struct.unpack("<4i", told["dataWindow"])
    width, height = right - left + 1, bottom - top + 1
    kinds, rest = [], told["channels"]
    while rest[0]:
        name, rest = rest.split(b"\0", 1)
        kinds.append((name.decode(), {1: "<f2", 2: "<f4"}[rest[0]], width))
        rest = rest[16:]
    line = np.dtype(kinds if width > 1 else [k[:2] for k in kinds])
    made = np.zeros(height, line)
    for number in range((height + 15) // 16):
        place, = struct.unpack_from("<Q", data, at + 8 * number)
        y, length = struct.unpack_from("<iI", data, place)
        packed = data[place + 8:place + 8 + length]
        rows = min(16, height - y)
        raw = packed if length == rows * line.itemsize else unscrambled(
            zlib.decompress(packed))
        made[y:y + rows] = np.frombuffer(raw, line)
    return {name: made[name] for name in line.names}, told


# --- tests --------------------------------------------------------------------

def sphere(width, finer=1):
    """Like panorama(), in floats far above 1."""
    lon, lat = np.meshgrid(((np.arange(width) + 0.5) / width - 0.5) * 2 * np.pi,
                           (0.5 - (np.arange(width // 2) + 0.5) / (width // 2)) * np.pi)
    d = np.stack([np.cos(lat) * np.sin(lon), -np.sin(lat), np.cos(lat) * np.cos(lon)], -1)
    return pano.colour(d, 1000.0, finer).astype(np.float32)


def planes(pixels, kind=np.float32):
    return {name: np.ascontiguousarray(pixels[..., i]).astype(kind)
            for i, name in enumerate("RGBA"[:pixels.shape[2]])}


def told_of(folder, frames, *params):
    """The warning for each frame, all of which but ok.* must be left out."""
    shutil.rmtree(os.path.join(folder, "shot"), ignore_errors=True)
    for name, data in frames.items():
        write(os.path.join(folder, "shot", name), data)
    side = Run(folder, "width=16", "height=16", *params).sidecar()
    told = {}
    for name in frames:
        mine = [w for w in side["warnings"] if "'%s' was left out" % name in w]
        assert bool(mine) == (not name.startswith("ok.")), (name, side["warnings"])
        told[name] = "".join(mine)
    return told


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
        "fax.tif": tiff(full, t259=[4]), "jpeg.tif": tiff(full, t259=[7]),
        "signed.tif": tiff(full, t339=[2, 2, 2]), "double.tif": tiff(full, t258=[64] * 3),
        "turned.tif": tiff(full, t274=[6]), "square.tif": tiff(small)})
    for name, words in (("huge.tif", "65535 x 65535"), ("cmyk.tif", "CMYK"),
                        ("fax.tif", "scheme 4"), ("jpeg.tif", "scheme 7"),
                        ("signed.tif", "format 2"), ("double.tif", "64 bits"),
                        ("turned.tif", "orientation 6"), ("tile.tif", "tile of the TIFF"),
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
        "window.exr": exr(full, data=struct.pack("<4i", 1, 0, 64, 31)),
        "inside.exr": exr(full, data=struct.pack("<4i", 9, 9, 0, 0)),
        "deep.exr": exr(full, version=0x802, type="deepscanline"), "ids.exr": exr(uints),
        "depth.exr": exr({"Z": full["R"]}), "two.exr": exr({"R": full["R"],
                                                            "G": full["G"]}),
        "layer.exr": exr({"left." + n: p for n, p in full.items()}),
        "tile.exr": exr(full, tile=(1 << 15, 1 << 15))})
    for name, words in (("window.exr", "display"), ("depth.exr", "'Z'"),
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
        assert np.array_equal(got, wanted), name
    run = Run(folder, "width=48", "height=28")
    for name in frames:
        made, _ = read_exr(run.path("cam_05/%s.exr" % name))
        assert sorted(made) == ["B", "G", "R"]
        for i, channel in enumerate("RGB"):
            exact = wanted[..., i].astype(made[channel].dtype)
            assert np.array_equal(made[channel], exact), (name, channel)
    made, _ = read_exr(run.path("cam_05/grey.exr"))
    assert sorted(made) == ["Y"] and np.array_equal(made["Y"], wanted[..., 0])


def t_what_stands_beside_the_pixels(folder):
    """A window by GPano, in TIFF's tag and OpenEXR's attribute; EXIF; a profile."""
    told = {"FullPanoWidthPixels": 128, "FullPanoHeightPixels": 64,
            "CroppedAreaLeftPixels": 32, "CroppedAreaTopPixels": 16,
            "CroppedAreaImageWidthPixels": 64, "CroppedAreaImageHeightPixels": 32}
    window = sphere(128)[16:48, 32:96]
    xmp = pano.gpano(told, True)
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
        second = pano.ifd(f.read(), struct.unpack("<I", tags[0x8769][2])[0])
    assert struct.unpack("<I", second[0xa002][2])[0] == 32


pano.main(globals())
