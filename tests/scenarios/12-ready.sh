#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: a drop is taken when its rule's `ready` says so: marked, counted or renamed; the
# marker is no input, and goes with its file; one file too many is refused with a reason.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
mkdir -p "$scratch"/{marked,counted,renamed,shots,done,aside}
rule marked 'kernel = "copy"' 'ready = "marker:.done"' "watch = \"$scratch/marked\"" \
	"inputs = \"move:$scratch/done\"" 'settle = "1h"'
rule shots 'kernel = "copy"' 'ready = "marker:READY"' "watch = \"$scratch/shots\"" \
	'unit = "directory"' 'settle = "1h"'
rule counted 'kernel = "copy"' 'ready = "count:2"' "watch = \"$scratch/counted\"" \
	'unit = "directory"'
rule renamed 'kernel = "copy"' 'ready = "rename"' "watch = \"$scratch/renamed\"" \
	'settle = "1h"'
kilnd_start
is $? 0 'kilnd starts'

echo dance >"$scratch/marked/a.txt"
echo waits >"$scratch/marked/b.txt"
touch "$scratch/marked/a.txt.done"
ctl sync --idle
try 'a marked file is published' published a.txt
is "$(ls -A "$scratch/done")" a.txt 'and moved, without its marker'
is "$(ls -A "$scratch/marked")" b.txt 'what is not marked waits'

mkdir "$scratch/shots/shot"
echo 1 >"$scratch/shots/shot/1.png"
touch "$scratch/shots/shot/READY"
ctl sync --idle
try 'a marked directory is published' published shot
is "$(ls "$output/shot")" $'1.png\nkiln.json' 'without its marker'

mkdir "$scratch/counted/two" "$scratch/counted/three"
touch "$scratch/counted/three"/{1,2,3}
touch "$scratch/counted/two/1"
ctl sync --idle
is "$(ls "$output" | grep -c two)" 0 'a directory with too few files waits'
is "$(ls "$failed")" $'three\nthree.reason.txt' 'one with too many is put aside'
like "$(cat "$failed/three.reason.txt")" \
	'it holds 3 files, and ready = "count:2" expects 2' 'with the reason'
touch "$scratch/counted/two/2"
ctl sync --idle
try 'the file that lacked completes the other' published two

echo slow >"$scratch/renamed/in-place.txt"
echo fast >"$scratch/aside/moved.txt"
mv "$scratch/aside/moved.txt" "$scratch/renamed/moved.txt"
ctl sync --idle
try 'what was renamed is published' published moved.txt
is "$(ls "$output" | grep -c in-place)" 0 'what was written in place is not'
is "$(unit_states)" 'failed=1 published=4' 'nothing else was taken'
finish
