#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: a rule has no more drops in hand than its backlog; the others lie in the drop folder
# until there is room, whether they were there at the start or came later, and none is
# forgotten.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
rule copies 'kernel = "copy"' 'backlog = 10' 'batch = { by = "all", max_units = 4 }'
for i in $(seq 25); do echo "before $i" >"$drop/before$i"; done
kilnd_start
is $? 0 'kilnd starts'
ctl pause >/dev/null
try 'a sync does not wait for what a held rule has no room for' ctl sync --idle
in_hand()
{
	ctl status --json | json 'sum(d["units"][s] for s in ("settling", "ready", "running", "deferred"))'
}
try 'no more than the backlog is in hand' test "$(in_hand)" -le 10
mkdir "$drop/sub"
for i in $(seq 25); do echo "later $i" >"$drop/sub/later$i"; done
try 'nor is it waited for what comes then' ctl sync --idle
try 'and no more is in hand' test "$(in_hand)" -le 10
like "$(ctl explain "$drop/sub/later25")" 'until there is room: 10 drops' 'explain says so'
kilnd_kill
kilnd_start
try 'a restart comes to no other end' ctl sync --idle
try 'with as many in hand' test "$(in_hand)" -le 10
ctl resume >/dev/null
try 'all is done when the rule is let go' ctl sync --idle
is "$(find "$output" -type f ! -name '*.json' | wc -l)" 50 'none is forgotten'
is "$(unit_states)" 'published=50' 'and each is one unit'

# Sequences that wait for frames are in hand, too; the frames they wait for get through.
mkdir -p "$scratch"/shots/{a,b,c}
rule shots 'kernel = "copy"' 'unit = "sequence"' 'match = ["*.png"]' 'backlog = 2' \
	"watch = \"$scratch/shots\"" 'sequence = { last = 3, gaps = "wait:1h" }'
for i in 1 3; do echo "a $i" >"$scratch/shots/a/$i.png"; echo "b $i" >"$scratch/shots/b/$i.png"; done
try 'a rule of sequences' ctl reload --wait
is_full()
{
	ctl status --json | json '[r["why"] for r in d["rules"] if r["name"] == "shots"]' | grep backlog
}
try 'is full of those that wait' await 10 is_full
for i in 1 2 3; do echo "c $i" >"$scratch/shots/c/$i.png"; done
lies() # where it was dropped
{
	ctl explain "$scratch/shots/c/1.png" | grep backlog
}
try 'what is whole lies where it was dropped' await 10 lies
echo 'a 2' >"$scratch/shots/a/2.png"
shots_are() # N
{
	[ "$(ctl list -r shots -s published --json | json 'len(d)')" = "$1" ]
}
try 'a frame that was waited for makes room' await 20 shots_are 2
is "$(ctl list -r shots --json | json '" ".join(u["path"][0] for u in d)')" 'c a' \
	'first for its own sequence'
kilnd_stop
is $? 0 'kilnd stops'
finish
