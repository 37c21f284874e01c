# SPDX-License-Identifier: BSD-2-Clause
"""Pictures written and read by hand, after the PNG specification, TIFF 6.0 and the OpenEXR
file layout, so that the libraries under test judge nothing of themselves.  What is too long
to write by hand, JPEG's scans and OpenEXR's wavelets, tests/formats/write-picture makes."""
import os
import struct
import subprocess
import tempfile
import zlib

import numpy as np


# --- by the libraries ---------------------------------------------------------

def made(kind, pixels, *options):
    """A file of [height][width][channels] by write-picture, whose options these are."""
    height, width, channels = pixels.shape
    with tempfile.TemporaryFile() as file:
        subprocess.run([os.path.join(os.environ.get("top_builddir", "."),
                                     "tests/formats/write-picture"), kind, str(width),
                        str(height), str(channels)] + [str(o) for o in options],
                       input=np.ascontiguousarray(pixels).tobytes(), stdout=file,
                       check=True)
        file.seek(0)
        return file.read()


def jpeg(pixels, *options, exif=None, xmp=None):
    """A JPEG with what stands beside its pixels."""
    data = made("jpeg", pixels, *options)
    beside = b""
    for head, block in ((b"Exif\0\0", exif), (b"http://ns.adobe.com/xap/1.0/\0", xmp)):
        if block:
            beside += (b"\xff\xe1" + struct.pack(">H", 2 + len(head) + len(block)) + head
                       + block)
    return data[:2] + beside + data[2:]


def oriented(orientation, order="<"):
    """The shortest EXIF block that says how a picture lies in its file."""
    return ({"<": b"II*\0", ">": b"MM\0*"}[order]
            + struct.pack(order + "IHHHIHHI", 8, 1, 0x112, 3, 1, orientation, 0, 0))


def laid(upright, orientation):
    """The pixels of a picture as a file of this orientation has them (TIFF 6.0)."""
    if orientation >= 5:
        upright, orientation = upright.swapaxes(0, 1), {5: 1, 6: 4, 7: 3, 8: 2}[orientation]
    return {1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1],
            4: upright[::-1]}[orientation].copy()


# --- PNG ----------------------------------------------------------------------

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
    size = block.dtype.itemsize
    planes = block.astype(">f%d" % size).view(np.uint8).reshape(
        height, width * samples, size)
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
    found = ifd(data, struct.unpack_from("<I", data, 4)[0])

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
        rows = np.cumsum(rows, 1, dtype=np.uint8).reshape(height, size, -1)
        pixels = np.ascontiguousarray(rows.transpose(0, 2, 1)).view(">f%d" % size)
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
    head += attribute("compression", "compression",
                      more.get("compression", bytes([packing])))
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
