#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""vmd-fk's outputs: which frames, which bones, which arrays, in which form.

Whatever is left out or put otherwise must change no bit of the rest, so nearly everything
is compared with the whole output.
"""
import math
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mmd  # noqa: E402
from t_vmd_fk import (BAD_INPUT, BONES, BUILD, CANCELLED, FLAT, MORPHS, NONE, OK, QUARTER_Z, Run,  # noqa: E402
                      dance, load, main, np, read, write)

SRC = os.environ.get("top_srcdir", ".")
SHARED = os.environ.get("KILN_SHARED", os.path.join(SRC, "..", "shared"))


def run(folder, *params, name="a.vmd", **more):
    done = Run(folder, [name], params=params, **more)
    assert done.verdict()[0] == OK, done.lines
    return load(folder, name[:-4])


def t_bad_parameters_are_refused(folder):
    write(folder, "a.vmd", dance(1, 9))
    write(folder, "empty.txt", b"# nobody\n \r\n")
    write(folder, "sjis.txt", "首".encode("cp932"))
    write(folder, "nul.txt", b"\0\0")
    path = lambda name: "bones_file=" + os.path.join(folder, name)
    for params, word in (
            (["frames=every:0"], "every:N"), (["frames=every:"], "every:N"),
            (["frames=5..4"], "5..4"), (["frames=1..2..3"], "1..2..3"),
            (["frames=-1..3"], "-1..3"), (["frames=0..99999999999"], "0..99999999999"),
            (["frames=some"], "some"), (["chunk=0"], "1..1024"), (["chunk=1025"], "1025"),
            (["chunk=few"], "few"), (["chunk=7x"], "7x"),
            (['bones=""'], "empty name"), (['bones=[首, ""]'], "empty name"),
            ([path("absent.txt")], "absent.txt"), ([path("empty.txt")], "at least one name"),
            ([path("sjis.txt")], "UTF-8"), ([path("nul.txt")], "NUL"),
            ([path("empty.txt"), "bones=core"], "both given")):
        refused = Run(folder, ["a.vmd"], params=params, expect=3)
        assert word in refused.told("fail ")[-1], (params, refused.lines)


def t_frames(folder):
    write(folder, "a.vmd", dance(2, 200))
    whole = run(folder)
    keyed = sorted({key["frame"] for key in keys_of(dance(2, 200))})
    for frames, numbers in (("every:7", range(0, 201, 7)), ("every:500", [0]),
                            ("13..13", [13]), ("0..200", range(201)), ("5..90", range(5, 91)),
                            ("keyed", keyed)):
        some = run(folder, "frames=" + frames)
        numbers = list(numbers)
        assert some["frame_numbers"].tolist() == numbers, frames
        assert some["total_frames"] == len(numbers), frames
        assert some["frame_range"].tolist() == [numbers[0], numbers[-1]], frames
        for key in ("positions", "quaternions"):
            assert some[key].tobytes() == whole[key][numbers].tobytes(), (frames, key)
    done = Run(folder, ["a.vmd"], params=["frames=190..300"])
    assert load(folder, "a")["frame_numbers"].tolist() == list(range(190, 201))
    assert any("ends at frame 200" in line for line in done.told("warn 0 ")), done.lines
    assert done.fact("frames") == 11
    klass, reason = Run(folder, ["a.vmd"], params=["frames=201..300"]).verdict()
    assert klass == BAD_INPUT and "ends at frame 200" in reason, reason


def keys_of(data):
    """Frames of a VMD's bone keys."""
    count = int.from_bytes(data[50:54], "little")
    return [{"frame": int.from_bytes(data[54 + 111 * i + 15:54 + 111 * i + 19], "little")}
            for i in range(count)]


def t_keyed_without_bone_keys(folder):
    write(folder, "a.vmd", mmd.vmd([], [("のび", 9, 1.0), ("みんな", 4, 0.5), ("のび", 4, 0)]))
    assert run(folder, "frames=keyed")["frame_numbers"].tolist() == [4, 9]
    write(folder, "a.vmd", mmd.vmd())
    assert run(folder, "frames=keyed")["frame_numbers"].tolist() == [0]


