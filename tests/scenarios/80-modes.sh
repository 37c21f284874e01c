#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: the ways in which watch folders have really failed people, each by its number in
# our list of them.  Those that have a scenario of their own are met here once more, in
# short.
#
# Some mount, so it runs in mount namespaces of its own where that can be had.
if [ -z "${KILN_MOUNTS:-}" ]; then
	KILN_MOUNTS=no
	for unshare in 'unshare -Urm' 'unshare -m'; do
		$unshare true 2>/dev/null && KILN_MOUNTS=$unshare
	done
	export KILN_MOUNTS
	[ "$KILN_MOUNTS" = no ] || exec $KILN_MOUNTS "$0" "$@"
fi
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
[ "$KILN_MOUNTS" = no ] || mount --make-rprivate / 2>/dev/null
tidy()
{
	awk -v below="$scratch/" 'index($2, below) == 1 { print $2 }' /proc/mounts | tac | xargs -r umount -l
	_end
}
trap tidy EXIT
mounts() # WHAT: whether it can mount; if not, WHAT is skipped
{
	[ "$KILN_MOUNTS" != no ] && return
	skip "$1" 'needs root or user namespaces to mount'
	return 1
}
idle()
{
	ctl sync --idle >/dev/null
}
# units NAME: how many units the ledger has of that name, and their states
units()
{
	ctl list --json | json '" ".join(sorted(u["state"] for u in (d if isinstance(d, list) else d["units"]) if u["path"] == sys.argv[2]))' "$1"
}
json() # as lib.sh's, with arguments
{
	/usr/bin/python3 -c 'import json, sys; d = json.load(sys.stdin); print(eval(sys.argv[1]))' "$@"
}
# anew NAME LINE...: another rule NAME alone, with folders of its own, below a kilnd to be
# started
anew()
{
	local name=$1
	shift
	[ -z "$kilnd_pid" ] || kilnd_stop
	rm -f "$scratch"/rules.d/*
	drop=$scratch/$name output=$scratch/$name-out failed=$scratch/$name-failed
	mkdir -p "$drop"
	: >"$kilnd_log"
	rule "$name" 'kernel = "copy"' "$@"
}
batches()
{
	grep -c 'batch [0-9]* done' "$kilnd_log"
}

anew slow 'settle = "500ms"'
kilnd_start
is $? 0 'kilnd starts'

# 1: a writer pauses for longer than the quiet time with the file open; another closes,
# opens again and appends, as scanners do.
exec 7>"$drop/held"
echo first >&7
(for page in 1 2 3 4 5; do echo "page $page" >>"$drop/scanned"; sleep .2; done) &
sleep 1.5
idle
is "$(ls "$output" 2>/dev/null | grep -c held)" 0 'mode 1: a file that is held open is left alone'
echo last >&7
exec 7>&-
wait $!
try 'mode 1: it is taken when it is closed' await 30 published held
is "$(cat "$output/held" 2>/dev/null)" "$(printf 'first\nlast')" 'mode 1: whole'
idle
is "$(wc -l <"$output/scanned"): $(units scanned)" '5: published' 'mode 1: what is appended to is one unit'

# 2: many events for one file are one unit.
for i in 1 2 3 4 5; do
	echo same >"$drop/busy"
	touch "$drop/busy"
	chmod 640 "$drop/busy"
done
idle
chmod 600 "$drop/busy"
touch -a "$drop/busy"
idle
is "$(units busy)" published 'mode 2: many events are one unit'

# 3: a copier that keeps an old mtime is slow.
/usr/bin/python3 - "$drop/old" <<'END'
import os, sys, time
with open(sys.argv[1], "wb", buffering=0) as f:
    for i in range(6):
        f.write(b"chunk")
        os.utime(f.fileno(), (10**9, 10**9))
        time.sleep(0.2)
END
idle
is "$(stat -c %s "$output/old"): $(units old)" '30: published' 'mode 3: an old mtime is no age'

# 4: trees that are moved in, or made in no time.
mkdir -p "$scratch/tree/x/y"
echo in >"$scratch/tree/x/y/moved"
mv "$scratch/tree" "$drop/tree"
for i in $(seq 100); do
	mkdir -p "$drop/made$i/a/b/c" && echo "$i" >"$drop/made$i/a/b/c/deep$i"
done
idle
is "$(find "$output/tree/x/y/moved" "$output"/made*/a/b/c/deep* ! -name '*.json' | wc -l)" 101 \
	'mode 4: no tree is missed'

