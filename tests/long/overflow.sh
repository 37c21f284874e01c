#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: 20,000 files arrive while kilnd is stopped, more than the kernel keeps events for:
# one overflow, one scan, and every file is published exactly once.  So it is of thousands of
# folders that are made while it runs, and of a tree that is moved in.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
files=20000
[ "$(cat /proc/sys/fs/inotify/max_queued_events)" -lt $files ] ||
	files=$(($(cat /proc/sys/fs/inotify/max_queued_events) * 5 / 4))
rule copies 'kernel = "copy"' 'inputs = "delete"' 'same = "run"' \
	'batch = { by = "all", max_units = 512, max_wait = "1s" }'
kilnd_start
is $? 0 'kilnd starts'
kill -STOP "$kilnd_pid"
/usr/bin/python3 - "$drop" $files <<'END'
import sys
for i in range(int(sys.argv[2])):
    with open(f"{sys.argv[1]}/{i}.txt", "w") as f:
        f.write(str(i))
END
kill -CONT "$kilnd_pid"
try 'all of it is done' ctl sync --idle
is "$(unit_states)" "published=$files" 'every file is published once'
is "$(ctl status --json | json 'd["overflows"]')" 1 'the kernel lost events once'
is "$(ls -A "$drop" | wc -l)" 0 'no input is left'
is "$(find "$output" -name '*.txt' | wc -l)" $files 'and no output is there twice'
# Folders are filled before they can be watched, and some while they are read.
trees=2000
mkdir "$scratch/aside"
/usr/bin/python3 - "$drop" "$scratch/aside" $trees <<'END'
import os, sys
drop, aside, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
for i in range(count):
    for top in (f"{drop}/made{i}", f"{aside}/{i}"):
        os.makedirs(f"{top}/a/b")
        for path in ("a/x", "a/b/y"):
            with open(f"{top}/{path}", "w") as f:
                f.write(f"{top} {path}")
os.rename(aside, f"{drop}/moved")
END
try 'trees are done with' ctl sync --idle
is "$(unit_states)" "published=$((files + 4 * trees))" 'each of their files is published once'
is "$(find "$drop" -type f | wc -l)" 0 'and none is left'
kilnd_stop
is $? 0 'kilnd stops'
finish
