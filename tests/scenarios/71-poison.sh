#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: one drop that crashes the engine among many costs them nothing: the batch is halved
# until it stands alone, and it alone is charged and quarantined.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
mkdir "$scratch/plugins"
cp "$top_builddir/tests/plugins/hostile.so" "$scratch/plugins"
printf '[daemon]\nplugins = ["%s/plugins"]\n' "$scratch" >"$conf"
# "crash-on-name" finishes what comes before the poison; "segfault" nothing at all.
rule poison 'kernel = "crash-on-name"' 'match = ["*.txt"]' \
	'batch = { by = "all", max_units = 64, max_wait = "5s" }'
kilnd_start
is $? 0 'kilnd starts'
ctl pause
for i in $(seq 10 25); do echo "$i" >"$drop/$i.txt"; done
echo poison >"$drop/17-poison.txt"
ctl sync --idle
is "$(unit_states)" 'ready=17' 'all drops wait'
ctl resume
try 'all of it is done' ctl sync --idle
is "$(unit_states)" 'failed=1 published=16' 'the good ones are published'
try 'the poison is quarantined' test -e "$failed/17-poison.txt"
like "$(cat "$failed/17-poison.txt.reason.txt")" 'crashed: the engine was killed by SIGSEGV' 'with the reason'
is "$(ctl show "$drop/17-poison.txt" --json | json 'd["attempts"]')" 2 'it alone was charged, twice'
is "$(ctl list --json | json 'max(u["attempts"] for u in d if u["state"] == "published")')" 1 \
	'the others ran once as far as they are concerned'
rows=$(ctl show "$drop/17-poison.txt" --json | json 'len(d["tries"])')
try 'it was found by halving: 17, 5, 3, 2, 1 and 1 units at most' test "$rows" -le 7
try 'outputs are whole' whole
kilnd_stop
is $? 0 'kilnd stops'
finish
