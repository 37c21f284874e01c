#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: an output file system that is really full, has no inodes left, or is remounted
# read-only in the middle holds the units, their inputs untouched, and says why; when it is
# well again each is published exactly once.
. "${top_srcdir:-.}/tests/scenarios/mounts.sh"
tidy()
{
	umount -l "$output" 2>/dev/null
	_end
}
trap tidy EXIT

rule copies 'kernel = "copy"' 'inputs = "delete"' 'retries = { max = 1, backoff = "1s..2s" }'
mount -t tmpfs -o size=1m,nr_inodes=40 kiln "$output" || skip_all 'needs root or user namespaces that may mount a tmpfs'
mkdir -p "$output/.kiln-stage"
kilnd_start
is $? 0 'kilnd starts'

deferred() # NAME PATTERN: it waits with a reason like that, tried more often than retries allow
{
	[ "$(grep -cE "'$1' deferred: .*$2" "$kilnd_log")" -ge 3 ]
}
held() # NAME PATTERN WHAT
{
	try "$3: it is held" await 60 deferred "$1" "$2"
	try "$3: its input stays" test -e "$drop/$1"
	is "$(ls "$failed")" '' "$3: it is not taken for a bad one"
	try "$3: nothing half is seen" seen
	like "$(ctl list)" "$1 .*deferred|deferred .*$1" "$3: kilnctl lists it"
}

# No room for its bytes.
head -c 900000 /dev/zero >"$output/.kiln-stage/.ballast"
head -c 300000 /dev/urandom >"$drop/big"
held big 'file system is full' 'full'
# A smaller one is not held up by it.
echo small >"$drop/small"
try 'full: a small one finds room' await 30 published small
rm "$output/.kiln-stage/.ballast"
try 'full: room lets it through' await 30 published big
ctl sync --idle
try 'full: and its input goes' test ! -e "$drop/big"

# No inodes.
rm "$output"/[bs]*
for i in $(seq 60); do : >"$output/.kiln-stage/.b$i" || break; done 2>/dev/null
rm "$output/.kiln-stage/.b1"
echo nodes >"$drop/nodes"
held nodes '(No space left|no inodes)' 'no inodes'
rm "$output"/.kiln-stage/.b*
try 'no inodes: more of them let it through' await 30 published nodes
ctl sync --idle

# Read-only in the middle: after some, before others.
mount -o remount,ro "$output"
echo later >"$drop/later"
held later '[Rr]ead-only' 'read-only'
mount -o remount,rw "$output"
try 'read-only: writable again it is published' await 30 published later
ctl sync --idle
is "$(ls -A "$drop")" '' 'no input is left'
try 'every output is whole' whole
is "$(unit_states)" 'published=4' 'each was published once'
kilnd_stop
is $? 0 'kilnd stops'
finish
