#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: a keeper that dies by SIGKILL at any of its system calls leaves nothing that is
# half published, and the next attempt makes good whatever it left.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
command -v strace >/dev/null || skip_all 'no strace here'
worker=$top_builddir/kiln-worker

# A batch as kilnd gives it: two files and a directory, published as versions.
/usr/bin/python3 - "$top_builddir" "$drop" "$output" >"$scratch/manifest" <<'END'
import json, sys
build, root, out = sys.argv[1:]
units = [{"id": i + 1, "kind": kind, "attempt": 1, "path": path, "output": ""}
         for i, (kind, path) in enumerate([(1, "one.txt"), (1, "two.txt"), (2, "shot")])]
json.dump({"batch": 1, "rule": "copies", "revision": "0" * 64,
           "plugin": build + "/plugins/copy.so", "kernel": "copy", "params": {},
           "device": "cpu", "needs": 0, "threads": 1, "repeat": 1, "memory_limit": 0,
           "output_limit": 0, "wall_limit": 60.0, "root": root, "out": out,
           "collision": "version", "inputs": "keep", "done": None, "quarantine": None,
           "mode": 0o644, "group": None, "verify_writers": True, "units": units}, sys.stdout)
END
mkdir "$drop/shot"
echo one >"$drop/one.txt"
echo two >"$drop/two.txt"
echo frame >"$drop/shot/frame"

attempt() # [COMMAND...]: one run of the batch, below COMMAND
{
	"$@" "$worker" --manifest "$scratch/manifest" --result "$scratch/result" \
		</dev/null >"$scratch/said" 2>&1
}
complete()
{
	published one.txt two.txt shot && whole &&
		[ "$(find "$output" -mindepth 1 -maxdepth 1 ! -name .kiln-stage | wc -l)" -eq 5 ]
}

attempt strace -o "$scratch/trace"
is $? 0 'the batch runs'
try 'and is complete' complete
calls=$(sed -nE 's/^([a-z0-9_]+)\(.*/\1/p' "$scratch/trace" | grep -v '^exit' | sort | uniq -c)

points=0 violations=0
broken() # WHAT CALL N
{
	violations=$((violations + 1))
	note "$1 after a kill at $2 number $3"
}
while read -r count call; do
	for n in $(seq "$count"); do
		rm -rf "$output" && mkdir "$output"
		# The shell's own word about the kill is not wanted.
		{ attempt strace -o /dev/null -e trace="$call" \
			-e inject="$call:signal=KILL:when=$n"; } 2>/dev/null
		# Calls that a run makes more or less often, as its engine is quick or slow.
		[ $? -gt 128 ] || continue
		points=$((points + 1))
		seen >/dev/null || broken 'something half published is seen' "$call" "$n"
		attempt && complete >/dev/null || broken 'the next attempt does not make it good' "$call" "$n"
	done
done <<<"$calls"
note "$points kill points"
note "$violations violations"
try 'a few hundred kill points were met' test "$points" -ge 200
is "$violations" 0 'no violation'
finish
