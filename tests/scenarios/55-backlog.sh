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
kilnd_kill
kilnd_start
try 'a restart comes to no other end' ctl sync --idle
try 'with as many in hand' test "$(in_hand)" -le 10
ctl resume >/dev/null
try 'all is done when the rule is let go' ctl sync --idle
is "$(find "$output" -type f ! -name '*.json' | wc -l)" 50 'none is forgotten'
is "$(unit_states)" 'published=50' 'and each is one unit'
kilnd_stop
is $? 0 'kilnd stops'
finish
