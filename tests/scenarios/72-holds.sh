#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: a rule whose kernel does not take its parameters, and one whose output's file system
# is nearly full, are held with the reason: drops wait, lose nothing, and go on when it is
# put right.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
samples=$scratch/samples
mkdir "$samples"
"$top_builddir/contrib/make-sample" "$samples" >/dev/null || skip_all 'no samples were made'
motions() # [LINE...]
{
	rule motions 'kernel = "vmd-fk"' 'match = ["*.vmd"]' "params.model = \"$scratch/model.pmx\"" \
		'retries = { max = 1, backoff = "1s..1h" }' "$@"
}
held() # NAME: the rule's state in status
{
	ctl status --json | json "[r['state'] for r in d['rules'] if r['name'] == '$1'][0]"
}

# A model that is none: the configuration cannot know, open() does.
head -c 100 "$samples/dancer.pmx" >"$scratch/model.pmx"
motions
kilnd_start
is $? 0 'kilnd starts'
cp "$samples/salute.vmd" "$drop/a.vmd"
cp "$samples/waltz.vmd" "$drop/b.vmd"
await 20 eval '[ "$(held motions)" = paused ]'
try 'nothing more is tried' ctl sync --idle
is "$(unit_states)" 'ready=2' 'the drops wait, and none is failed'
is "$(ctl list --json | json 'sum(u["attempts"] for u in d)')" 0 'none is charged'
like "$(ctl status)" "rule 'motions' is paused: its kernel does not take its parameters: .*model" 'status says why'
like "$(ctl explain "$drop/a.vmd")" 'paused: .*does not take its parameters' 'so does explain'
is "$(ls "$failed")" '' 'nothing is in quarantine'
try 'a reload that changes nothing' ctl reload --wait
await 20 eval '[ "$(held motions)" = paused ]'
ctl sync --idle
is "$(unit_states)" 'ready=2' 'has it tried, and held again'
cp "$samples/dancer.pmx" "$scratch/model.pmx"
try 'put right, it is resumed' ctl resume motions
ctl sync --idle
try 'and what waited is published' published a.npz b.npz
is "$(held motions)" watching 'the rule is not held any more'

# An output that has less room than asked for: no file system has this much.
motions 'low_water = "900000000GiB"'
ctl reload --wait
cp "$samples/broken.vmd" "$samples/salute.vmd" "$drop"
try 'sync does not wait for it' ctl sync --idle
is "$(held motions)" paused 'a rule with too little room is held'
like "$(ctl status)" "paused: its output's file system has [0-9]+ MiB free, less than low_water" 'which status says'
is "$(unit_states)" 'published=2 ready=2' 'its drops wait'
motions 'low_water = "1MiB"'
ctl reload --wait
try 'with less asked for' ctl sync --idle
is "$(unit_states)" 'failed=1 published=2 skipped=1' 'it goes on'
kilnd_stop

# One that fills up while kilnd runs, and empties.
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=8m tmpfs "$output" 2>/dev/null; then
	trap 'umount "$output" 2>/dev/null; _end' EXIT
	motions 'low_water = "4MiB"' 'same = "run"'
	kilnd_start
	head -c 6M /dev/zero >"$output/filler"
	await 30 eval '[ "$(held motions)" = paused ]'
	is "$(held motions)" paused 'a file system that fills up holds the rule'
	cp "$samples/salute.vmd" "$drop/late.vmd"
	ctl sync --idle
	is "$(ctl show "$drop/late.vmd" --json | json 'd["state"]')" ready 'a drop waits'
	rm "$output/filler"
	await 30 published late.npz
	try 'and is published by itself when there is room again' published late.npz
	kilnd_stop
	umount "$output"
else
	skip 'a file system that fills up' 'needs root to mount a small one'
fi
finish
