#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""vmd-fk with a GPU: an imitation, whose threads are the lines that CUDA's are, compiled
for the CPU, and which can be made to be absent, small, broken or wrong.  Whatever becomes
of it, the output has the bytes that the CPU alone gives, and nothing is left behind.

What this cannot show, launches and copies by CUDA itself, is contrib/gpu-check's to show
where there is a GPU.
"""
import math
import os
import random
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mmd  # noqa: E402

BUILD = os.environ.get("top_builddir", ".")
NONE = (0.0, 0.0, 0.0, 1.0)
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
LAST = 2999


def rotation(rng):
    q = [rng.gauss(0, 1) for _ in range(4)]
    length = math.sqrt(sum(c * c for c in q))
    return [c / length for c in q]


def dance(seed, last=LAST, morphs=True):
    rng = random.Random(seed)
    keys = []
    for bone in BONES:
        for frame in sorted({0, last, *(rng.randrange(last + 1) for _ in range(60))}):
            curves = [[rng.randrange(128) for _ in range(4)] for _ in range(4)]
            keys.append((bone["name"], frame, [rng.uniform(-1, 1) for _ in range(3)],
                         rotation(rng), curves))
    return mmd.vmd(keys, [("のび", 0, 0.0), ("のび", last, 1.0), ("みんな", 7, 0.3)] if morphs else [],
                   [(0, 1, [("左足ＩＫ", 1)]), (last // 2, 1, [("左足ＩＫ", 0)])])


class Run:
    def __init__(self, folder, files, *options, device="cuda:0", behaviour="", params=()):
        out = tempfile.mkdtemp(dir=folder)
        command = [os.path.join(BUILD, "tests/plugins/run-plugin"),
                   os.path.join(BUILD, "tests/plugins/imitated.so"), "vmd-fk", "-o", out,
                   "-d", device, "-p", "model=" + os.path.join(folder, "model.pmx"), *options]
        for param in params:
            command += ["-p", param]
        done = subprocess.run(command + [os.path.join(folder, f) for f in files],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=dict(os.environ, IMITATION=behaviour))
        self.lines = done.stdout.decode("utf-8", "replace").splitlines()
        said = done.stderr.decode("utf-8", "replace")
        if done.returncode != 0:
            raise AssertionError("status %d: %s %s" % (done.returncode, self.lines[-4:], said[-900:]))
        self.met = {key: int(value) for key, value in re.findall(
            r"(\w+) (\d+)", said[said.rindex("imitation:"):])}
        assert [self.met[key] for key in ("left", "rooms", "streams", "pinned")] == [0] * 4, said
        self.bytes = {}
        for name in sorted(os.listdir(out)):
            with open(os.path.join(out, name), "rb") as f:
                self.bytes[name] = f.read()

    def warnings(self, unit=0):
        return [line for line in self.lines
                if line.startswith("warn %d " % unit) and "on the CPU" in line]

    def variants(self):
        return [line.split()[1] for line in self.lines if line.startswith("variant ")]


class World:
    """A model, motions and what the CPU makes of them."""

    def __init__(self, folder):
        self.folder = folder
        self.write("model.pmx", mmd.pmx(BONES, MORPHS))
        self.write("a.vmd", dance(1))
        self.write("b.vmd", dance(2, 700, morphs=False))
        self.cpu = {}

    def write(self, name, data):
        with open(os.path.join(self.folder, name), "wb") as f:
            f.write(data)

    def same(self, run, files=("a.vmd",), params=()):
        key = (files, tuple(params))
        if key not in self.cpu:
            self.cpu[key] = Run(self.folder, files, device="cpu", params=params)
            assert self.cpu[key].met["launches"] == 0
        assert run.bytes == self.cpu[key].bytes, (files, params)
        return run

    def run(self, behaviour="", device="cuda:0", params=(), files=("a.vmd",), options=()):
        return self.same(Run(self.folder, files, *options, device=device, behaviour=behaviour,
                             params=params), files, params)


def t_the_gpu_gives_the_bytes_of_the_cpu(world):
    run = world.run()
    assert run.met["launches"] > 4 and run.variants()[-1] == "imitation", run.variants()
    assert not run.warnings(), run.warnings()
    run = world.run(files=("b.vmd",))
    assert run.met["launches"] > 4 and not run.warnings()


def t_whatever_is_asked_for(world):
    for params in (("velocities=true", "quaternion_space=both", "morph_weights=true"),
                   ("frames=every:7",), ("frames=keyed", "velocities=true"),
                   ("frames=100..164", "ik=false"), ("bones=[首, 左足首]", "morphs=false"),
                   ("chunk=5",), ("append=false", "ik_enabled=true")):
        run = world.run(params=params)
        assert run.met["launches"] > 4 and not run.warnings(), params


def t_threads_fill_what_the_gpu_evaluated(world):
    assert world.run(options=("-j", "4")).met["launches"] > 4


def t_no_gpu_is_told_where_it_was_asked_for(world):
    run = world.run("open=1")
    assert run.met["launches"] == 0
    assert len(run.warnings()) == 1 and "there is no GPU 0" in run.warnings()[0], run.lines
    run = world.run("", device="cuda:7")
    assert "there is no GPU 7" in run.warnings()[0], run.lines


def t_no_gpu_is_no_news_where_kiln_chose_it(world):
    run = world.run("open=1", device="+cuda:0")
    assert run.met["launches"] == 0 and not run.warnings(), run.lines


def t_one_that_is_wrong_in_a_bit_is_not_used(world):
    run = world.run("wrong=1")
    assert "disagrees with the plain C" in run.warnings()[0], run.lines
    assert "imitation" not in run.variants(), run.variants()


def t_little_memory_halves_the_frames(world):
    whole = world.run()
    assert whole.met["refusals"] == 0
    for part in (3, 20, 50):
        some = world.run("memory=%d" % (whole.met["peak"] // part))
        assert some.met["refusals"] > 0 and some.met["peak"] <= whole.met["peak"] // part
        assert not some.warnings() and some.variants()[-1] == "imitation"
    assert some.met["launches"] > whole.met["launches"], (some.met, whole.met)


def t_less_than_the_least_goes_to_the_cpu(world):
    run = world.run("memory=300000")
    assert run.met["refusals"] > 2, run.met
    assert "no room for a run" in run.warnings()[0], run.lines


def t_too_many_keys_for_it_are_one_motions_affair(world):
    # A crowd of keys and a few, together and one by one: the next motion may fit.
    rng = random.Random(5)
    world.write("keys.vmd", mmd.vmd([("首", f, (0, 0, 0), rotation(rng)) for f in range(60000)]))
    least = next(m for m in range(600000, 8000000, 100000)
                 if not Run(world.folder, ["b.vmd"], behaviour="memory=%d" % m).warnings())
    run = Run(world.folder, ["keys.vmd"], behaviour="memory=%d" % least, params=["frames=0..9"])
    assert len(run.warnings()) == 1 and "60000 keys" in run.warnings()[0], run.lines
    assert run.bytes == Run(world.folder, ["keys.vmd"], device="cpu", params=["frames=0..9"]).bytes
    assert run.variants()[-1] != "imitation"


def t_a_gpu_lost_on_the_way_costs_nothing_but_time(world):
    # A small chunk has many runs; before it there is the proof on a small case.
    whole = world.run(params=("chunk=64", "frames=0..999"))
    launches, waits = whole.met["launches"], whole.met["waits"]
    assert launches > 20 and waits > 20, whole.met
    for kind, last in (("launch", launches), ("wait", waits)):
        for number in [*range(1, 9), *range(9, last, last // 8), last]:
            run = world.run("%s=%d" % (kind, number), params=("chunk=64", "frames=0..999"))
            assert len(run.warnings()) == 1, (kind, number, run.lines)
            assert run.variants()[-1] != "imitation", run.variants()


def t_several_small_ones_stay_on_the_cpu(world):
    run = world.run(files=("a.vmd", "b.vmd"))
    assert run.variants()[-1] != "imitation" and not run.warnings(0) and not run.warnings(1)


def main():
    tests = [(name[2:], function) for name, function in globals().items() if name.startswith("t_")]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        world = World(folder)
        for number, (name, function) in enumerate(tests, 1):
            try:
                function(world)
                print("ok %d - %s" % (number, name.replace("_", " ")))
            except Exception as error:  # pylint: disable=broad-except
                failed += 1
                print("not ok %d - %s" % (number, name.replace("_", " ")))
                text = "%s: %s" % (type(error).__name__, error)
                print("# " + text[:1500].replace("\n", "\n# "))
            sys.stdout.flush()
    print("1..%d" % len(tests))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