def t_units_and_orders(folder):
    write(folder, "a.vmd", dance(3, 40))
    whole = run(folder, "quaternion_space=both")
    assert run(folder)["quaternions"].tobytes() == whole["quaternions"].tobytes()
    world = run(folder, "quaternion_space=world")
    assert "world_quaternions" not in world
    assert world["quaternions"].tobytes() == whole["world_quaternions"].tobytes()
    wxyz = run(folder, "quaternion_order=wxyz", "quaternion_space=both")
    for key in ("quaternions", "world_quaternions"):
        assert np.array_equal(wxyz[key], whole[key][:, :, [3, 0, 1, 2]]), key
        assert (whole[key][:, :, 3] >= 0).all(), key
    metres = run(folder, "space=meters")
    assert np.array_equal(metres["positions"], whole["positions"] * np.float32(0.08))
    assert metres["quaternions"].tobytes() == whole["quaternions"].tobytes()
    # The world's rotation is the parent's, then the bone's own.
    for i, bone in enumerate(BONES):
        own = whole["quaternions"][:, i].astype(np.float64)
        up = bone.get("parent", -1)
        expected = product(whole["world_quaternions"][:, up].astype(np.float64), own) \
            if up >= 0 else own
        dot = np.abs((expected * whole["world_quaternions"][:, i]).sum(axis=1))
        assert (dot > 1 - 1e-6).all(), (i, dot.min())


def product(p, q):
    px, py, pz, pw = p.T
    qx, qy, qz, qw = q.T
    return np.stack([pw * qx + px * qw + py * qz - pz * qy,
                     pw * qy - px * qz + py * qw + pz * qx,
                     pw * qz + px * qy - py * qx + pz * qw,
                     pw * qw - px * qx - py * qy - pz * qz], axis=1)


def t_compression_and_chunk_change_no_value(folder):
    write(folder, "a.vmd", dance(4, 300))
    whole, size = run(folder), {}
    for compression in ("none", "fast", "small"):
        a = run(folder, "compression=" + compression, "quaternion_space=both")
        assert all(a[key].tobytes() == whole[key].tobytes() for key in whole)
        size[compression] = len(read(folder, "a.npz"))
    assert size["none"] > size["fast"] >= size["small"], size
    bytes_fast = None
    for chunk in ("auto", "1", "2", "3", "17", "1024"):
        run(folder, "chunk=" + chunk, "velocities=true", "frames=every:2")
        data = read(folder, "a.npz")
        assert bytes_fast in (None, data), chunk
        bytes_fast = data


KEY = [("name", "S15"), ("frame", "<u4"), ("move", "<f4", 3), ("rotate", "<f4", 4), ("curves", "u1", 64)]


def t_baked_motions_stay_in_their_file(folder):
    """Keys of large motions that were baked are read where their frames are evaluated, those
    of the same motion in another order before: no bit differs."""
    names = [bone["name"] for bone in BONES if bone["name"] != "左目"] + ["尻尾"]
    keys = np.zeros((9800, len(names)), KEY)
    assert keys.nbytes >= 8 << 20
    rng = np.random.default_rng(9)
    keys["name"] = [name.encode("cp932") for name in names]
    keys["frame"] = 3 + np.arange(len(keys))[:, None]
    keys["move"] = rng.normal(size=keys["move"].shape)
    keys["rotate"] = rng.normal(size=keys["rotate"].shape)
    keys["rotate"][::7] = 0
    rest = mmd.vmd([], [("のび", 0, 0.0), ("のび", 9900, 1.0)], [(0, 1, [("左足ＩＫ", 1)])])
    motion = lambda: rest[:50] + keys.size.to_bytes(4, "little") + keys.tobytes() + rest[54:]
    write(folder, "baked.vmd", motion())
    keys[5000, [2, 3]] = keys[5000, [3, 2]]
    write(folder, "mixed.vmd", motion())
    for params in ((), ("frames=every:7", "velocities=true"), ("frames=2990..9900", "bones=[首, 左足首]"),
                   ("frames=keyed", "ik=false"), ("chunk=5", "frames=0..700")):
        for threads in ("1", "3"):
            files = [] if threads == "1" else ["-j", threads]
            done = Run(folder, ["baked.vmd", "mixed.vmd"], *files, params=params)
            assert done.verdict(0)[0] == done.verdict(1)[0] == OK, done.lines
            for fact in ("frames", "bone_keys", "matched_bones", "unmatched_bone_names"):
                assert done.fact(fact, "0") == done.fact(fact, "1"), fact
            baked, mixed = load(folder, "baked"), load(folder, "mixed")
            del baked["vmd_file"], mixed["vmd_file"]
            assert {key: a.tobytes() for key, a in baked.items()} == \
                {key: a.tobytes() for key, a in mixed.items()}, (params, threads)


