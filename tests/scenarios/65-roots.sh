#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: a drop folder that is not there yet, not mounted, unmounted, replaced, on a file
# system whose events do not tell of everything, beyond the limit of watches or read-only
# is shown as what it is, and everything in it is found when it can be.
. "${top_srcdir:-.}/tests/scenarios/mounts.sh"
tidy()
{
	awk -v below="$scratch/" 'index($2, below) == 1 { print $2 }' /proc/mounts | tac | xargs -r umount -l
	_end
}
trap tidy EXIT

state_of() # RULE: its state
{
	ctl status --json | json "[r['state'] for r in d['rules'] if r['name'] == '$1'][0]"
}
why_of() # RULE
{
	ctl status --json | json "[r['why'] for r in d['rules'] if r['name'] == '$1'][0]"
}
becomes() # RULE STATE: within the time of a check
{
	await 20 test_state "$1" "$2"
}
test_state()
{
	[ "$(state_of "$1")" = "$2" ]
}
done_is() # NAME...: each is published, now or soon
{
	local name
	for name in "$@"; do
		await 30 published "$name" || { echo "no $name"; return 1; }
	done
}
sync_watches() # a sync is what tries again at once
{
	ctl sync && test_state deep watching
}
tmpfs() # FOLDER
{
	mount -t tmpfs -o size=4m kiln "$1"
}

# --- not there, made, removed, replaced ---------------------------------------

root=$scratch/roots
mkdir "$root"
rule plain 'kernel = "copy"' 'same = "run"' "watch = \"$root/up/plain\""
rule share 'kernel = "copy"' 'same = "run"' "watch = \"$root/nas/in\"" "mount = \"$root/nas\""
kilnd_start
is $? 0 'kilnd starts though no drop folder is there'
is "$(state_of plain) $(state_of share)" 'waiting waiting' 'and waits for them'
is "$(why_of plain)" 'No such file or directory' 'saying why'
mkdir -p "$root/up/plain"
echo 1 >"$root/up/plain/1"
try 'a folder that is made is taken up' becomes plain watching
try 'with what was in it' done_is 1
rm -r "$root/up/plain"
try 'a folder that is removed is waited for' becomes plain waiting
mkdir "$root/up/plain"
echo 2 >"$root/up/plain/2"
try 'and taken up when it is made again' done_is 2
# A parent is renamed: nothing happens to the folder itself, so no event comes.
mkdir -p "$root/new/plain"
mv "$root/up" "$root/aside"
mv "$root/new" "$root/up"
echo 3 >"$root/up/plain/3"
echo old >"$root/aside/plain/old"
try 'a folder that another one replaces is left for the other' done_is 3
ctl sync --idle
is "$(ls "$output" | grep -c '^old$')" 0 'the old one no longer counts'
echo 4 >"$root/up/plain/4"
try 'the new one is watched' done_is 4

# --- mounts ---------------------------------------------------------------------

# The folder is there, but what it should be on is not.
mkdir -p "$root/nas/in"
echo below >"$root/nas/in/below"
ctl sync --idle
is "$(state_of share): $(why_of share)" "waiting: nothing is mounted at '$root/nas'" \
	'a share that is not mounted yet is waited for'
tmpfs "$root/nas"
mkdir "$root/nas/in"
echo 5 >"$root/nas/in/5"
try 'a share that is mounted is taken up' done_is 5
is "$(ls "$output" | grep -c '^below$')" 0 'what lies below its mount point is not'
ctl sync --idle
# No -l: nobody may hold it open when nothing is to be done.
try 'it can be unmounted' await 20 umount "$root/nas"
try 'and is waited for again' becomes share waiting
tmpfs "$root/nas"
mkdir "$root/nas/in"
echo 6 >"$root/nas/in/6"
try 'mounted again it is taken up again' done_is 6

