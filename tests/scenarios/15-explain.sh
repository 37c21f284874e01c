#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: asked about one frame of a sequence, one file of a bundle or one file in what came
# out of an archive, explain finds the unit it belongs to, says where that stands and why;
# and of a file that came late, that it did.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
mkdir -p "$scratch"/{shots,waits,meshes,packs,done}
rule shots 'kernel = "copy"' 'unit = "sequence"' 'match = ["*.png"]' "watch = \"$scratch/shots\"" \
	'sequence = { first = 1, last = 4 }' "inputs = \"move:$scratch/done\"" 'params.pause = 0.0'
rule waits 'kernel = "copy"' 'unit = "sequence"' 'match = ["*.png"]' \
	"watch = \"$scratch/waits\"" 'sequence = { gaps = "wait:10min" }'
rule meshes 'kernel = "copy"' 'unit = "bundle"' 'match = ["*.obj"]' \
	"watch = \"$scratch/meshes\"" "inputs = \"move:$scratch/done\""
rule packs 'kernel = "copy"' 'unit = "archive"' 'match = ["*.tar"]' "watch = \"$scratch/packs\""
kilnd_start
is $? 0 'kilnd starts'

explain() # PATH below $scratch: "STATE REASON"
{
	ctl explain "$scratch/$1" --json |
		json '" | ".join(r["state"] + " " + r["reason"] for r in d["rules"])'
}

# A sequence, from its first frame to its output.
frames "$scratch/shots/a" 'f_%04d.png' 1 2
ctl sync --idle
is "$(explain shots/a/f_0002.png)" 'incomplete its sequence is taken when its last frame, 4, is there' \
	'a frame of one that is not whole'
like "$(explain shots/a/f_0005.png)" "ignored frame 5 is beyond the rule's last, 4" 'one that is none'
like "$(explain shots/a/f_0000.png)" "ignored frame 0 is before the rule's first, 1" 'nor at the other end'
ctl pause shots
frames "$scratch/shots/a" 'f_%04d.png' 3 4
ctl sync --idle
like "$(explain shots/a/f_0003.png)" "^paused it belongs to 'a/f_%04d.png': the rule starts nothing: paused by" \
	'one that waits'
is "$(explain shots/a/f_0003.png)" "$(explain 'shots/a/f_%04d.png' | sed "s/^paused /&it belongs to 'a\/f_%04d.png': /")" \
	'as its sequence does'
sed -i 's/^params.pause.*/params.pause = 60/' "$scratch/rules.d/shots.toml"
ctl reload --wait
ctl resume shots
await 20 eval 'ctl list -r shots -s running | grep -q a/f'
like "$(explain shots/a/f_0001.png)" "^running it belongs to 'a/f_%04d.png': it runs, in batch [0-9]+" \
	'one that runs, claimed as it is'
ctl cancel "$scratch/shots/a/f_%04d.png" >"$scratch/said"
ctl sync --idle
like "$(explain shots/a/f_0001.png)" "^cancelled it belongs to 'a/f_%04d.png': somebody cancelled it" \
	'one that was cancelled'
sed -i 's/^params.pause.*/params.pause = 0.0/' "$scratch/rules.d/shots.toml"
ctl reload --wait
ctl retry "$scratch/shots/a/f_%04d.png" >"$scratch/said"
ctl sync --idle
like "$(explain shots/a/f_0001.png)" "^published it belongs to 'a/f_%04d.png': it is published as '$output/a/f'" \
	'one that is published and moved away'
echo late >"$scratch/shots/a/f_0002.png"
ctl sync --idle
is "$(explain shots/a/f_0002.png)" "late it belongs to 'a/f_%04d.png': but it came when that was published and gone; it is taken with the next unit of that name, when the last frame, 4, is there" \
	'a frame that came late'
like "$(explain shots/a/f_0001.png)" '^published' 'which the others are not'

# Which pattern a number is of: without a leading zero all widths up to its own may be.
frames "$scratch/shots/b" 'g_%02d.png' 1 2 4
frames "$scratch/shots/b" 'h_%d.png' 1 2 3 4
ctl sync --idle
like "$(explain shots/b/g_02.png)" "^failed it belongs to 'b/g_%02d.png': 1 frame is missing: 3" \
	'one in quarantine, and why'
like "$(explain shots/b/h_4.png)" "^published it belongs to 'b/h_%d.png'" 'another stem beside it'
like "$(explain shots/b/i_1.png)" '^absent' 'one that never was'

frames "$scratch/waits" '%03d.png' 1 3
ctl sync --idle
like "$(explain waits/003.png)" '^incomplete frames of its sequence are missing: they are waited for' \
	'one whose gap is waited for'

# A bundle: companions are told the longest stem.
for name in chair.obj chair.mtl chair_big.obj chair_big_map.png table.mtl; do
	echo "$name" >"$scratch/meshes/$name"
done
ctl sync --idle
for name in chair.mtl=chair.obj chair_big_map.png=chair_big.obj; do
	like "$(explain "meshes/${name%=*}")" "^published it belongs to '${name#*=}': it is published as '$output/$(basename "${name#*=}" .obj)'" \
		"${name%=*} of ${name#*=}"
done
like "$(explain meshes/chair.obj)" '^published it is published' 'the main file is the unit'
is "$(explain meshes/table.mtl)" 'incomplete no main file ("*.obj") of a stem that fits its name is known' \
	'a companion of nothing'
echo late >"$scratch/meshes/chair_red.png"
ctl sync --idle
like "$(explain meshes/chair_red.png)" "^late it belongs to 'chair.obj': but it came when that was published and gone" \
	'a companion that came late'
ln -s /etc/passwd "$scratch/meshes/stool.mtl"
echo v >"$scratch/meshes/stool.obj"
ctl sync --idle
like "$(explain meshes/stool.mtl)" "^failed it belongs to 'stool.obj': 'stool.mtl' is a symbolic link" \
	'one in quarantine'

# Outputs, by the sidecar that they have.
mkdir -p "$scratch/x/pack/deep"
echo t >"$scratch/x/pack/deep/texture"
tar -C "$scratch/x" -cf "$scratch/packs/pack.tar" pack
ctl sync --idle
for path in out/pack/pack/deep/texture out/pack/pack/deep out/pack; do
	like "$(explain "$path")" "^published it was made of 'pack.tar': it is published as '$output/pack'" \
		"$path came out of an archive"
done
like "$(explain out/a/f/f_0001.png)" "^published it was made of 'a/f_%04d.png'" 'a frame of an output'
like "$(ctl explain "$output/pack/pack/deep/texture")" "unit [0-9]+, see 'kilnctl show" 'its number is told'
echo stray >"$output/stray"
like "$(ctl explain "$output/stray")" 'no sidecar names it' 'what nobody made'
kilnd_stop
is $? 0 'kilnd stops'
finish