def t_bones_file(folder):
    write(folder, "a.vmd", dance(5, 10))
    write(folder, "bones.txt", "\ufeff# legs\r\n左足首\r\n\n  首 \n尻尾\r左足首".encode("utf-8"))
    done = Run(folder, ["a.vmd"], params=["bones_file=" + os.path.join(folder, "bones.txt")])
    some = load(folder, "a")
    assert some["bone_names"].tolist() == ["左足首", "首", "尻尾", "左足首"]
    assert done.fact("missing_bones") == ["尻尾"]
    whole = run(folder)
    assert np.array_equal(some["positions"][:, [0, 1, 3]], whole["positions"][:, [5, 2, 5]])


def each_bone(folder, model, motion, names, others=()):
    """Every bone alone has the bits that it has among all."""
    stem = os.path.splitext(os.path.basename(motion))[0]
    options = dict(params=list(others), model=model)
    Run(folder, [motion], **options)
    whole = load(folder, stem)
    for i, name in enumerate(names):
        if names.index(name) != i:
            continue
        Run(folder, [motion], params=["bones=[%s]" % name, *others], model=model)
        one = load(folder, stem)
        for key in ("positions", "quaternions", "world_quaternions"):
            assert one[key][:, 0].tobytes() == whole[key][:, i].tobytes(), (name, key)


def t_each_bone_alone(folder):
    write(folder, "a.vmd", dance(6, 60))
    names = [bone["name"] for bone in BONES]
    for switches in ((), ("ik=false",), ("append=false",), ("morphs=false",)):
        each_bone(folder, "model.pmx", "a.vmd", names,
                  ("quaternion_space=both", "frames=every:3", *switches))


def t_each_bone_of_the_dancer_alone(folder):
    subprocess.run([os.path.join(BUILD, "contrib/make-sample"), folder], check=True,
                   stdout=subprocess.DEVNULL)
    bones = Run(folder, [], "-i", model="dancer.pmx").fact("bones", "whole")
    each_bone(folder, "dancer.pmx", "waltz.vmd", [bone["name"] for bone in bones],
              ("quaternion_space=both", "frames=every:29"))


def t_each_bone_of_gene_alone(folder):
    data = os.path.join(SHARED, "data", "vmd", "gene")
    model = os.path.join(data, "Gene.pmx")
    if not os.path.exists(model):
        return "no shared data (KILN_SHARED): " + model
    bones = Run(folder, [], "-i", model=model).fact("bones", "whole")
    each_bone(folder, model, os.path.join(data, "motion", "16_thinking.vmd"),
              [bone["name"] for bone in bones],
              ("quaternion_space=both", "frames=every:61"))
    return None


