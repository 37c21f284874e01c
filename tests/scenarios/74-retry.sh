#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: every kind of unit comes back whole out of quarantine when it is put right there
# and tried again: to its place where the rule keeps inputs, on its way where it moves
# them, also when kilnd died meanwhile; the reason goes, and nothing is overwritten.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
mkdir -p "$scratch"/{shots,meshes,scans,halls,packs,done}
rule shots 'kernel = "copy"' 'unit = "sequence"' 'match = ["*.png"]' \
	"watch = \"$scratch/shots\"" 'sequence = { first = 1, last = 4 }'
rule meshes 'kernel = "copy"' 'unit = "bundle"' 'match = ["*.obj"]' \
	"watch = \"$scratch/meshes\"" "inputs = \"move:$scratch/done\""
rule scans 'kernel = "copy"' 'unit = "directory"' "watch = \"$scratch/scans\""
# Even a rule that wants the same to run again runs what was put right once.
rule halls 'kernel = "copy"' 'unit = "directory"' "watch = \"$scratch/halls\"" 'same = "run"'
rule packs 'kernel = "copy"' 'unit = "archive"' 'match = ["*.tar"]' \
	"watch = \"$scratch/packs\"" 'inputs = "delete"'
kilnd_start
is $? 0 'kilnd starts'

mkdir -p "$scratch/shots/a" "$scratch/meshes/b" "$scratch/scans/room" "$scratch/halls/hall" \
	"$scratch/x/pack"
for i in 1 2 4; do echo "$i" >"$scratch/shots/a/f_$i.png"; done
echo v >"$scratch/meshes/b/chair.obj"
ln -s /etc/passwd "$scratch/meshes/b/chair.mtl"
echo p >"$scratch/scans/room/points"
echo h >"$scratch/halls/hall/points"
ln -s /etc/passwd "$scratch/scans/room/secret"
ln -s /etc/passwd "$scratch/halls/hall/secret"
echo 'no archive' >"$scratch/packs/pack.tar"
ctl sync --idle
is "$(unit_states)" 'failed=5' 'a unit of each kind fails'
is "$(cd "$failed" && find . -name '*.reason.txt' | sort | xargs)" \
	'./a/f.reason.txt ./b/chair.reason.txt ./hall.reason.txt ./pack.tar.reason.txt ./room.reason.txt' \
	'and lies in quarantine with its reason'
like "$(cat "$failed/a/f.reason.txt")" 'kilnctl retry [0-9]+' 'which says how it is tried again'
is "$(stat -c %a "$failed/a/f")" 755 'a sequence in a folder that others may read'
is "$(find "$scratch"/{shots,meshes,scans,halls,packs} ! -type d)" '' 'nothing of them is where it was'

# Put right: the missing frame has come where it belongs, the rest is mended in quarantine.
echo 3 >"$scratch/shots/a/f_3.png"
rm "$failed/b/chair/chair.mtl" "$failed"/{room,hall}/secret
echo red >"$failed/b/chair/chair.mtl"
echo t >"$scratch/x/pack/texture"
tar -C "$scratch/x" -cf "$failed/pack.tar" pack
for rule in shots meshes scans halls packs; do
	like "$(ctl retry -r "$rule")" '1 tried again' "$rule: it is tried again"
done
ctl sync --idle
# What was changed on the way and is kept is noticed as another drop, of the same content.
is "$(unit_states)" 'published=5 skipped=3' 'and all are published, once'
try 'whole' published a/f b/chair room hall pack
is "$(cat "$output"/a/f/f_{1,2,3,4}.png | xargs)" '1 2 3 4' 'with all frames'
is "$(cat "$output/b/chair/chair.mtl" "$output/room/points" "$output/pack/pack/texture" | xargs)" \
	'red p t' 'and what was put right'
is "$(find "$failed" -mindepth 1 ! -type d)" '' 'nothing is left in quarantine'
is "$(cd "$scratch" && find shots scans ! -type d | sort | xargs)" \
	"$(printf 'scans/room/points shots/a/f_%d.png' 1) $(printf 'shots/a/f_%d.png ' 2 3 4 | sed 's/ $//')" \
	'what the rule keeps is back in its place'
is "$(cd "$scratch" && find done meshes packs ! -type d | sort | xargs)" \
	'done/b/chair/chair.mtl done/b/chair/chair.obj' 'what it does not, is on its way'
is "$(find "$scratch" -name '.kiln-claim*')" '' 'and no claim is left'

# A restart takes nothing twice, and what comes back into a taken place stays out of it.
kilnd_stop
kilnd_start
ctl sync --idle
is "$(unit_states)" 'published=5 skipped=3' 'a restart takes nothing twice'
mkdir "$scratch/shots/c"
for i in 1 2 4; do echo "old $i" >"$scratch/shots/c/f_$i.png"; done
ctl sync --idle
try 'another sequence fails' test -e "$failed/c/f.reason.txt"
for i in 1 2 3 4; do echo "new $i" >"$scratch/shots/c/f_$i.png"; done
ctl sync --idle
try 'is rendered anew and published' published c/f
ctl retry -r shots >"$scratch/said"
ctl sync --idle
is "$(cat "$scratch"/shots/c/f_*.png | xargs)" 'new 1 new 2 new 3 new 4' \
	'the old frames do not come between the new ones'
is "$(cat "$failed"/c/f/f_*.png | xargs)" 'old 1 old 2 old 4' 'and stay in quarantine'
try 'with their reason' test -e "$failed/c/f.reason.txt"
is "$(ls "$output/c")" f 'the content that is there is published once'
try 'nothing in the output folder is without a sidecar' whole
finish
