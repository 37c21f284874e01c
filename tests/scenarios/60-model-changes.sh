#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: a model stays warm from drop to drop while it is the same, and the first drop after
# it has changed, by whatever way, is evaluated on the new one; a sidecar tells which.  The
# same motion on the same model is done once, on another model again.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
model=$scratch/model.pmx
motions=$scratch/motions
mkdir "$motions"

# Models whose only bone, センター, stands at a given height; motions that lift it by 1, each
# of another length: none has the content of another.
make() # model HEIGHT | motion FRAME
{
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$top_srcdir/tests/plugins /usr/bin/python3 - "$@" <<-'END'
		import sys
		import mmd
		kind, number = sys.argv[1], int(sys.argv[2])
		bone = "センター"
		data = (mmd.pmx([{"name": bone, "position": (0, number, 0)}]) if kind == "model" else
		        mmd.vmd([(bone, number, (0, 1, 0), (0, 0, 0, 1))]))
		sys.stdout.buffer.write(data)
	END
}

height() # NAME: of the bone in the output's last frame
{
	/usr/bin/python3 - "$output/$1" <<-'END'
		import struct
		import sys
		import zipfile
		print("%g" % struct.unpack("<3f", zipfile.ZipFile(sys.argv[1]).read("positions.npy")[-12:])[1])
	END
}

recorded() # NAME: the SHA-256 of the model in its sidecar
{
	json 'd["path_params"]["model"]["sha256"]' <"$output/$1.kiln.json"
}

drop() # NAME FRAME
{
	make motion "$2" >"$motions/$1" && mv "$motions/$1" "$drop/$1" && ctl sync --idle >/dev/null
}

engines() # the processes below kilnd's children: keepers have one engine each
{
	local keeper
	for keeper in $(pgrep -P "$kilnd_pid"); do
		pgrep -P "$keeper"
	done | sort
}

rule motions 'kernel = "vmd-fk"' 'match = ["*.vmd"]' "params.model = \"$model\"" \
	'params.compression = "none"'
make model 8 >"$model"
kilnd_start
is $? 0 'kilnd starts'
drop a.vmd 1
is "$(height a.npz)" 9 'a motion is evaluated on the model'
is "$(recorded a.npz)" "$(sha256sum <"$model" | cut -d' ' -f1)" 'whose sum its sidecar tells'
first=$(engines)
drop b.vmd 2
is "$(height b.npz)" 9 'and so is the next'
if [ -n "$first" ]; then
	is "$(engines)" "$first" 'by the same engine: the model stayed warm'
else
	fail 'by the same engine: the model stayed warm' 'there is no engine after the first'
fi

make model 11 >"$model.new"
mv "$model.new" "$model"
drop c.vmd 3
is "$(height c.npz)" 12 'a model put in its place is taken up'
is "$(recorded c.npz)" "$(sha256sum <"$model" | cut -d' ' -f1)" 'and told'
isnt_first=$(engines)
if [ "$isnt_first" != "$first" ]; then
	pass 'by a new engine'
else
	fail 'by a new engine' "still $first"
fi

touch -r "$model" "$scratch/time"
make model 21 >"$scratch/other"
is "$(stat -c %s "$scratch/other")" "$(stat -c %s "$model")" 'another of the same size'
cat "$scratch/other" >"$model"
touch -r "$scratch/time" "$model"
drop d.vmd 4
is "$(height d.npz)" 22 'written over it, with its size and time, is taken up'

make model 8 >"$model"
drop e.vmd 5
is "$(height e.npz)" 9 'and so is the first one when it comes back'
is "$(height a.npz) $(height b.npz) $(height c.npz)" '9 9 12' 'earlier outputs stand'
is "$(unit_states)" published=5 'the ledger agrees'

drop again.vmd 1
is "$(unit_states)" 'published=5 skipped=1' 'a motion that was on this model before is skipped'
make model 11 >"$model"
drop other.vmd 1
is "$(height other.npz)" 12 'after only the model has changed it is evaluated'
is "$(unit_states)" 'published=6 skipped=1' 'and published'
drop third.vmd 1
is "$(unit_states)" 'published=6 skipped=2' 'once'
kilnd_stop
is $? 0 'kilnd stops'
kilnd_start
drop fourth.vmd 1
is "$(unit_states)" 'published=6 skipped=3' 'nor after a new start, when no engine has the model'
try 'all outputs are whole' whole
kilnd_stop
is $? 0 'kilnd stops'
finish
