#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: whichever fsync of a keeper fails, no file is asked twice: new files take its
# place, and what is published at the end was fsynced without an error.  A disk that fails
# for good holds the units and their inputs until it is well again.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
command -v strace >/dev/null || skip_all 'no strace here'
! grep -q KILN_SANITIZED.1 "$top_builddir/config.h" ||
	skip_all 'a sanitizer ends what runs below strace'
worker=$top_builddir/kiln-worker

# A batch of two files and a directory, one of them in a sub-folder that is to be made.
mkdir -p "$drop/shot/sub"
echo one >"$drop/one.txt"
echo two >"$drop/two.txt"
echo frame >"$drop/shot/sub/frame"
/usr/bin/python3 - "$top_builddir" "$drop" "$output" >"$scratch/manifest" <<'END'
import json, sys
build, root, out = sys.argv[1:]
units = [{"id": i + 1, "kind": kind, "attempt": 1, "path": path, "output": output}
         for i, (kind, path, output) in enumerate(
             [(1, "one.txt", ""), (1, "two.txt", "deep/er"), (2, "shot", "")])]
manifest = {"batch": 1, "rule": "copies", "revision": "0" * 64,
            "plugin": build + "/plugins/copy.so", "kernel": "copy", "params": {},
            "device": "cpu", "needs": 0, "threads": 1, "repeat": 1, "memory_limit": 0,
            "output_limit": 0, "wall_limit": 60.0, "root": root, "out": out,
            "collision": "version", "inputs": "keep", "done": None, "quarantine": None,
            "mode": 0o644, "group": None, "verify_writers": True, "marker": None,
            "count": 0, "units": units}
json.dump(manifest, sys.stdout)
END
attempt() # [COMMAND...]: one run of the batch, below COMMAND
{
	"$@" "$worker" --manifest "$scratch/manifest" --result "$scratch/result" \
		</dev/null >"$scratch/said" 2>&1
}
statuses()
{
	json '" ".join(sorted(u["status"] for u in d["units"]))' <"$scratch/result"
}
complete()
{
	published one.txt deep/er/two.txt shot && whole
}
# honest: in the trace, nothing was fsynced after its fsync failed but what is new since:
# a file made anew under that name, or a folder that got new names.
honest()
{
	/usr/bin/python3 - "$scratch/trace" <<'END'
import re, sys
failed = set()
for line in open(sys.argv[1]):
    name = re.search(r'fsync\(\d+<([^>]*)>\)\s+= (-1|0)', line)
    if name:
        if name[1] in failed:
            sys.exit("fsync repeated on " + name[1] + ": " + line)
        if name[2] == "-1":
            failed.add(name[1])
        continue
    made = re.search(r'O_CREAT.*= \d+<([^>]*)>', line)
    if made:
        failed.discard(made[1])
    for folder, base in re.findall(r'(?:\d+|AT_FDCWD)<([^>]*)>, "([^"]*)"', line):
        if "rename" in line or "mkdir" in line or "unlink" in line:
            path = base if base[0] == "/" else folder + ("" if base == "." else "/" + base)
            failed.discard(path)
            failed.discard(path.rpartition("/")[0])
END
}
under() # WHICH: strace that fails those fsyncs of the keeper
{
	attempt strace -y -o "$scratch/trace" -e trace=fsync,openat,openat2,renameat,renameat2,mkdirat,unlinkat \
		-e inject="fsync:error=EIO:when=$1"
}

attempt strace -o "$scratch/count" -e trace=fsync
is $? 0 'the batch runs'
try 'and is complete' complete
count=$(grep -c '^fsync' "$scratch/count")
note "$count fsyncs"
broken=
for n in $(seq "$count"); do
	rm -rf "$output" && mkdir "$output"
	under "$n"
	# Of folders in the stage or of the result itself: then the whole is tried again.
	grep -qE '^(held )?published published( published)?$' <<<"$(statuses)" ||
		broken+="fsync $n: $(statuses) $(cat "$scratch/said")"$'\n'
	grep -q 'fsync.*INJECTED' "$scratch/trace" || broken+="fsync $n was not reached"$'\n'
	honest || broken+="(fsync $n)"$'\n'
	seen || broken+="fsync $n"$'\n'
	case $(statuses) in *held*) attempt ;; esac
	complete || broken+="fsync $n is not made good"$'\n'
done 2>&1
is "$broken" '' "each of $count fsyncs may fail once: new files take the place, nothing is repeated"

# From the nth on all of them fail, but for the last two: a worker whose result cannot be
# written says nothing that might be believed.
broken= doubts=
for n in $(seq $((count - 2))); do
	rm -rf "$output" "$scratch/result" && mkdir "$output"
	under "$n+"
	[ ! -e "$scratch/result" ] || broken+="fsync $n+: $(statuses)"$'\n'
	honest || broken+="(fsync $n+)"$'\n'
	seen || broken+="fsync $n+"$'\n'
	before=
	[ ! -e "$output/.kiln-stage/doubted/1" ] || before=$(stat -c %i "$output/one.txt")
	doubts+=$(ls "$output/.kiln-stage/doubted" 2>/dev/null)
	attempt
	complete || broken+="fsync $n+ is not made good"$'\n'
	# What was visible, but in doubt, has been exchanged.
	[ -z "$before" ] || [ "$(stat -c %i "$output/one.txt")" != "$before" ] ||
		broken+="fsync $n+: one.txt was trusted"$'\n'
done 2>&1
is "$broken" '' 'a disk that fails for good holds all units, and the next attempt makes them good'
try 'some were visible, and in doubt' test -n "$doubts"
is "$(ls -A "$output/.kiln-stage/doubted" 2>/dev/null)" '' 'no doubt is left'

# Through kilnd: the inputs stay until all is well.
rm -rf "$output" "$drop"/*
rule copies 'kernel = "copy"' 'inputs = "delete"' 'retries = { max = 1, backoff = "1s..2s" }'
# SQLite's are fdatasync(2).
kilnd_start strace -f -o /dev/null -e trace=fsync -e inject=fsync:error=EIO
is $? 0 'kilnd starts'
tracer=$kilnd_pid
echo held >"$drop/held.txt"
held_twice() { [ "$(grep -c "'held.txt' deferred: .*Input/output error" "$kilnd_log")" -ge 3 ]; }
try 'a unit is held, more often than it may be retried' await 60 held_twice
try 'its input stays' test -e "$drop/held.txt"
is "$(ls "$failed")" '' 'and is not taken for a bad one'
kilnd_pid=$(pgrep -P "$tracer" -x kilnd)
kill -TERM "$kilnd_pid"
wait "$tracer"
kilnd_pid=
kilnd_start
try 'when the disk is well' await 30 published held.txt
ctl sync --idle
try 'the input goes' test ! -e "$drop/held.txt"
try 'and it is there once' whole
is "$(unit_states)" 'published=1' 'says the ledger'
kilnd_stop
is $? 0 'kilnd stops'
finish
