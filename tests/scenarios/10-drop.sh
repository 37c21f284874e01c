#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: what is dropped, a file or a folder, is published once, whole, with a sidecar that
# tells the truth; the same content again is not run again.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
mkdir "$scratch/folders" "$scratch/done"
rule copies 'kernel = "copy"' 'mode = "0640"'
rule shots 'kernel = "copy"' 'unit = "directory"' "watch = \"$scratch/folders\"" \
	"inputs = \"move:$scratch/done\""
echo before >"$drop/before.txt"
kilnd_start
is $? 0 'kilnd starts'

echo dance >"$drop/a.txt"
mkdir -p "$drop/deep/er"
echo deeper >"$drop/deep/er/b.txt"
mkdir -p "$scratch/shot/sub"
echo 1 >"$scratch/shot/1.png"
echo 2 >"$scratch/shot/sub/2.png"
mv "$scratch/shot" "$scratch/folders/shot"
try 'kilnctl sync --idle waits for all of it' ctl sync --idle
try 'a drop from before the start is published' published before.txt
try 'a file is published' published a.txt
try 'the drop folder is mirrored' published deep/er/b.txt
try 'a folder is published as one' published shot
is "$(cat "$output/a.txt")" dance 'the content is what was dropped'
is "$(cat "$output/shot/sub/2.png")" 2 'a folder keeps its sub-folders'
is "$(stat -c %a "$output/a.txt" "$output/a.txt.kiln.json")" $'640\n640' 'the mode is the rule'"'"'s'
is "$(stat -c %a "$output/deep/er")" 755 'folders of the output can be entered'
is "$(find "$scratch/folders" -mindepth 1)" '' 'moved inputs leave the drop folder'
is "$(cat "$scratch/done/shot/1.png")" 1 'moved inputs lie where the rule says'
is "$(unit_states)" published=4 'the ledger says published'
try 'nothing else lies in the output folder' whole

cp "$drop/a.txt" "$drop/again.txt"
echo dance >"$drop/a.txt"
try 'the same content is dropped again' ctl sync --idle
is "$(unit_states)" 'published=4 skipped=2' 'the same content is skipped'
is "$(ls "$output"/again* 2>/dev/null)" '' 'and makes no second output'
like "$(ctl show "$drop/again.txt")" "$output/a.txt" 'show says where the earlier output lies'

echo other >"$drop/a.txt"
ctl sync --idle
is "$(cat "$output/a.2.txt")" other 'new content under an old name is a new version'
is "$(cat "$output/a.txt")" dance 'the old version stands'

# A writer that dawdles for longer than the quiet time, while the queue is long.
ctl pause copies >/dev/null
echo half >"$drop/slow.txt"
ctl sync --idle
echo 'half and whole' >"$drop/slow.txt"
ctl sync --idle
ctl resume copies >/dev/null
ctl sync --idle
is "$(ctl list --json | json 'sorted(u["state"] for u in d if "slow" in u["path"])')" \
	"['gone', 'published']" 'what settles twice before it runs is run once'
is "$(cat "$output/slow.txt")" 'half and whole' 'as it is in the end'

odd=$drop/$'odd\nname \x1b[31m\xff.txt'
echo odd >"$odd"
ctl sync --idle
try 'a name of any bytes is published under it' published $'odd\nname \x1b[31m\xff.txt'
like "$(ctl list)" 'odd\\x0aname \\x1b\[31m\\xff.txt' 'and is shown escaped'
is "$(grep -c $'\x1b' "$kilnd_log")" 0 'and logged escaped'

sed -i '/^kernel/a same = "run"' "$scratch/rules.d/copies.toml"
try 'a rule may run the same content again' ctl reload --wait
echo dance >"$drop/once more.txt"
ctl sync --idle
is "$(cat "$output/once more.txt")" dance 'then every drop has its own output'

kilnd_stop
is $? 0 'kilnd stops'
before=$(find "$output" -type f | sort)
kilnd_start
is $? 0 'kilnd starts again'
ctl sync --idle
is "$(find "$output" -type f | sort)" "$before" 'a restart publishes nothing twice'
finish
