# SPDX-License-Identifier: BSD-2-Clause
"""crash.py - what a power cut may leave of a recorded run.

The model promises as little as POSIX does.  Of a file, what was written after its last
fsync may be there or not, each write by itself.  Of a folder, a name that was made or
removed after its last fsync may be there or not.  A rename happens whole; it is safe once
the folder it goes to is fsynced, but the old name may come back until the other one is.
Nothing orders one file or folder after another.

A Disk replays a record; Disk.states() gives what may be found after a cut at its present
place: all subsets of what is not safe while they are few, else none of it, all, each
single one missing, each single one alone, and some drawn at random."""

import itertools
import os
import random

SUBSETS = 5  # so many pending changes: all subsets are tried
DRAWN = 16


class Node:
    """A file (its content as of what is safe, and writes on top), a folder, or a link."""

    def __init__(self, content):
        self.content = content  # safe: bytes, None for a folder, a str for a link
        self.names = {}  # of a folder: what is safe


class Change:
    """One change that is not safe yet; apply() does it to a Picture."""

    def __init__(self, *safe_by):
        self.safe_by = set(safe_by)  # nodes whose fsync makes it safe


class Write(Change):
    def __init__(self, node, offset, content):
        super().__init__(node)
        self.node, self.offset, self.content = node, offset, content

    def apply(self, picture):
        before = picture.content(self.node).ljust(self.offset, b"\0")
        picture.contents[self.node] = (before[:self.offset] + self.content +
                                       before[self.offset + len(self.content):])


class Truncate(Change):
    def __init__(self, node, size):
        super().__init__(node)
        self.node, self.size = node, size

    def apply(self, picture):
        picture.contents[self.node] = picture.content(self.node)[:self.size].ljust(self.size, b"\0")


class Names(Change):
    """Names set in folders, None for removed: all of them, or none."""

    def __init__(self, settings, safe_by):
        super().__init__(safe_by)
        self.settings = settings  # [(folder, name, node or None)]

    def apply(self, picture):
        for folder, name, node in self.settings:
            names = picture.folder(folder)
            if node is None:
                names.pop(name, None)
            else:
                names[name] = node


class Picture:
    """Safe nodes and a choice of changes: what is found after the cut."""

    def __init__(self, root, changes):
        self.root, self.contents, self.folders = root, {}, {}
        for change in changes:
            change.apply(self)

    def content(self, node):
        return self.contents.get(node, node.content)

    def folder(self, node):
        return self.folders.setdefault(node, dict(node.names))

    def tree(self, node=None, path=""):
        """{path: content}, as world.tree() gives it, from the root down."""
        node = node or self.root
        found = {}
        for name, child in self.folders.get(node, node.names).items():
            short = os.path.join(path, name)
            found[short] = self.content(child)
            if child.content is None:
                found.update(self.tree(child, short))
        return found


class Disk:
    def __init__(self, tree):
        """tree: {absolute path without its first slash: content}, all of it safe."""
        self.root = Node(None)
        self.pending = []
        for path, content in sorted(tree.items()):
            folder = self.root
            *folders, name = path.split("/")
            for part in folders:
                folder = folder.names.setdefault(part, Node(None))
            folder.names[name] = Node(content)

    # --- the present, as processes see it ------------------------------------

    def now(self):
        return Picture(self.root, self.pending)

    def find(self, path):
        """(folder, name, node or None) as a process would find it now."""
        picture = self.now()
        folder, node, name = None, self.root, ""
        for name in os.path.normpath(path).strip("/").split("/"):
            if node is None:
                return None, name, None
            folder = node
            node = picture.folders.get(folder, folder.names).get(name)
        return folder, name, node

    # --- a record's lines ----------------------------------------------------

    def create(self, path):
        self.add(path, Node(b""))

    def mkdir(self, path):
        self.add(path, Node(None))

    def add(self, path, node):
        folder, name, _ = self.find(path)
        self.pending.append(Names([(folder, name, node)], folder))

    def unlink(self, path):
        folder, name, _ = self.find(path)
        self.pending.append(Names([(folder, name, None)], folder))

    def link(self, path, other):
        _, _, node = self.find(path)
        folder, name, _ = self.find(other)
        self.pending.append(Names([(folder, name, node)], folder))

    def rename(self, path, other, exchange):
        folder, name, node = self.find(path)
        to, target, there = self.find(other)
        back = there if exchange else None
        self.pending.append(Names([(folder, name, back), (to, target, node)], to))

    def write(self, path, offset, content):
        _, _, node = self.find(path)
        if node is not None:  # else it has no name any more, nor anybody who could miss it
            self.pending.append(Write(node, offset, content))

    def truncate(self, path, size):
        _, _, node = self.find(path)
        if node is not None:
            self.pending.append(Truncate(node, size))

    def fsync(self, path):
        """What that file or folder has pending is safe; so is what it was built on."""
        node = self.find(path)[2] if path.strip("/") else self.root
        if node is None:
            return
        safe = [change for change in self.pending if node in change.safe_by]
        picture = Picture(self.root, safe)
        for changed, content in picture.contents.items():
            changed.content = content
        kept = []
        for change in self.pending:
            if change not in safe:
                kept.append(change)
                continue
            if isinstance(change, Names):
                # A rename into this folder: the other one may still have the old name.
                old = [setting for setting in change.settings if setting[0] is not node]
                if old:
                    kept.append(Names(old, old[0][0]))
        if node in picture.folders:
            node.names = picture.folders[node]
        self.pending = kept

    def replay(self, line, data):
        """One line of a record; data: the bytes written."""
        word, path, *rest = line.rstrip("\n").split("\t")
        if path.endswith(" (deleted)"):
            return
        if word == "write":
            offset, length, at = (int(number) for number in rest)
            self.write(path, offset, data[at:at + length])
        elif word == "truncate":
            self.truncate(path, int(rest[0]))
        elif word == "rename":
            self.rename(path, rest[0], int(rest[1]) & 2 != 0)
        elif word == "link":
            self.link(path, rest[0])
        else:
            getattr(self, word)(path)

    # --- what may be found ---------------------------------------------------

    def states(self, seed=1):
        """Yields pictures; the same one may come more than once."""
        for chosen in choices(len(self.pending), random.Random(seed)):
            yield Picture(self.root, [self.pending[i] for i in chosen])


def choices(count, draw):
    """Index lists, in order, of the changes that happened."""
    everything = list(range(count))
    if count <= SUBSETS:
        for size in range(count + 1):
            yield from (list(some) for some in itertools.combinations(everything, size))
        return
    yield []
    yield everything
    for one in everything:
        yield [one]
        yield everything[:one] + everything[one + 1:]
    for _ in range(DRAWN):
        yield [one for one in everything if draw.random() < 0.5]