# 5: more events than the kernel keeps.
kill -STOP "$kilnd_pid"
/usr/bin/python3 - "$drop" "$(cat /proc/sys/fs/inotify/max_queued_events)" <<'END'
import sys
drop, most = sys.argv[1], int(sys.argv[2])
for i in range(most):
    open(f"{drop}/event{i % 2}", "a").close()
for i in range(20):
    with open(f"{drop}/after{i}", "w") as f:
        f.write(str(i))
END
kill -CONT "$kilnd_pid"
idle
is "$(find "$output" -name 'after*' ! -name '*.json' | wc -l)" 20 'mode 5: what no event told of is found'
is "$(ctl status --json | json 'd["overflows"]')" 1 'mode 5: one overflow is counted'

# 11: a name that failed before, or whose content was seen before.
mkfifo "$drop/again"
idle
is "$(units again)" failed 'mode 11: a name fails'
echo good now >"$drop/again"
idle
try 'mode 11: and is taken with new content' published again
cp "$output/again" "$drop/copy"
idle
is "$(units copy)" skipped 'mode 11: the same content again is said to be so'

# 12: identities that look alike: an inode that is used again, empty files, equal heads.
echo one >"$drop/reused"
idle
inode=$(stat -c %i "$drop/reused")
rm "$drop/reused"
for i in $(seq 50); do
	echo "other $i" >"$drop/reused"
	[ "$(stat -c %i "$drop/reused")" = "$inode" ] && break
	mv "$drop/reused" "$scratch/kept$i"
done
# Somebody else on this file system may have been given it first.
[ -e "$drop/reused" ] || { note 'the inode was not to be had again'; echo other >"$drop/reused"; }
idle
like "$(cat "$output"/reused*.2 "$output"/reused.2* 2>/dev/null)" 'other' 'mode 12: a used inode is no identity'
head -c 1M /dev/zero >"$scratch/head"
for i in 1 2 3; do { cat "$scratch/head"; echo "$i"; } >"$drop/head$i"; done
idle
try 'mode 12: nor is an equal head' published head1 head2 head3

# 14: drops while a batch runs, and while the configuration is loaded again.
head -c 30M /dev/urandom >"$drop/large"
(for i in $(seq 30); do echo "during $i" >"$drop/during$i"; sleep .05; done) &
for i in 1 2 3 4 5; do ctl reload --wait >/dev/null; done
wait $!
idle
is "$(find "$output" -name 'during*' ! -name '*.json' | wc -l)" 30 'mode 14: nothing is missed meanwhile'

# 18: many files of one time, and late ones of an older time.
for i in $(seq 40); do echo "time $i" >"$scratch/t" && touch -d @1000000000 "$scratch/t" && mv "$scratch/t" "$drop/time$i"; done
idle
echo late >"$scratch/t" && touch -d @900000000 "$scratch/t" && mv "$scratch/t" "$drop/time-late"
idle
is "$(find "$output" -name 'time*' ! -name '*.json' | wc -l)" 41 'mode 18: times of modification decide nothing'

# 19: the drop folder is replaced.
mv "$drop" "$scratch/aside"
mkdir "$drop"
echo here >"$drop/replaced"
echo there >"$scratch/aside/elsewhere"
try 'mode 19: a folder in its place is taken up' await 30 published replaced
idle
is "$(ls "$output" | grep -c elsewhere)" 0 'mode 19: the old one is let go'

# 13: a kill, and a stop, in the middle of much.
anew killed 'inputs = "delete"' 'batch = { by = "all", max_units = 8, max_wait = "0s" }'
kilnd_start
for i in $(seq 60); do echo "$i" >"$drop/k$i"; done
await 20 test -e "$output/k1"
kilnd_kill
kilnd_start
for i in $(seq 61 120); do echo "$i" >"$drop/k$i"; done
await 20 test -e "$output/k70"
kilnd_stop
is $? 0 'mode 13: it stops in the middle'
kilnd_start
idle
is "$(find "$output" -mindepth 1 ! -name '*.json' ! -path '*/.kiln-stage*' | wc -l) $(ls -A "$drop" | wc -l)" '120 0' \
	'mode 13: nothing is lost or done twice'
