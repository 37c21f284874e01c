#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""pano-views with a GPU: an imitation, whose threads are the lines that CUDA's are, compiled
for the CPU, and which can be made to be absent, small, broken or wrong.  Whatever becomes
of it, every file has the bytes that the CPU alone gives, and nothing is left behind.

What this cannot show, launches and copies by CUDA itself, is contrib/gpu-check's to show
where there is a GPU.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import t_pano_views as pano  # noqa: E402
from t_pano_views import np, panorama, png, write  # noqa: E402

BUILD = os.environ.get("top_builddir", ".")
RING = ('views="ring8"', "width=90", "height=70")
PROOF = 18  # launches before the first frame
CUBE = ('views="cube6"', "width=48", "height=48", 'filter="lanczos3"')


class Run:
    def __init__(self, folder, behaviour="", device="cuda:0", params=RING, threads=1,
                 frames="shot"):
        out = tempfile.mkdtemp(dir=folder)
        command = [os.path.join(BUILD, "tests/plugins/run-plugin"),
                   os.path.join(BUILD, "tests/plugins/imitated-pano.so"), "pano-views",
                   "-o", out, "-d", device, "-j", str(threads)]
        for param in params:
            command += ["-p", param]
        done = subprocess.run(command + [os.path.join(folder, frames)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=dict(os.environ, IMITATION=behaviour), timeout=300)
        self.lines = done.stdout.decode("utf-8", "replace").splitlines()
        said = done.stderr.decode("utf-8", "replace")
        if done.returncode != 0:
            raise AssertionError("status %d: %s %s" % (done.returncode, self.lines[-4:],
                                                       said[-900:]))
        self.met = {key: int(value) for key, value in re.findall(
            r"(\w+) (\d+)", said[said.rindex("imitation:"):])}
        left = [self.met[key] for key in ("left", "rooms", "streams", "pinned")]
        assert left == [0] * 4, said
        self.files = {}
        for base, _, names in os.walk(out):
            for name in names:
                path = os.path.join(base, name)
                with open(path, "rb") as f:
                    self.files[os.path.relpath(path, out)] = f.read()
        shutil.rmtree(out)

    def warnings(self):
        return [line for line in self.lines if line.startswith("warn ") and "CPU" in line]

    def variant(self):
        return [line.split()[1] for line in self.lines if line.startswith("variant ")][-1]


def draw(folder, count=2, width=192):
    """Frames, of which the first has alpha and the second a mask."""
    for i in range(count):
        frame = np.roll(panorama(width, 255), 11 * i, 1)
        if i == 0:
            alpha = np.full(frame.shape[:2] + (1,), 255, np.uint8)
            alpha[10:20, 30:60] = 80
            frame = np.concatenate([frame, alpha], -1)
        write(os.path.join(folder, "shot/f%d.png" % i), png(frame))
    mask = np.full((width // 2, width, 1), 255, np.uint8)
    mask[40:50, 100:120] = 0
    write(os.path.join(folder, "shot/f1_mask.png"), png(mask))


def same(folder, cpu, behaviour="", **options):
    run = Run(folder, behaviour, **options)
    assert sorted(run.files) == sorted(cpu.files), (sorted(run.files), run.lines)
    for name, data in cpu.files.items():
        assert run.files[name] == data, (behaviour, name, options)
    return run


def cpu_of(folder, **options):
    run = Run(folder, device="cpu", **options)
    assert run.met["launches"] == 0 and len(run.files) > 8, run.lines
    return run


def t_the_gpu_gives_the_bytes_of_the_cpu(folder):
    draw(folder)
    for params in (RING, CUBE, RING + ("aa=true", 'filter="bicubic"'),
                   RING + ('filter="nearest"', 'format="jpeg"'),
                   RING + ("linear_light=true",),
                   ('views="dome16"', "width=40", "height=30")):
        cpu = cpu_of(folder, params=params)
        for threads in (1, 4):
            run = same(folder, cpu, params=params, threads=threads)
            assert not run.warnings() and run.variant() == "imitation", run.lines
            assert run.met["launches"] > 16, run.met


def t_sixteen_bits_too(folder):
    write(os.path.join(folder, "shot/a.png"), png(panorama(192, 65535)))
    for params in (RING, CUBE, RING + ("aa=true",), RING + ("linear_light=true",)):
        run = same(folder, cpu_of(folder, params=params), params=params)
        assert not run.warnings() and run.variant() == "imitation", run.lines


def t_no_gpu_is_told_where_it_was_asked_for(folder):
    draw(folder)
    cpu = cpu_of(folder)
    run = same(folder, cpu, "open=1")
    assert len(run.warnings()) == 1 and run.met["launches"] == 0, run.lines
    assert "there is no GPU 0" in run.warnings()[0], run.lines
    assert 'or ask for device "cpu"' in run.warnings()[0], run.lines
    assert "there is no GPU 7" in same(folder, cpu, device="cuda:7").warnings()[0]


def t_no_gpu_is_no_news_where_kiln_chose_it(folder):
    draw(folder)
    run = same(folder, cpu_of(folder), "open=1", device="+cuda:0")
    assert run.met["launches"] == 0 and not run.warnings(), run.lines


def t_one_that_is_wrong_in_a_bit_is_not_used(folder):
    draw(folder)
    run = same(folder, cpu_of(folder), "wrong=1")
    assert "disagrees with the plain C" in run.warnings()[0], run.lines
    assert run.variant() != "imitation", run.lines


def t_memory_that_cannot_be_pinned_serves_too(folder):
    draw(folder)
    run = same(folder, cpu_of(folder), "pinless=1")
    assert not run.warnings() and run.variant() == "imitation", run.lines


def t_little_memory_is_made_to_do(folder):
    """Fewer frames, fewer views, rows of views, no maps; the CPU only at the end.  An
    eighth holds neither a map nor a band nor a view; but a few rows of a view across a pole
    reach far down."""
    draw(folder, count=3, width=768)
    size = ("width=240", "height=200", "preview=false")
    for params, parts in ((('views="ring8"', 'filter="bicubic"') + size, (1.5, 3, 6, 8, 400)),
                          (('views="cube6"', "aa=true", "hfov=100") + size, (1.5, 3, 400))):
        cpu = cpu_of(folder, params=params)
        whole = same(folder, cpu, params=params)
        assert whole.met["refusals"] == 0, whole.met
        launches = whole.met["launches"]
        for threads in (1, 4):
            for part in parts:
                memory = int(whole.met["peak"] / part)
                run = same(folder, cpu, "memory=%d" % memory, params=params,
                           threads=threads)
                print("# %s of %d: %s, launches %d" % (part, whole.met["peak"],
                                                       run.variant(), run.met["launches"]))
                assert run.met["refusals"] > 0, (part, run.met)
                assert run.met["peak"] <= memory, (part, run.met)
                if part < 400:
                    assert run.variant() == "imitation" and not run.warnings(), run.lines
                else:
                    assert run.variant() != "imitation", run.lines
                    assert len(run.warnings()) == 1, run.lines
                if part == 8:
                    assert run.met["launches"] > 1.4 * launches, (run.met, launches)


def t_a_frame_too_large_is_made_here(folder):
    """The proof fits, and a small frame; a large one does not even by the row."""
    draw(folder, count=2)
    write(os.path.join(folder, "shot/g.png"), png(panorama(4096, 255)))
    params = ('views="cube6"', "width=200", "height=200", "preview=false")
    cpu = cpu_of(folder, params=params)
    for threads in (1, 3):
        run = same(folder, cpu, "memory=260000", params=params, threads=threads)
        assert run.met["launches"] > PROOF, run.met
        assert len(run.warnings()) == 1, run.lines
        assert "too little memory free" in run.warnings()[0], run.lines
        assert run.variant() != "imitation", run.lines


def t_each_reservation_may_be_refused(folder):
    draw(folder, count=3)
    for threads in (1, 3):
        cpu = cpu_of(folder, params=CUBE)
        whole = same(folder, cpu, params=CUBE, threads=threads)
        assert whole.met["reserves"] > 6, whole.met
        for number in range(1, whole.met["reserves"] + 1):
            run = same(folder, cpu, "reserve=%d" % number, params=CUBE, threads=threads)
            assert run.met["refusals"] == 1, (number, run.met)
            assert len(run.warnings()) <= 1, run.lines


def t_a_gpu_lost_on_the_way_costs_nothing_but_time(folder):
    draw(folder, count=3)
    for threads in (1, 4):
        cpu = cpu_of(folder)
        whole = same(folder, cpu, threads=threads)
        for kind, met in (("launch", "launches"), ("copy", "copies"),
                          ("order", "orders"), ("wait", "waits")):
            last = whole.met[met]
            assert last > 8, whole.met
            numbers = [1, 2, *range(3, last, max(1, last // 6)), last - 1]
            for number in numbers if threads == 1 else numbers[1::3]:
                run = same(folder, cpu, "%s=%d" % (kind, number), threads=threads)
                # A wait whose work was done already is nobody's loss; how many calls
                # several threads need is not always the same.
                assert len(run.warnings()) <= 1, (kind, number, run.lines)
                if kind != "wait" and threads == 1:
                    assert len(run.warnings()) == 1, (kind, number, run.lines)
                if run.warnings():
                    assert run.variant() != "imitation", (kind, number, run.lines)


pano.main(globals())