def t_only_needed_bones_are_evaluated(folder):
    write(folder, "a.vmd", dance(1, 3))
    for bones, switch, count in (
            ("all", "ik=true", 8), ("[センター]", "ik=true", 1), ("[首]", "ik=true", 3),
            ("[左目]", "ik=true", 4), ("[左足首]", "ik=true", 5), ("[左足]", "ik=true", 5),
            ("[左足首]", "ik=false", 4), ("[左足ＩＫ]", "ik=true", 1), ("[尻尾]", "ik=true", 0),
            ("[首]", "preview=true", 8)):
        done = Run(folder, ["a.vmd"], params=["bones=" + bones, switch])
        assert done.fact("evaluated_bones") == count, (bones, switch, done.lines)
        # What is not evaluated still counts as found.
        assert done.fact("matched_bones") == 8 and done.fact("unmatched_bones") == 0


def t_velocities(folder):
    write(folder, "a.vmd", dance(7, 50))
    a = run(folder, "velocities=true", "quaternion_space=both")
    p = a["positions"].astype(np.float64)
    central = np.empty_like(p)
    central[1:-1] = (p[2:] - p[:-2]) * 15
    central[0], central[-1] = (p[1] - p[0]) * 30, (p[-1] - p[-2]) * 30
    assert a["linear_velocities"].dtype == np.float32
    assert np.allclose(a["linear_velocities"], central, atol=1e-3)
    metres = run(folder, "velocities=true", "space=meters")
    assert np.allclose(metres["linear_velocities"], central * 0.08, atol=1e-4)
    assert metres["angular_velocities"].tobytes() == a["angular_velocities"].tobytes()
    # Integrated over two frames, the angular velocity is the turn between them.
    w = a["angular_velocities"].astype(np.float64) / 15
    angle = np.linalg.norm(w, axis=2, keepdims=True)
    turn = np.concatenate([w * np.sinc(angle / (2 * np.pi)) / 2, np.cos(angle / 2)], axis=2)
    q = a["world_quaternions"].astype(np.float64)
    for f in range(1, 50):
        dot = np.abs((product(turn[f], q[f - 1]) * q[f + 1]).sum(axis=1))
        assert (dot > 1 - 1e-5).all(), (f, dot.min())
    for frames in ("every:3", "7..21", "49..50", "50..50"):
        some = run(folder, "velocities=true", "frames=" + frames)
        for key in ("linear_velocities", "angular_velocities"):
            assert some[key].tobytes() == a[key][some["frame_numbers"]].tobytes(), frames


def t_velocities_by_hand(folder):
    half = [math.sin(math.pi / 12), 0, 0, math.cos(math.pi / 12)]  # 30 degrees about X
    write(folder, "a.vmd", mmd.vmd([("センター", 0, FLAT, NONE),
                                    ("センター", 10, (10, 0, -5), half)]))
    a = run(folder, "velocities=true")
    assert np.allclose(a["linear_velocities"][:, 0], (30, 0, -15), atol=1e-4)
    assert np.allclose(a["angular_velocities"][:, 0], (math.pi / 2, 0, 0), atol=1e-4)
    write(folder, "a.vmd", mmd.vmd([("首", 0, FLAT, QUARTER_Z)]))
    one = run(folder, "velocities=true")
    assert (one["linear_velocities"] == 0).all() and (one["angular_velocities"] == 0).all()


def t_little_memory_changes_no_array(folder):
    write(folder, "a.vmd", dance(8, 500))
    params = ["velocities=true", "quaternion_space=both", "morph_weights=true",
              "ik_enabled=true"]
    Run(folder, ["a.vmd"], params=params)
    whole = read(folder, "a.npz")
    done = Run(folder, ["a.vmd"], "-b", "100000", params=params)
    assert read(folder, "a.npz") == whole
    count, total = map(int, done.told("unit 0")[0].split()[-1].split("/"))
    assert count == total and total > 501, done.told("unit 0")
    assert done.told("kernel 501 frames"), done.lines[-1]


