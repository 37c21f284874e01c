#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: nothing is left lying about.  A unit that is cancelled or given up after its keeper
# was killed leaves the claim, for its place or for quarantine; an input that could not be
# disposed of is tried again while kilnd runs, without running its kernel again, and status
# shows it meanwhile; what a removal left behind goes with the next batch.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
mkdir -p "$scratch"/{once,lost,done}
rule copies 'kernel = "copy"' "inputs = \"move:$scratch/done\"" \
	'retries = { max = 3, backoff = "1h..2h" }' 'params.pause = 60.0'
rule once 'kernel = "copy"' "watch = \"$scratch/once\"" 'inputs = "delete"' \
	'retries = { max = 0, backoff = "1s..1s" }' 'params.pause = 60.0'
rule lost 'kernel = "copy"' "watch = \"$scratch/lost\"" "inputs = \"move:$scratch/file/lost\"" \
	'retries = { max = 3, backoff = "1s..1s" }'
: >"$scratch/file"
kilnd_start
is $? 0 'kilnd starts'

claimed() # FOLDER NAME
{
	compgen -G "$1/.kiln-claim/*~$2" >/dev/null
}
kill_keepers()
{
	pkill -KILL -P "$kilnd_pid" kiln-worker
}

# Cancelled while it waits for another try, its claim left by a killed keeper.
echo one >"$drop/one.txt"
try 'a unit is claimed' await 20 claimed "$drop" one.txt
kill_keepers
try 'its keeper is killed' await 20 eval '[ "$(unit_state "$drop/one.txt")" = deferred ]'
try 'the claim is left' claimed "$drop" one.txt
like "$(ctl cancel "$drop/one.txt")" '1 cancelled' 'it is cancelled'
try 'and is back in its place' await 20 test -e "$drop/one.txt"
ctl sync --idle
is "$(cat "$drop/one.txt") $(unit_state "$drop/one.txt")" 'one cancelled' 'as it was'
try 'no claim is left' test ! -e "$drop/.kiln-claim"

# Cancelled so in a kilnd that dies before a keeper came.
echo two >"$drop/two.txt"
await 20 claimed "$drop" two.txt
kilnd_kill
kilnd_start
try 'a unit whose kilnd was killed, too, is claimed still' await 20 claimed "$drop" two.txt
await 20 eval '[ "$(unit_state "$drop/two.txt")" = running ]'
kill_keepers
await 20 eval '[ "$(unit_state "$drop/two.txt")" = deferred ]'
ctl pause copies
ctl cancel "$drop/two.txt" >"$scratch/said"
try 'cancelled in a rule that is paused, it stays claimed' claimed "$drop" two.txt
kilnd_kill
kilnd_start
is "$(unit_state "$drop/two.txt")" cancelled 'it is cancelled after a restart'
ctl resume copies
try 'and put back when the rule goes on' await 20 test -e "$drop/two.txt"
ctl sync --idle
is "$(unit_state "$drop/two.txt")" cancelled 'and stays cancelled'
try 'no claim is left' test ! -e "$drop/.kiln-claim"

# Cancelled while it ran, and the keeper was killed before it could put it back.
echo three >"$drop/three.txt"
await 20 claimed "$drop" three.txt
keeper=$(pgrep -P "$kilnd_pid" kiln-worker)
kill -STOP $keeper
ctl cancel "$drop/three.txt" >"$scratch/said"
kill -KILL $keeper
try 'cancelled while its keeper dies, it is put back' await 20 test -e "$drop/three.txt"
ctl sync --idle
is "$(unit_state "$drop/three.txt")" cancelled 'and is cancelled'
try 'no claim is left' test ! -e "$drop/.kiln-claim"

# Given up: the claim goes into quarantine, not run once more.
echo four >"$scratch/once/four.txt"
await 20 claimed "$scratch/once" four.txt
kill_keepers
try 'one that is given up lands in quarantine' await 20 test -e "$failed/four.txt"
like "$(cat "$failed/four.txt.reason.txt")" 'given up after 1 tries' 'which says why'
ctl sync --idle
is "$(unit_state "$scratch/once/four.txt")" failed 'and has failed'
try 'no claim is left' test ! -e "$scratch/once/.kiln-claim"

# A disposal that fails is tried again.
echo five >"$scratch/lost/five.txt"
await 20 eval 'ctl status | grep -q "could not be disposed of"'
like "$(ctl status)" "rule 'lost': the inputs of 1 units that are done could not be disposed of yet" \
	'an input that cannot be moved is shown'
is "$(ctl status --json | json '[r["undisposed"] for r in d["rules"] if r["name"] == "lost"]')" '[1]' 'as JSON, too'
is "$(unit_state "$scratch/lost/five.txt")" published 'its unit is published'
try 'its input is there' test -e "$scratch/lost/five.txt"
# Each try takes the file away and puts it back, and then it settles for a moment.
explained() { ctl explain "$scratch/lost/five.txt" |
	grep -Eq 'published: but its input could not be disposed of, try [0-9]+'; }
try 'explain says so' await 20 explained
said=$(ctl cancel "$scratch/lost/five.txt" 2>&1)
is "$? $(grep -c 'there is nothing to cancel' <<<"$said")" '1 1' 'it is not cancelled'
tries() { [ "$(grep -c "'five.txt' stays where it is" "$kilnd_log")" -ge 2 ]; }
try 'it is tried again' await 30 tries
rm "$scratch/file"
try 'until it can be moved' await 30 test -e "$scratch/file/lost/five.txt"
await 20 eval '! ctl status | grep -q "could not be disposed of"'
ctl sync --idle
is "$(ls "$output" | grep -c five)" 2 'the output is there once, with its sidecar'
is "$(ctl status --json | json '[r["undisposed"] for r in d["rules"] if r["name"] == "lost"]')" '[0]' 'nothing is due'

# Replaced meanwhile: what is there by then is another drop, and is not taken for the old.
: >"$scratch/blocked"
sed -i "s#^inputs.*#inputs = \"move:$scratch/blocked/lost\"#" "$scratch/rules.d/lost.toml"
ctl reload --wait
echo six >"$scratch/lost/six.txt"
await 20 eval 'ctl status | grep -q "could not be disposed of"'
ctl pause lost
echo 'six, changed' >"$scratch/lost/six.new" && mv "$scratch/lost/six.new" "$scratch/lost/six.txt"
ctl sync --idle
rm "$scratch/blocked"
ctl resume lost
await 30 test -e "$scratch/blocked/lost/six.txt"
ctl sync --idle
is "$(cat "$output/six.txt" "$output/six.2.txt")" $'six\nsix, changed' 'what took its place is a drop of its own'
is "$(cat "$scratch"/blocked/lost/six*)" 'six, changed' 'and moved as that'

# What a power cut brought back of a folder that was removed.
mkdir -p "$scratch/lost/.kiln-claim/.kiln-gone.9~frames"
chmod 700 "$scratch/lost/.kiln-claim"
: >"$scratch/lost/.kiln-claim/.kiln-gone.9~frames/1.png"
echo seven >"$scratch/lost/seven.txt"
await 20 test -e "$scratch/blocked/lost/seven.txt"
ctl sync --idle
try 'goes with the next batch' await 20 test ! -e "$scratch/lost/.kiln-claim"
try 'nothing in the output folder is without a sidecar' whole
kilnd_stop
is $? 0 'kilnd stops'
finish
