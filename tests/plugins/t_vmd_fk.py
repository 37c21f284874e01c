#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""vmd-fk as a plugin: what it promises its host, on models and motions made here.

Invalid input first; then that a unit's result depends on nothing but the unit; then what
the parameters do.
"""
import json
import math
import os
import random
import resource
import signal
import struct
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError:
    print("1..0 # SKIP numpy is not installed")
    sys.exit(0)

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mmd  # noqa: E402
import pictures  # noqa: E402

BUILD = os.environ.get("top_builddir", ".")
OK, BAD_INPUT, TRANSIENT, CANCELLED = range(4)
FLAT = (0.0, 0.0, 0.0)
NONE = (0.0, 0.0, 0.0, 1.0)
QUARTER_Z = (0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5))

BONES = [
    {"name": "センター", "position": (0, 8, 0)},
    {"name": "上半身", "position": (0, 10, 0), "parent": 0},
    {"name": "首", "position": (0, 14, 0), "parent": 1},
    {"name": "左足", "position": (1, 8, 0), "parent": 0},
    {"name": "左ひざ", "position": (1, 4, -0.2), "parent": 3},
    {"name": "左足首", "position": (1, 0, 0), "parent": 4},
    {"name": "左足ＩＫ", "position": (1, 0, 0), "layer": 1,
     "ik": (5, 40, 2.0, [(4, (-math.pi, 0, 0, -0.01, 0, 0)), (3, None)])},
    {"name": "左目", "position": (0.5, 15, 0), "parent": 2, "append": (2, 0.5),
     "flags": mmd.ROTATE | mmd.VISIBLE | mmd.APPEND_ROTATE},
]
MORPHS = [("のび", 2, [(1, (0, 3, 0), NONE)]), ("みんな", 0, [(0, 0.5)])]


def rotation(rng):
    q = [rng.gauss(0, 1) for _ in range(4)]
    length = math.sqrt(sum(c * c for c in q))
    return [c / length for c in q]


def dance(seed, last):
    rng = random.Random(seed)
    keys = []
    for bone in BONES:
        for frame in sorted({0, last, *(rng.randrange(last + 1) for _ in range(8))}):
            curves = [[rng.randrange(128) for _ in range(4)] for _ in range(4)]
            keys.append((bone["name"], frame, [rng.uniform(-1, 1) for _ in range(3)],
                         rotation(rng), curves))
    rng.shuffle(keys)
    return mmd.vmd(keys, [("のび", 0, 0.0), ("のび", last, 1.0)],
                   [(0, 1, [("左足ＩＫ", 1)]), (last // 2, 1, [("左足ＩＫ", 0)])])


class Run:
    """One batch through run-plugin."""

    def __init__(self, folder, files, *options, params=(), model="model.pmx", expect=0, data_limit=None,
                 file_limit=None):
        command = [os.path.join(BUILD, "tests/plugins/run-plugin"),
                   os.path.join(BUILD, "plugins/vmd-fk.so"), "vmd-fk", "-o", folder,
                   "-p", "model=" + os.path.join(folder, model), *options]
        for param in params:
            command += ["-p", param]

        def bound():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            for kind, limit in ((resource.RLIMIT_DATA, data_limit), (resource.RLIMIT_FSIZE, file_limit)):
                if limit is not None:
                    resource.setrlimit(kind, (limit, limit))
        done = subprocess.run(command + [os.path.join(folder, f) for f in files],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=bound)
        self.status = done.returncode
        self.lines = done.stdout.decode("utf-8", "replace").splitlines()
        self.stderr = done.stderr.decode("utf-8", "replace")
        if expect is not None and done.returncode != expect:
            raise AssertionError("status %d, expected %d: %s %s" % (
                done.returncode, expect, self.lines[-3:], self.stderr[-600:]))

    def verdict(self, unit=0):
        for line in self.lines:
            if line.startswith("done %d " % unit):
                return int(line.split(" ")[2]), line.split(" ", 3)[3]
        raise AssertionError("no verdict on unit %d" % unit)

    def told(self, what):
        return [line for line in self.lines if line.startswith(what)]

    def fact(self, key, unit="0"):
        start = "meta %s %s " % (unit, key)
        for line in self.lines:
            if line.startswith(start):
                return json.loads(line[len(start):])
        return None


def write(folder, name, data):
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)


def load(folder, stem):
    with np.load(os.path.join(folder, stem + ".npz"), allow_pickle=False) as npz:
        return {key: npz[key] for key in npz.files}


def read(folder, name):
    with open(os.path.join(folder, name), "rb") as f:
        return f.read()


def t_bad_units_do_not_sink_their_batch(folder):
    good = dance(1, 20)
    late = bytearray(mmd.vmd([("首", 7, FLAT, NONE)]))
    late[54 + 15:54 + 19] = struct.pack("<I", 0xFFFFFFFF)
    counts = bytearray(good)
    counts[50:54] = struct.pack("<I", 0xFFFFFFFF)
    bad = {"empty.vmd": b"", "magic.vmd": b"not a motion" * 20, "late.vmd": bytes(late),
           "counts.vmd": bytes(counts)}
    for name, data in bad.items():
        write(folder, name, data)
    write(folder, "good.vmd", good)
    os.mkdir(os.path.join(folder, "folder.vmd"))
    files = list(bad) + ["folder.vmd", "absent.vmd", "good.vmd"]
    run = Run(folder, files, params=["strict=true"])
    for unit, name in enumerate(files[:-1]):
        klass, reason = run.verdict(unit)
        assert klass == BAD_INPUT and name in reason, (name, klass, reason)
        assert len(reason) > len(name) + 10, reason
    assert "4294967295" in run.verdict(2)[1], run.verdict(2)
    assert run.verdict(len(files) - 1)[0] == OK
    assert load(folder, "good")["total_frames"] == 21


def t_truncated_is_used_unless_strict(folder):
    whole = dance(2, 30)
    write(folder, "cut.vmd", whole[:54 + 111 * 9 + 40])
    run = Run(folder, ["cut.vmd"])
    assert run.verdict()[0] == OK and run.told("warn 0 "), run.lines
    assert Run(folder, ["cut.vmd"], params=["strict=true"]).verdict()[0] == BAD_INPUT


def t_bad_models_say_why(folder):
    write(folder, "a.vmd", dance(1, 3))
    loop = [dict(bone) for bone in BONES]
    loop[0]["parent"] = 2
    for name, data in (("loop.pmx", mmd.pmx(loop)), ("cut.pmx", mmd.pmx(BONES)[:200]),
                       ("empty.pmx", b""), ("magic.pmx", b"PMZ " + bytes(90))):
        write(folder, name, data)
        run = Run(folder, ["a.vmd"], model=name, expect=3)
        assert name in run.told("fail ")[-1], run.lines
    run = Run(folder, ["a.vmd"], model="absent.pmx", expect=3)
    assert "No such file" in run.told("fail ")[-1], run.lines


def t_format(folder):
    write(folder, "a.vmd", dance(3, 10))
    Run(folder, ["a.vmd"])
    a = load(folder, "a")
    assert sorted(a) == sorted(["positions", "quaternions", "frame_numbers", "vmd_file",
                                "total_frames", "bone_count", "frame_rate", "bone_names",
                                "frame_range"]), sorted(a)
    assert a["positions"].shape == (11, 8, 3) and a["positions"].dtype == np.float32
    assert a["quaternions"].shape == (11, 8, 4) and a["quaternions"].dtype == np.float32
    assert a["frame_numbers"].tolist() == list(range(11))
    assert a["frame_numbers"].dtype == np.int32
    assert str(a["vmd_file"]) == "a.vmd" and a["vmd_file"].shape == ()
    for key, value in (("total_frames", 11), ("bone_count", 8), ("frame_rate", 30)):
        assert a[key].dtype == np.int64 and a[key].shape == () and a[key] == value, key
    assert a["frame_range"].tolist() == [0, 10] and a["frame_range"].dtype == np.int64
    assert a["bone_names"].tolist() == [bone["name"] for bone in BONES]
    assert np.isfinite(a["positions"]).all() and np.isfinite(a["quaternions"]).all()
    assert np.abs(np.linalg.norm(a["quaternions"], axis=2) - 1).max() < 1e-6


def t_independent_of_the_batch(folder):
    files = ["m%d.vmd" % i for i in range(6)]
    for i, name in enumerate(files):
        write(folder, name, dance(i, 5 + 100 * i))
    write(folder, "bad.vmd", b"bad")
    outputs = lambda: [read(folder, f.replace("vmd", "npz")) for f in files]
    Run(folder, files)
    together = outputs()
    shuffled = files + ["bad.vmd"]
    random.Random(5).shuffle(shuffled)
    Run(folder, shuffled)
    assert outputs() == together, "shuffled"
    for name in files:
        Run(folder, [name])
    assert outputs() == together, "alone"
    # Several threads take units each, and share one that is alone or long.
    write(folder, "long.vmd", mmd.vmd([("首", frame, (0, frame % 7, 0), QUARTER_Z) for frame in range(80000)]))
    assert os.path.getsize(os.path.join(folder, "long.vmd")) > 8 << 20
    for threads in ("2", "3", "16"):
        for company in (files, shuffled, files[:2], ["bad.vmd", files[3]], ["long.vmd"] + shuffled, files[:1]):
            mine = [f for f in files if f in company]
            for f in mine:
                os.remove(os.path.join(folder, f.replace("vmd", "npz")))
            run = Run(folder, company, "-j", threads)
            assert outputs() == together, (threads, company)
            assert all((run.verdict(i)[0] == OK) == (f != "bad.vmd") for i, f in enumerate(company))


def t_threads_change_no_bit(folder):
    """Of motions of several chunks, so that one is written while the next is evaluated."""
    write(folder, "a.vmd", dance(7, 5000))
    for params in ((), ("compression=none",), ("velocities=true", "quaternion_space=both"),
                   ("compression=small", "chunk=700", "frames=0..2500")):
        Run(folder, ["a.vmd"], params=params)
        whole = read(folder, "a.npz")
        for threads in ("2", "3", "8"):
            Run(folder, ["a.vmd"], "-j", threads, params=params)
            assert read(folder, "a.npz") == whole, (threads, params)


def t_memory_changes_no_bit(folder):
    write(folder, "a.vmd", dance(7, 1000))
    Run(folder, ["a.vmd"])
    a = load(folder, "a")
    # Runs of a few frames, and everything evaluated twice.
    run = Run(folder, ["a.vmd"], "-b", "40000")
    assert run.told("unit 0")[0].endswith("progress 2002/2002"), run.told("unit 0")
    b = load(folder, "a")
    assert all(a[key].tobytes() == b[key].tobytes() for key in a)
    assert run.told("kernel 1001 frames"), run.lines[-1]
    assert run.told("log 4 memory is short"), run.lines
    assert not Run(folder, ["a.vmd"]).told("log"), "a warning without need"


def t_refused_memory_is_halved(folder):
    """What the system refuses is asked for by halves, with a warning, down to failing with a reason."""
    bones = [{"name": "b%d" % i, "parent": i - 1, "position": (0, i, 0)} for i in range(120)]
    write(folder, "wide.pmx", mmd.pmx(bones))
    write(folder, "a.vmd", mmd.vmd([("b%d" % i, 1500 * (i % 7), (i, 0, 0), QUARTER_Z) for i in range(40)]))
    options = dict(params=["compression=none"], model="wide.pmx")
    Run(folder, ["a.vmd"], **options)
    whole, ends = read(folder, "a.npz"), set()
    for limit in range(64, 2, -2):
        run = Run(folder, ["a.vmd"], "-j", "16", expect=None, data_limit=limit << 20, **options)
        less = bool(run.told("log 4 memory is short") or run.told("warn 0 memory was short"))
        if run.status == 0 and run.verdict()[0] == OK:
            assert read(folder, "a.npz") == whole, limit
            ends.add("less" if less else "whole")
        else:
            assert run.status == 3 and run.told("fail") or run.verdict()[0] == TRANSIENT, (limit, run.lines)
            ends.add("failed")
    assert "less" in ends and "failed" in ends, ends


def t_short_motions(folder):
    write(folder, "one.vmd", mmd.vmd([("首", 0, (0, 1, 0), QUARTER_Z)]))
    write(folder, "morphs.vmd", mmd.vmd([], [("のび", 4, 0.0), ("のび", 8, 1.0)]))
    write(folder, "empty.vmd", mmd.vmd())
    run = Run(folder, ["one.vmd", "morphs.vmd", "empty.vmd"])
    one = load(folder, "one")
    assert one["positions"].shape[0] == 1
    assert np.allclose(one["positions"][0, 2], (0, 15, 0), atol=1e-5)
    assert np.allclose(one["quaternions"][0, 2], QUARTER_Z, atol=1e-6)
    # Half of the neck's turn.
    assert np.allclose(one["quaternions"][0, 7, 2:],
                       (math.sin(math.pi / 8), math.cos(math.pi / 8)), atol=1e-6)
    morphs = load(folder, "morphs")
    assert morphs["total_frames"] == 9
    rise = morphs["positions"][:, 1, 1] - 10
    assert np.allclose(rise, [0] * 5 + [0.75, 1.5, 2.25, 3], atol=1e-5), rise
    empty = load(folder, "empty")
    assert empty["total_frames"] == 1
    rest = [bone["position"] for bone in BONES]
    assert np.allclose(np.delete(empty["positions"][0], [3, 4, 5], axis=0),
                       np.delete(rest, [3, 4, 5], axis=0), atol=1e-5)
    assert any("no bone and no morph key" in line for line in run.told("warn 2 "))


def t_switches(folder):
    write(folder, "a.vmd", mmd.vmd(
        [("首", 0, FLAT, QUARTER_Z), ("左足ＩＫ", 0, (0, 2, 0), NONE)],
        [("みんな", 0, 1.0)]))
    Run(folder, ["a.vmd"])
    on = load(folder, "a")
    assert np.allclose(on["positions"][0, 5], (1, 2, 0), atol=1e-2), on["positions"][0, 5]
    assert np.allclose(on["positions"][0, 1], (0, 11.5, 0), atol=1e-5)
    Run(folder, ["a.vmd"], params=["ik=false"])
    off = load(folder, "a")
    assert np.allclose(off["positions"][0, 5], (1, 0, 0), atol=1e-5)
    assert not np.allclose(off["positions"][0, 4], on["positions"][0, 4], atol=1e-2)
    Run(folder, ["a.vmd"], params=["append=false"])
    assert np.allclose(load(folder, "a")["quaternions"][0, 7], NONE)
    Run(folder, ["a.vmd"], params=["morphs=false"])
    assert np.allclose(load(folder, "a")["positions"][0, 1], (0, 10, 0), atol=1e-5)


def t_ik_keys(folder):
    write(folder, "a.vmd", mmd.vmd(
        [("左足ＩＫ", 0, (0, 2, 0), NONE), ("首", 9, FLAT, NONE)], [],
        [(6, 1, [("左足ＩＫ", 1)]), (3, 1, [("左足ＩＫ", 0)]), (8, 1, [])]))
    Run(folder, ["a.vmd"])
    height = load(folder, "a")["positions"][:, 5, 1]
    # Off from before its first key on; the last key does not name it.
    assert np.allclose(height, [0] * 6 + [2] * 4, atol=1e-2), height


def t_chosen_bones(folder):
    write(folder, "a.vmd", dance(8, 6))
    Run(folder, ["a.vmd"])
    whole = load(folder, "a")
    run = Run(folder, ["a.vmd"], params=["bones=[首, 尻尾, センター, 首]"])
    some = load(folder, "a")
    assert some["bone_names"].tolist() == ["首", "尻尾", "センター", "首"]
    assert np.isnan(some["positions"][:, 1]).all() and np.isnan(some["quaternions"][:, 1]).all()
    for column, bone in ((0, 2), (2, 0), (3, 2)):
        for key in ("positions", "quaternions"):
            assert np.array_equal(some[key][:, column], whole[key][:, bone])
    assert run.fact("missing_bones") == ["尻尾"] and any("尻尾" in w for w in run.told("warn 0 "))
    Run(folder, ["a.vmd"], params=["bones=core"])
    core = load(folder, "a")
    assert core["positions"].shape == (7, 51, 3) and core["bone_count"] == 51
    assert len(set(core["bone_names"].tolist())) == 51
    assert Run(folder, ["a.vmd"], params=["bones=[]"], expect=3).told("fail bones")


def t_unmatched_tracks_are_told(folder):
    keys = [("骨%d" % i, 0, FLAT, NONE) for i in range(300)]
    write(folder, "a.vmd", mmd.vmd(keys + [("首", 2, FLAT, NONE)], [("笑い", 0, 1.0)]))
    run = Run(folder, ["a.vmd"])
    assert run.fact("unmatched_bones") == 300 and run.fact("matched_bones") == 1
    assert len(run.fact("unmatched_bone_names")) == 200
    assert run.fact("unmatched_morph_names") == ["笑い"]
    assert any("300 bone tracks" in line and len(line) < 600 for line in run.told("warn 0 "))


def t_names(folder):
    long_name = "とてもながいなまえのほね"
    write(folder, "long.pmx", mmd.pmx(BONES + [{"name": long_name, "position": FLAT},
                                               {"name": "头发", "position": FLAT},
                                               {"name": "髙い", "position": FLAT}]))
    for high in (b"\xfb\xfc", b"\xee\xe0"):  # as Windows writes it, and as others do
        write(folder, "a.vmd", mmd.vmd([(high + "い".encode("cp932"), 0, (1, 2, 3), NONE)]))
        Run(folder, ["a.vmd"], model="long.pmx")
        assert np.allclose(load(folder, "a")["positions"][0, 10], (1, 2, 3)), high
    write(folder, "a.vmd", mmd.vmd([(long_name, 0, (1, 2, 3), NONE)]))
    Run(folder, ["a.vmd"], model="long.pmx")
    assert np.allclose(load(folder, "a")["positions"][0, 8], (1, 2, 3))
    for encoding in ("gbk", "utf-8"):
        write(folder, "a.vmd", mmd.vmd([("头发", 0, (1, 2, 3), NONE)], encoding=encoding))
        Run(folder, ["a.vmd"], model="long.pmx")
        assert np.allclose(load(folder, "a")["positions"][0, 9], FLAT)
        Run(folder, ["a.vmd"], model="long.pmx", params=["encoding=" + encoding])
        assert np.allclose(load(folder, "a")["positions"][0, 9], (1, 2, 3)), encoding


def t_cancelling(folder):
    for name in ("a.vmd", "b.vmd"):
        write(folder, name, dance(9, 2000))
    run = Run(folder, ["a.vmd", "b.vmd"], "-c", "3")
    assert run.verdict(0)[0] == CANCELLED and run.verdict(1)[0] == CANCELLED, run.lines


def t_no_room_is_nobodys_fault(folder):
    write(folder, "a.vmd", dance(9, 5))
    os.mkdir(os.path.join(folder, "a.npz"))
    klass, reason = Run(folder, ["a.vmd"]).verdict()
    assert klass == TRANSIENT and "a.npz" in reason, (klass, reason)
    write(folder, "b.vmd", dance(9, 500))
    klass, reason = Run(folder, ["b.vmd"], params=["compression=none"], file_limit=20000).verdict()
    assert klass == TRANSIENT and "limits.output" in reason, (klass, reason)


def t_preview(folder):
    files = ["a.vmd", "one.vmd"]
    write(folder, "a.vmd", dance(4, 100))
    write(folder, "one.vmd", mmd.vmd([("首", 0, (1e30, 0, 0), NONE)]))
    run = Run(folder, files, params=["preview=true"])
    for unit, name in enumerate(files):
        png = read(folder, name.replace(".vmd", ".preview.png"))
        assert png[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">2I2B", png[16:26]) == (1280, 960, 8, 2)
        assert "companions 1" in run.told("unit %d" % unit)[0]
        gaps = (pictures.read_png(os.path.join(folder, name.replace(".vmd", ".preview.png")))
                == (9, 11, 15)).all(axis=2).mean()
        assert gaps < 0.05, (name, gaps)
    whole = read(folder, "a.preview.png")
    Run(folder, ["a.vmd"], params=["preview=true", "frames=40..43"])
    assert read(folder, "a.preview.png") != whole
    Run(folder, files)
    assert "companions 0" in Run(folder, files).told("unit 0")[0]


def t_inspect(folder):
    run = Run(folder, [], "-i")
    bones = run.fact("bones", "whole")
    assert [bone["name"] for bone in bones] == [bone["name"] for bone in BONES]
    assert bones[6]["flags"].count("ik") == 1 and bones[6]["layer"] == 1
    assert bones[7]["parent"] == 2 and "append-rotate" in bones[7]["flags"]
    assert bones[0]["core"] is True and bones[0]["index"] == 0
    assert run.fact("model", "whole")["bones"] == len(BONES)


def main(namespace):
    tests = [(name[2:], f) for name, f in sorted(namespace.items())
             if name.startswith("t_") and callable(f)]
    print("1..%d" % len(tests))
    failed = 0
    for number, (name, test) in enumerate(tests, 1):
        with tempfile.TemporaryDirectory() as folder:
            write(folder, "model.pmx", mmd.pmx(BONES, MORPHS))
            try:
                missing = test(folder)  # a reason to skip, or None
                print("ok %d - %s%s" % (number, name,
                                        " # SKIP " + missing if missing else ""))
            except Exception as error:  # a test that cannot run has failed
                failed += 1
                print("not ok %d - %s" % (number, name))
                for line in ("%s: %s" % (type(error).__name__, error)).splitlines():
                    print("# " + line)
                trace = error.__traceback__
                while trace.tb_next:
                    trace = trace.tb_next
                print("# line %d" % trace.tb_lineno)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(globals()))