def t_morph_weights(folder):
    write(folder, "a.vmd", mmd.vmd([], [("のび", 0, 0.0), ("のび", 4, 1.0), ("みんな", 0, 0.5)]))
    a = run(folder, "morph_weights=true", "bones=[首]")
    assert a["morph_names"].tolist() == [name for name, _, _ in MORPHS]
    assert a["morph_weights"].dtype == np.float32
    expected = [[0.25 * f + 0.25, 0.5] for f in range(5)]
    assert np.allclose(a["morph_weights"], expected), a["morph_weights"]
    off = run(folder, "morph_weights=true", "morphs=false")
    assert np.allclose(off["morph_weights"], [[0.25 * f, 0.5] for f in range(5)])
    assert np.allclose(off["positions"][:, 1], (0, 10, 0), atol=1e-5)
    # A motion without morphs after one with: no weight is left over.
    write(folder, "b.vmd", dance(1, 4))
    write(folder, "b.vmd", mmd.vmd([("首", 4, FLAT, NONE)]))
    Run(folder, ["a.vmd", "b.vmd"], params=["morph_weights=true"])
    assert (load(folder, "b")["morph_weights"] == 0).all()


def t_ik_enabled(folder):
    write(folder, "a.vmd", mmd.vmd([("首", 9, FLAT, NONE)], [],
                                   [(3, 1, [("左足ＩＫ", 0)]), (6, 1, [("左足ＩＫ", 1)])]))
    for params in ([], ["ik=false"], ["bones=[首]"]):
        a = run(folder, "ik_enabled=true", *params)
        assert a["ik_names"].tolist() == ["左足ＩＫ"] and a["ik_enabled"].dtype == np.uint8
        assert a["ik_enabled"].tolist() == [[0]] * 6 + [[1]] * 4, a["ik_enabled"]
    write(folder, "a.vmd", mmd.vmd([("首", 2, FLAT, NONE)]))
    assert run(folder, "ik_enabled=true")["ik_enabled"].tolist() == [[1]] * 3


STEEP_ENDS = (0, 127, 127, 0)
CAMERA = [
    (0, -45.0, (0, 10, 0), (0.1, 0.0, 0.0), [mmd.LINEAR] * 6, 30, 0),
    (20, -5.0, (2, 14, -4), (0.3, -3.0, 0.2), [mmd.LINEAR] * 5 + [STEEP_ENDS], 60, 1),
    (21, -40.0, (5, 5, 5), (0.0, 0.0, 0.0), [mmd.LINEAR] * 6, 30, 0),
]


def t_camera(folder):
    write(folder, "a.vmd", mmd.vmd(cameras=list(reversed(CAMERA))))
    done = Run(folder, ["a.vmd"], params=["preview=true"])
    a = load(folder, "a")
    assert done.fact("camera_keys") == 3 and not done.told("warn 0 "), done.lines
    assert "positions" not in a and "bone_names" not in a, sorted(a)
    assert a["frame_numbers"].tolist() == list(range(22)) and a["frame_rate"] == 30
    share = np.arange(20) / 20
    line = lambda k: np.array([CAMERA[0][k]]) + \
        np.multiply.outer(share, np.subtract(CAMERA[1][k], CAMERA[0][k]))
    assert np.allclose(a["camera_positions"][:20], line(2), atol=1e-5)
    assert np.allclose(a["camera_rotations"][:20], line(3), atol=1e-5)
    assert np.allclose(a["camera_distances"][:20], line(1), atol=1e-4)
    # Its own curve is steep at both ends; x(1/2) = y(1/2) = 1/2.
    fov = a["camera_fov"]
    assert abs(fov[10] - 45) < 0.01 and fov[2] > 30 + 30 * 0.2 and fov[18] < 60 - 30 * 0.2
    for i, key in ((20, CAMERA[1]), (21, CAMERA[2])):
        assert np.allclose(a["camera_positions"][i], key[2], atol=1e-5)
        assert abs(a["camera_fov"][i] - key[5]) < 1e-4
    assert a["camera_perspective"].tolist() == [1] * 20 + [0, 1]
    assert a["camera_perspective"].dtype == np.uint8
    metres = run(folder, "space=meters", "frames=keyed")
    assert metres["frame_numbers"].tolist() == [0, 20, 21]
    assert np.allclose(metres["camera_distances"], (-3.6, -0.4, -3.2), atol=1e-5)
    write(folder, "both.vmd", mmd.vmd([("首", 5, FLAT, NONE)], cameras=CAMERA))
    both = run(folder, name="both.vmd")
    assert both["positions"].shape[0] == 6 and both["camera_fov"].shape == (6,)
    assert Run(folder, ["a.vmd"], "-c", "2").verdict()[0] == CANCELLED
    late = [(0xFFFFFFFF,) + CAMERA[0][1:]]
    write(folder, "a.vmd", mmd.vmd(cameras=late))
    klass, reason = Run(folder, ["a.vmd"]).verdict()
    assert klass == BAD_INPUT and "4294967295" in reason, reason


