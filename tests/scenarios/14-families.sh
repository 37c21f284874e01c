#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: numbered files are one unit, a mesh and its companions another: whole ones are
# published once, those with gaps are waited for or refused with the missing frames named,
# late, re-rendered and re-padded frames make new units, and nothing stray is taken.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
mkdir -p "$scratch"/{shots,waits,meshes,done}
rule shots 'kernel = "copy"' 'unit = "sequence"' 'match = ["*.png"]' \
	"watch = \"$scratch/shots\"" 'sequence = { first = 1, last = 5 }'
rule waits 'kernel = "copy"' 'unit = "sequence"' 'match = ["*.png"]' \
	"watch = \"$scratch/waits\"" 'sequence = { last = 3, gaps = "wait:2s" }'
rule meshes 'kernel = "copy"' 'unit = "bundle"' 'match = ["*.obj", "*.fbx"]' \
	"watch = \"$scratch/meshes\"" "inputs = \"move:$scratch/done\""
kilnd_start
is $? 0 'kilnd starts'


frames "$scratch/shots/a" 'f_%04d.png' 1 2 3 4
ctl sync --idle
is "$(unit_states)" '' 'a sequence without its last frame waits'
frames "$scratch/shots/a" 'f_%04d.png' 5 6
: >"$scratch/shots/a/f_0002.png"
ctl sync --idle
try 'with it, it is published' published a/f
is "$(ls "$output/a/f")" "$(printf 'f_%04d.png\n' 1 2 3 4 5)
kiln.json" 'whole, an empty frame too, and no frame beyond'

frames "$scratch/shots/b" 'f_%d.png' 1 2 4 5
frames "$scratch/shots/b" 'g_%02d.png' 1 2 3 4 5
ctl sync --idle
try 'another stem in the same folder is a unit of its own' published b/g
is "$(ls "$failed/b/f")" "$(printf 'f_%d.png\n' 1 2 4 5)" 'one with a gap is put aside'
like "$(cat "$failed/b/f.reason.txt")" '1 frame is missing: 3' 'and says which frame'

echo again >"$scratch/shots/a/f_0003.png"
ctl sync --idle
is "$(cat "$output/a/f.2/f_0003.png")" again 'a frame rendered again makes a new version'
frames "$scratch/shots/a" 'f_%02d.png' 1 2 3 4 5
ctl sync --idle
is "$(ls "$output/a/f.3" | head -n 1)" f_01.png 'frames of another padding are another sequence'
is "$(unit_states)" 'failed=1 published=4' 'and nothing else was taken'

frames "$scratch/waits" '%03d.png' 1 3
ctl sync --idle
is "$(ls "$failed" | grep -c sequence)" 0 'a gap is waited for'
await 20 test -e "$failed/sequence.reason.txt"
like "$(cat "$failed/sequence.reason.txt")" '1 frame is missing: 2' 'for so long'

printf 'v\n' >"$scratch/meshes/chair.obj"
for name in chair.mtl chair_diffuse.png chair.fbx chair_big.obj chair_big.mtl stray.png; do
	echo "$name" >"$scratch/meshes/$name"
done
ctl sync --idle
try 'a mesh is published with its companions' published chair
is "$(ls "$output/chair")" 'chair.fbx
chair.mtl
chair.obj
chair_diffuse.png
kiln.json' 'all of them, and not those of a longer stem'
try 'which has its own' published chair_big
is "$(ls "$scratch/done/chair_big")" $'chair_big.mtl\nchair_big.obj' 'moved as folders'
is "$(ls -A "$scratch/meshes")" stray.png 'what belongs to none stays, and no claim'
ctl sync --idle
before=$(unit_states)
kilnd_stop
kilnd_start
ctl sync --idle
is "$(unit_states)" "$before" 'a restart takes nothing twice'
try 'nothing in the output folder is without a sidecar' whole
finish