# Over a drop folder that said nothing of mounts.
tmpfs "$root/up/plain"
echo 7 >"$root/up/plain/7"
try 'what is mounted over a drop folder takes its place' done_is 7
ctl sync --idle
try 'that can be unmounted too' await 20 umount "$root/up/plain"
try 'and is waited for' becomes plain waiting
like "$(why_of plain)" "nothing is mounted at '$root/up/plain'" 'not confused with the folder below'
mkdir "$root/other"
echo 8 >"$root/other/8"
mount --bind "$root/other" "$root/up/plain"
try 'a bind mount in its place is taken up' done_is 8
echo 9 >"$root/other/9"
try 'and watched' done_is 9
umount -l "$root/up/plain"
try 'it may be detached' becomes plain waiting
try 'a reload takes what there is' ctl reload --wait
is "$(state_of plain)" watching 'the folder itself'
kilnd_stop

# --- where events do not tell of everything -------------------------------------

mkdir "$root"/{lower,upper,work,merged}
if mount -t overlay -o "lowerdir=$root/lower,upperdir=$root/upper,workdir=$root/work" kiln "$root/merged" 2>/dev/null; then
	rm "$scratch"/rules.d/*
	rule merged 'kernel = "copy"' 'same = "run"' "watch = \"$root/merged\""
	kilnd_start
	is "$(state_of merged)" polling 'an overlay is polled'
	like "$(ctl status)" 'events do not tell' 'and kilnctl status says why'
	ctl sync
	echo 10 >"$root/upper/10"
	try 'kilnctl sync sees what no event told of' ctl sync --idle
	try 'and it is published' published 10
	echo 11 >"$root/upper/11"
	try 'a poll finds it as well' done_is 11
	kilnd_stop
	umount "$root/merged"
else
	skip 'an overlay is polled' 'needs root or user namespaces that may mount overlays'
fi

# --- the limit of watches ---------------------------------------------------------

limit=/proc/sys/user/max_inotify_watches
deep=$root/deep
mkdir -p "$deep"/{a,b,c,d,e}
rm "$scratch"/rules.d/*
rule deep 'kernel = "copy"' 'same = "run"' 'layout = "flat"' "watch = \"$deep\""
# Of a user namespace, so that nobody else's watches count.
if unshare -Ur sh -c "echo 3 >$limit" 2>/dev/null; then
	: >"$kilnd_log"
	kilnd_start unshare -Ur sh -c "echo 3 >$limit && exec \"\$@\"" -
	is $? 0 'kilnd starts with too few watches'
	ctl sync
	is "$(state_of deep)" polling 'it polls then'
	like "$(why_of deep)" max_user_watches 'and names the limit'
	is "$(ctl status --json | json 'd["polling"]')" 1 'kilnctl status counts it'
	for i in a b c d e; do
		echo $i >"$deep/$i/in-$i"
	done
	ctl sync --idle
	try 'nothing is missed for it' published in-a in-b in-c in-d in-e
	ctl sync --idle
	is "$(grep -c 'limit of watches' "$kilnd_log")" 1 'there is one warning'
	if nsenter -t "$kilnd_pid" -U --preserve-credentials sh -c "echo 1000 >$limit" 2>/dev/null; then
		try 'more watches end the polling' await 30 sync_watches
	else
		skip 'more watches end the polling' 'needs root to enter user namespaces'
	fi
	kilnd_stop
else
	skip 'the limit of watches' 'needs user namespaces'
fi

# --- read-only ------------------------------------------------------------------------

rm "$scratch"/rules.d/*
mkdir "$root"/{fixed,shown}
echo kept >"$root/fixed/kept"
mount --bind "$root/fixed" "$root/shown" && mount -o remount,bind,ro "$root/shown"
rule shown 'kernel = "copy"' 'same = "run"' "watch = \"$root/shown\""
kilnd_start
ctl sync --idle
try 'a read-only drop folder is processed' published kept
kilnd_stop
rm -r "$output" "$scratch"/rules.d/*
: >"$kilnd_log"
rule shown2 'kernel = "copy"' 'same = "run"' 'inputs = "delete"' "watch = \"$root/shown\""
kilnd_start
ctl sync --idle
try 'one that is to be deleted is published' published kept
like "$(cat "$kilnd_log")" "'kept' stays where it is: .*Read-only file system" 'stays, with the reason in the log'
kilnd_stop
kilnd_start
ctl sync --idle
is "$(ls "$output" | grep -vc '^\.')" 2 'and is not published twice'
kilnd_stop
is $? 0 'kilnd stops'
finish