def t_poses(folder):
    move, turn = (0.5, 1.0, -2.0), QUARTER_Z
    write(folder, "p.vpd", mmd.vpd([("センター", move, NONE), ("首", FLAT, turn)],
                                   [("のび", 0.5)]))
    write(folder, "a.vmd", mmd.vmd([("センター", 0, move, NONE), ("首", 0, FLAT, turn)],
                                   [("のび", 0, 0.5)]))
    done = Run(folder, ["p.vpd", "a.vmd"])
    assert done.verdict(0)[0] == OK, done.lines
    pose, motion = load(folder, "p"), load(folder, "a")
    assert str(pose.pop("vmd_file")) == "p.vpd" and motion.pop("vmd_file") == "a.vmd"
    assert list(pose) == list(motion)
    assert all(pose[key].tobytes() == motion[key].tobytes() for key in motion)
    write(folder, "p.vpd", b"Vocaloid Pose Data file\r\nx;\r\n1;\r\nBone0{a\r\n1,x;")
    klass, reason = Run(folder, ["p.vpd"]).verdict()
    assert klass == BAD_INPUT and "line 5: expected a number" in reason, reason
    write(folder, "p.vpd", mmd.vpd([("首", FLAT, turn), ("首", FLAT, NONE)])[:-20])
    done = Run(folder, ["p.vpd"])
    assert done.verdict()[0] == OK and "1 of 2" in done.told("warn 0 ")[0], done.lines
    assert Run(folder, ["p.vpd"], params=["strict=true"]).verdict()[0] == BAD_INPUT


def t_the_manual_has_it_all(folder):
    source = lambda name: read(os.path.join(SRC, "plugins", "vmd-fk"), name).decode("utf-8")
    manual = source("vmd-fk.7")
    for line in source("vmd_fk.c").split("static const struct kiln_param param_")[1:]:
        name = line.split(" ")[0]
        assert name in manual.replace(" ,", "").split(), name
    write(folder, "a.vmd", mmd.vmd([("首", 0, FLAT, NONE)], cameras=CAMERA))
    arrays = run(folder, "quaternion_space=both", "velocities=true", "morph_weights=true",
                 "ik_enabled=true", "bones=core")
    for name, array in arrays.items():
        kind = {"f": "f32", "i": "i%d" % (8 * array.dtype.itemsize), "u": "u8", "U": "str"}
        assert ".It Va %s Ta %s" % (name, kind[array.dtype.kind]) in manual, name
    # The core bones: what the manual writes once for both sides begins with 左, then 右.
    listed = []
    for entry in manual.split(".Sh CORE BONES")[1].split(".El")[0].split(".It ")[1:]:
        words = entry.replace(",", "").split()
        names = [word for word in words[1:] if not word.isascii() and word not in ("左", "右")]
        sides = ("左", "右") if words[0] in ("Arms", "Hands", "Legs") else ("",)
        listed += [side + name for side in sides for name in names]
    assert listed == arrays["bone_names"].tolist(), listed


if __name__ == "__main__":
    sys.exit(main(globals()))
