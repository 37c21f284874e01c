# SPDX-License-Identifier: BSD-2-Clause
"""Writes small PMX models and VMD motions for tests."""
import struct

ROTATE, MOVE, VISIBLE, IK = 2, 4, 8, 0x20
APPEND_ROTATE, APPEND_MOVE = 0x100, 0x200


def text(s):
    raw = s.encode("utf-8")
    return struct.pack("<i", len(raw)) + raw


def pmx(bones, morphs=()):
    """bones: dicts name, position, parent (-1), layer (0), flags, append (source, ratio),
    ik (target, loops, limit, [(bone, limits or None)]).  morphs: (name, type, elements):
    type 2: (bone, move, rotate), type 0 and 9: (morph, weight)."""
    out = [b"PMX ", struct.pack("<fB8B", 2.0, 8, 1, 0, 1, 1, 1, 1, 1, 1)]
    out += [text("model"), text("model"), text(""), text("")]
    out += [struct.pack("<i", 0)] * 4  # vertices, indices, textures, materials
    out.append(struct.pack("<i", len(bones)))
    for bone in bones:
        flags = bone.get("flags", ROTATE | MOVE | VISIBLE)
        flags |= IK if "ik" in bone else 0
        out += [text(bone["name"]), text(bone.get("name_en", ""))]
        out.append(struct.pack("<3fbiH3f", *bone["position"], bone.get("parent", -1),
                               bone.get("layer", 0), flags, 0, 0, 0))
        if flags & (APPEND_ROTATE | APPEND_MOVE):
            out.append(struct.pack("<bf", *bone["append"]))
        if flags & IK:
            target, loops, limit, links = bone["ik"]
            out.append(struct.pack("<bifi", target, loops, limit, len(links)))
            for link, limits in links:
                out.append(struct.pack("<bB", link, limits is not None))
                if limits is not None:
                    out.append(struct.pack("<6f", *limits))
    out.append(struct.pack("<i", len(morphs)))
    for name, kind, elements in morphs:
        out += [text(name), text(""), struct.pack("<BBi", 4, kind, len(elements))]
        for element in elements:
            if kind == 2:
                out.append(struct.pack("<b3f4f", element[0], *element[1], *element[2]))
            else:
                out.append(struct.pack("<bf", *element))
    out += [struct.pack("<i", 0)] * 3  # display frames, rigid bodies, joints
    return b"".join(out)


LINEAR = (20, 20, 107, 107)


def name15(name, encoding="cp932"):
    raw = name if isinstance(name, bytes) else name.encode(encoding)
    return (raw[:15] + b"\0" + b"\xfd" * 15)[:15]


def interpolation(curves):
    """64 bytes of four curves (x1, y1, x2, y2), as MMD lays them out."""
    row = [curves[c][k] for k in (0, 1, 2, 3) for c in range(4)]
    rows = []
    for shift in range(4):
        rows += row[shift:] + [1] * shift
    rows[2:4] = [0, 0]
    return bytes(rows)


def vmd(bones=(), morphs=(), properties=None, encoding="cp932", cameras=()):
    """bones: (name, frame, move, rotate[, curves]); morphs: (name, frame, weight);
    properties: (frame, visible, [(name, enabled)]); cameras: (frame, distance, move,
    rotate, six curves, angle, perspective off)."""
    out = [b"Vocaloid Motion Data 0002".ljust(30, b"\0"), b"model".ljust(20, b"\0")]
    out.append(struct.pack("<I", len(bones)))
    for name, frame, move, rotate, *rest in bones:
        curves = rest[0] if rest else [LINEAR] * 4
        out.append(name15(name, encoding) + struct.pack("<I3f4f", frame, *move, *rotate))
        out.append(interpolation(curves))
    out.append(struct.pack("<I", len(morphs)))
    for name, frame, weight in morphs:
        out.append(name15(name, encoding) + struct.pack("<If", frame, weight))
    if properties is not None or cameras:
        out.append(struct.pack("<I", len(cameras)))
        for frame, distance, move, rotate, curves, angle, off in cameras:
            out.append(struct.pack("<I7f", frame, distance, *move, *rotate))
            # Here x1 x2 y1 y2, other than in bone keys.
            out.append(bytes(c[k] for c in curves for k in (0, 2, 1, 3)))
            out.append(struct.pack("<IB", angle, off))
        out.append(struct.pack("<2I", 0, 0))
    if properties is not None:
        out.append(struct.pack("<I", len(properties)))
        for frame, visible, switches in properties:
            out.append(struct.pack("<IBI", frame, visible, len(switches)))
            for name, enabled in switches:
                out.append(name15(name) + b"\0" * 5 + struct.pack("<B", enabled))
    return b"".join(out)


def vpd(bones, morphs=()):
    """bones: (name, move, rotate); morphs: (name, weight)."""
    out = ["Vocaloid Pose Data file\r\n\r\nmodel.osm;\t\t// model\r\n%d;\r\n" % len(bones)]
    numbers = lambda values: ",".join("%.9g" % v for v in values)
    for i, (name, move, rotate) in enumerate(bones):
        out.append("\r\nBone%d{%s\r\n  %s;\t// trans x,y,z\r\n  %s;\t// Quaternion x,y,z,w"
                   "\r\n}\r\n" % (i, name, numbers(move), numbers(rotate)))
    for i, (name, weight) in enumerate(morphs):
        out.append("\r\nMorph%d{%s\r\n  %.9g;\r\n}\r\n" % (i, name, weight))
    return "".join(out).encode("cp932")
