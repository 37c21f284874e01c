#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: a good configuration takes force on reload, by kilnctl and by SIGHUP; a bad one is
# refused with its place, and the old one stays, whole.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
rule copies 'kernel = "copy"'
kilnd_start
is $? 0 'kilnd starts'

cp "$scratch/rules.d/copies.toml" "$scratch/good"
echo 'colour = "red"' >>"$scratch/rules.d/copies.toml"
line=$(wc -l <"$scratch/rules.d/copies.toml")
said=$(ctl reload --wait 2>&1)
is $? 1 'a bad configuration makes reload fail'
like "$said" "copies\.toml:$line:[0-9]+: .*colour" 'with file, line and column'
echo one >"$drop/one.txt"
ctl sync --idle
try 'the old configuration stays in force' published one.txt
like "$(ctl status)" 'copies\.toml:' 'status tells of the refusal'

mkdir "$scratch/elsewhere"
sed "s|^watch = .*|watch = \"$scratch/elsewhere\"|" "$scratch/good" >"$scratch/rules.d/copies.toml"
try 'a good one takes force' ctl reload --wait
echo two >"$scratch/elsewhere/two.txt"
echo three >"$drop/three.txt"
ctl sync --idle
try 'its drop folder is watched' published two.txt
is "$(ls "$output"/three* 2>/dev/null)" '' 'the old one is not'

cp "$scratch/good" "$scratch/rules.d/copies.toml"
kill -HUP "$kilnd_pid"
await 20 published three.txt
try 'SIGHUP reloads too' published three.txt
echo 'broken [' >"$scratch/rules.d/worse.toml"
kill -HUP "$kilnd_pid"
await 20 grep -q 'worse\.toml:1:' "$kilnd_log"
like "$(cat "$kilnd_log")" 'reload refused, the old configuration stays: .*worse\.toml:1:[0-9]+' \
	'a bad one by SIGHUP is logged with its place'
echo four >"$drop/four.txt"
ctl sync --idle
try 'and changes nothing' published four.txt
kilnd_stop
is $? 0 'kilnd stops'
said=$("$top_builddir/kilnd" -c "$conf" --state "$state" --foreground 2>&1)
is $? 1 'kilnd does not start on a bad configuration'
like "$said" 'worse\.toml:1:[0-9]+' 'and says where it is bad'
finish