try 'mode 13: all is whole' whole

# 10: what fails is not tried again at every start.
echo "[daemon]
plugins = [\"$top_builddir/plugins\", \"$top_builddir/tests/plugins\"]" >>"$conf"
anew poison 'kernel = "crash-on-name"' 'retries = { max = 2, backoff = "50ms..100ms" }'
sed -i '/^kernel = "copy"/d; /^quarantine/d' "$scratch/rules.d/poison.toml"
echo poison >"$drop/poison"
kilnd_start
is $? 0 'mode 10: with a kernel that crashes'
idle
tries=$(batches)
for i in 1 2 3 4 5; do
	kilnd_stop
	kilnd_start
	idle
done
is "$(units poison)" failed 'mode 10: a poisonous file is given up'
is "$(batches)" "$tries" 'mode 10: five starts do not try it again'
note "$tries tries"

# 6: no watches to be had.
if command -v strace >/dev/null && ! grep -q KILN_SANITIZED.1 "$top_builddir/config.h"; then
	anew unwatched
	kilnd_start strace -f -o /dev/null -e trace=inotify_add_watch -e inject=inotify_add_watch:error=ENOSPC
	is "$(ctl status --json | json 'd["rules"][0]["state"]')" polling 'mode 6: without watches it polls'
	mkdir -p "$drop/sub"
	echo x >"$drop/sub/polled"
	idle
	try 'mode 6: and misses nothing' published sub/polled
	is "$(grep -c max_user_watches "$kilnd_log")" 1 'mode 6: with one warning'
	tracer=$kilnd_pid
	kill -TERM "$(pgrep -P "$tracer" -x kilnd)"
	wait "$tracer"
	kilnd_pid=
else
	skip 'mode 6: without watches it polls' 'needs strace, and no sanitizer'
fi

# 15: watches die behind kilnd's back.  Its watchdog is what asks after them, so there is one
# here: a socket that nobody reads.
anew watched
mkdir "$drop/below"
/usr/bin/python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while s.recv(4096): pass' "$scratch/notify" &
listener=$!
await 10 test -S "$scratch/notify"
kilnd_start env NOTIFY_SOCKET="$scratch/notify" WATCHDOG_USEC=1000000
idle
lost() { ctl status --json | json 'd["lost_watches"]'; }
sleep 2
is "$(lost)" 0 'mode 15: watches live'
if "$top_srcdir/tests/scenarios/kill-watches.py" "$kilnd_pid" >/dev/null; then
	echo unseen >"$drop/unseen"
	echo unseen, too >"$drop/below/unseen"
	try 'mode 15: what a dead watch did not tell of is found' await 30 published unseen below/unseen
	is "$(lost)" 1 'mode 15: it is counted'
	is "$(grep -c 'had died' "$kilnd_log")" 1 'mode 15: with one warning'
	like "$(ctl status)" 'lost watches *1' 'mode 15: and shown'
	echo seen >"$drop/below/seen"
	try 'mode 15: the new watch tells' await 30 published below/seen
	is "$(ctl status --json | json 'd["rules"][0]["state"], d["lost_watches"]')" "('watching', 1)" 'mode 15: and lives'
else
	skip 'mode 15: a dead watch is found' "needs to be root, or to look into a sibling's descriptors"
fi
kill "$listener"
kilnd_stop

# 15: what polls does not burn the processor.
if mounts 'mode 15: polling is cheap'; then
	anew many
	mkdir "$scratch"/{upper,work}
	mkdir "$drop"/{1..20}
	for i in $(seq 2000); do echo "$i" >"$drop/$((i % 20 + 1))/$i"; done
	if mount -t overlay -o "lowerdir=$drop,upperdir=$scratch/upper,workdir=$scratch/work" kiln "$drop" 2>/dev/null; then
		kilnd_start
		idle
		is "$(ctl status --json | json 'd["rules"][0]["state"]')" polling 'mode 7: what sends no events is polled'
		echo remote >"$scratch/upper/remote"
		try 'mode 7: without a restart' await 60 published remote
		used() { awk '{ print $14 + $15 }' "/proc/$kilnd_pid/stat"; }
		before=$(used)
		sleep 12
		spent=$(($(used) - before))
		note "$spent hundredths of a second in 12 s of polling 2000 files"
		try 'mode 15: polling does not burn the processor' test "$spent" -lt 60
		kilnd_stop
		umount "$drop"
	else
		skip 'modes 7 and 15: polling' 'needs root or user namespaces that may mount overlays'
	fi
fi

# 8, 9, 16: shares that are not there, outputs that cannot be written, inputs that stay.
if mounts 'mode 8: a share that is not mounted'; then
	anew share "mount = \"$scratch/share\""
	for i in 1 2 3; do echo "$i" >"$scratch/t$i"; done
	mkdir -p "$scratch/nas"
	mv "$scratch"/t[123] "$scratch/nas"
	mount --bind "$scratch/nas" "$drop"
	kilnd_start
	idle
	is "$(units t1) $(units t2) $(units t3)" 'published published published' 'mode 8: a share is processed'
	first=$(batches)
	kilnd_stop
	umount "$drop"
	kilnd_start
	idle
	is "$(ctl status --json | json 'd["rules"][0]["state"]')" waiting 'mode 8: a share that is not mounted is waited for'
	mount --bind "$scratch/nas" "$drop"
	echo 4 >"$scratch/nas/t4"
	try 'mode 8: and taken up' await 30 published t4
	idle
	is "$(units t1) $(units t2) $(units t3)" 'published published published' 'mode 8: nothing is done again'
	is "$(batches)" "$((first + 1))" 'mode 8: in one more batch'

	anew full 'inputs = "delete"' 'retries = { max = 0, backoff = "1s..1s" }'
	mkdir "$output"
	mount -t tmpfs -o size=1m kiln "$output"
	mount -o remount,ro "$output"
	kilnd_start
	echo x >"$drop/deferred"
	try 'mode 9: an output that cannot be written defers' \
		await 30 grep -q "'deferred' deferred: .*Read-only" "$kilnd_log"
	try 'mode 9: the input stays' test -e "$drop/deferred"
	mount -o remount,rw "$output"
	try 'mode 9: and is published when it can be' await 30 published deferred
	idle
	try 'mode 9: then it goes' test ! -e "$drop/deferred"

	anew fixed 'inputs = "delete"'
	echo x >"$drop/stays"
	mount --bind "$drop" "$drop"
	mount -o remount,bind,ro "$drop"
	kilnd_start
	idle
	try 'mode 16: an input that cannot be removed is published' published stays
	for i in 1 2 3; do
		kilnd_stop
		kilnd_start
		idle
	done
	is "$(ls "$output" | grep -c '^stays')" 2 'mode 16: once'
fi

# 17: sequences with a gap, a late frame, another padding.
anew frames 'unit = "sequence"' 'sequence = { first = 1, last = 4, gaps = "wait:1h" }' 'settle = "200ms"'
kilnd_start
for i in 1 2 4; do echo "$i" >"$drop/shot.000$i.txt"; done
ctl sync
sleep 1
is "$(find "$output" -name '*.kiln.json' -o -name kiln.json 2>/dev/null | wc -l)" 0 'mode 17: a gap is waited for'
echo 3 >"$drop/shot.0003.txt"
whole_sequence() { find "$output" -name '*kiln.json' | grep -q .; }
await 30 whole_sequence
idle
is "$(find "$output" -name 'shot.*.txt' | wc -l)" 4 'mode 17: and the sequence is whole'
echo again >"$drop/shot.0002.txt"
idle
is "$(cat "$output/shot.2/shot.0002.txt" "$output/shot/shot.0002.txt")" "$(printf 'again\n2')" \
	'mode 17: a frame rendered again is another version'
kilnd_stop
is $? 0 'kilnd stops'
finish
