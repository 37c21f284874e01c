# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of pano-views share: a panorama whose views are known without any other
program, and a run of kilnctl on a folder of frames."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

try:
    import numpy as np
except ImportError:
    print("1..0 # SKIP numpy is not installed")
    sys.exit(0)

from pictures import png, read_png  # noqa: E402

BUILD = os.environ.get("top_builddir", ".")
KILNCTL = os.path.join(BUILD, "kilnctl")


def colour(d, scale, finer=1):
    """Of unit directions (right, down, forward): never dark, never bright, smooth."""
    x, y, z = d[..., 0] * finer, d[..., 1] * finer, d[..., 2] * finer
    waves = [np.sin(17 * x + 9 * z + 1), np.cos(20 * y - 7 * x),
             np.sin(14 * z) * np.cos(19 * y + 6 * x)]
    return scale * (0.5 + 0.43 * np.stack(waves, -1))


def panorama(width, scale, finer=1):
    height = width // 2
    longitude = ((np.arange(width) + 0.5) / width - 0.5) * 2 * np.pi
    latitude = (0.5 - (np.arange(height) + 0.5) / height) * np.pi
    lon, lat = np.meshgrid(longitude, latitude)
    d = np.stack([np.cos(lat) * np.sin(lon), -np.sin(lat), np.cos(lat) * np.cos(lon)], -1)
    return np.round(colour(d, scale, finer)).astype(np.uint8 if scale < 256 else np.uint16)


def expected(view, scale, finer=1, shift=(0, 0)):
    """The view's true colours, at places shifted by parts of a pixel."""
    w, h = view["width"], view["height"]
    yaw, pitch, roll, hfov = (np.radians(view.get(k, 0)) for k in
                              ("yaw", "pitch", "roll", "hfov"))
    focal = w / 2 / np.tan(hfov / 2)
    x, y = np.meshgrid((np.arange(w) + 0.5 + shift[0] - w / 2) / focal,
                       (np.arange(h) + 0.5 + shift[1] - h / 2) / focal)
    # The camera turns clockwise, then up, then to the right.
    x, y = (x * np.cos(roll) - y * np.sin(roll), x * np.sin(roll) + y * np.cos(roll))
    y, z = (y * np.cos(pitch) - np.sin(pitch), y * np.sin(pitch) + np.cos(pitch))
    x, z = (x * np.cos(yaw) + z * np.sin(yaw), -x * np.sin(yaw) + z * np.cos(yaw))
    d = np.stack([x, y, z], -1)
    return colour(d / np.linalg.norm(d, axis=-1, keepdims=True), scale, finer)


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


class Run:
    """One folder of frames through kilnctl run."""

    def __init__(self, folder, *params, expect=0):
        self.out = os.path.join(folder, "out")
        shutil.rmtree(self.out, ignore_errors=True)
        command = [KILNCTL, "run", "pano-views", "--json", "-o", self.out]
        for param in params:
            command += ["-p", param]
        done = subprocess.run(command + [os.path.join(folder, "shot")],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.stderr = done.stderr.decode("utf-8", "replace")
        if done.returncode != expect:
            raise AssertionError("status %d, expected %d: %s %s" % (
                done.returncode, expect, done.stdout[-500:], self.stderr[-500:]))
        self.unit = json.loads(done.stdout)["units"][0] if done.stdout else None

    def path(self, name):
        return os.path.join(self.out, "shot", name)

    def sidecar(self):
        with open(self.path("kiln.json")) as f:
            return json.load(f)


def descendants(root):
    """The processes below one, as far as they can be seen."""
    parents = {}
    for name in os.listdir("/proc"):
        try:
            with open("/proc/%s/stat" % name) as f:
                parents[int(name)] = int(f.read().rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError):
            pass
    found = {root}
    while True:
        more = {p for p, parent in parents.items() if parent in found} - found
        if not more:
            return found - {root}
        found |= more


class Watched:
    """A run whose engine is looked at until it is gone: its greatest memory in KiB, and
    how many descriptors it had at most."""

    def __init__(self, folder, *arguments, expect=0):
        self.memory = self.descriptors = 0
        self.out = os.path.join(folder, "out")
        shutil.rmtree(self.out, ignore_errors=True)
        with subprocess.Popen([KILNCTL, "run", "pano-views", "-o", self.out, *arguments,
                               os.path.join(folder, "shot")], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT) as child:
            engine = None
            while child.poll() is None:
                if engine is None:
                    engine = self.find_engine(child.pid)
                elif not self.look(engine):
                    break
                time.sleep(0.002)
            said = child.stdout.read()
        assert child.returncode == expect, (child.returncode, said[-500:])

    @staticmethod
    def find_engine(root):
        for process in descendants(root):
            try:
                with open("/proc/%d/cmdline" % process, "rb") as f:
                    if b"--engine" in f.read():
                        return process
            except OSError:
                pass
        return None

    def look(self, engine):
        try:
            with open("/proc/%d/status" % engine) as f:
                told = dict(line.split(":", 1) for line in f)
            self.descriptors = max(self.descriptors,
                                   len(os.listdir("/proc/%d/fd" % engine)))
        except OSError:
            return False
        if "VmHWM" in told:
            self.memory = max(self.memory, int(told["VmHWM"].split()[0]))
        return True


def toml(views):
    return "views=[" + ",".join(
        "{" + ",".join("%s=%s" % (k, json.dumps(v)) for k, v in view.items()) + "}"
        for view in views) + "]"


def sphere(width, finer=1):
    """Like panorama(), in floats far above 1."""
    lon, lat = np.meshgrid(((np.arange(width) + 0.5) / width - 0.5) * 2 * np.pi,
                           (0.5 - (np.arange(width // 2) + 0.5) / (width // 2)) * np.pi)
    d = np.stack([np.cos(lat) * np.sin(lon), -np.sin(lat), np.cos(lat) * np.cos(lon)], -1)
    return colour(d, 1000.0, finer).astype(np.float32)


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


def judge(folder, views, scale, least, most, *params):
    run = Run(folder, toml(views), *params)
    for view in views:
        error = read_png(run.path(view["name"] + "/a.png")) - expected(view, scale)
        decibel = 10 * np.log10(scale ** 2 / np.mean(error ** 2))
        worst = np.abs(error).max() * 255 / scale
        print("# %s %s: %.2f dB, worst %.2f" % (view["name"], params, decibel, worst))
        assert decibel >= least and worst <= most, (view, decibel, worst)


VIEWS = [dict(name="v%d" % i, yaw=y, pitch=p, roll=r, hfov=90, width=240, height=136)
         for i, (y, p, r) in enumerate((
             (0, 0, 0), (45, 0, 0), (30, 20, 10), (170, 0, 0), (180, 0, 0), (180, 45, 0),
             (0, 90, 0), (37, 90, 12), (180, -90, 0), (-135, 75, -30), (-179.9, 0, 90),
             (123.4, -5.6, 180), (0, -45, 20)))]


def main(names):
    tests = [(n, f) for n, f in names.items() if n.startswith("t_")]
    print("1..%d" % len(tests))
    failed = 0
    for number, (name, function) in enumerate(tests, 1):
        with tempfile.TemporaryDirectory(prefix="t_pano.") as folder:
            try:
                function(folder)
                print("ok %d - %s" % (number, name))
            except Exception as error:  # noqa: BLE001: whatever it was, it is a failure
                failed = 1
                print("not ok %d - %s" % (number, name))
                print("\n".join("# " + line for line in repr(error).split("\\n")))
        sys.stdout.flush()
    sys.exit(failed)
