#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: a dropper who owns the drop folder gets nothing published that is not his, hangs
# nobody, and writes nothing into logs and terminals but what he is called: links, hard
# links, FIFOs, devices, sockets, sparse giants, hostile names, deep trees and swaps at the
# wrong moment are refused with a reason, and a good neighbour is published all the same.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
rule files 'kernel = "copy"' 'match = ["*.dat"]' "inputs = \"move:$scratch/done\"" 'same = "run"'
mkdir "$scratch/trees" "$scratch/private"
rule trees 'kernel = "copy"' 'unit = "directory"' 'same = "run"' "watch = \"$scratch/trees\"" \
	"output = \"$scratch/trees-out\""
echo 'SECRET of somebody else' >"$scratch/private/secret"
kilnd_start
is $? 0 'kilnd starts'

leaked() # whether the secret is anywhere among the outputs
{
	grep -rq SECRET "$output" "$scratch/trees-out" 2>/dev/null
}

# --- things that are not what they seem -------------------------------------------

cd "$drop" || exit 1
ln -s "$scratch/private/secret" link.dat
ln -s /proc/self/environ proc.dat
ln -s . loop.dat
ln "$scratch/private/secret" hard.dat
mkfifo fifo.dat
/usr/bin/python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket.dat")'
mkdir folder.dat
mkdir real && echo x >real/in.dat && ln -s "$scratch/private" linked
truncate -s 1T giant.dat
: >empty.dat
echo good >good.dat
cd - >/dev/null || exit 1
try 'all of it settles at once: nothing hangs' timeout 60 "$top_builddir/kilnctl" --state "$state" sync --idle
try 'a good neighbour is published' published good.dat empty.dat real/in.dat
try 'a link to a secret' refused link.dat 'symbolic link'
try 'a link into /proc' refused proc.dat 'symbolic link'
try 'a link to itself' refused loop.dat 'symbolic link'
try 'a hard link to a secret' refused hard.dat 'has 2 names'
try 'a FIFO' refused fifo.dat 'FIFO'
try 'a socket' refused socket.dat 'socket'
try 'a folder' refused folder.dat 'directory'
try 'a sparse giant' refused giant.dat 'sparse giant'
is "$(find "$output" -name secret)" '' 'a linked folder is not looked into'
try 'the secret stayed where it is' test "$(cat "$scratch/private/secret")" = 'SECRET of somebody else'
try 'and is nowhere among the outputs' eval '! leaked'
if [ "$(id -u)" = 0 ] && mknod "$drop/.device" c 1 5 2>/dev/null; then
	mv "$drop/.device" "$drop/device.dat"
	ctl sync --idle
	try 'a device' refused device.dat 'device'
else
	skip 'a device' 'needs root to make one'
fi

# --- names --------------------------------------------------------------------------

evil=$'evil\n<2>kilnd: all is lost\e[31m\e]0;title\a.dat'
echo evil >"$drop/$evil"
echo dash >"$drop/-rf.dat"
echo bytes >"$drop/"$'\xff\xfe.dat'
echo quote >"$drop/\"'\\\$(reboot)\`id\`.dat"
ctl sync --idle
try 'hostile names are names' published "$evil" -rf.dat $'\xff\xfe.dat' "\"'\\\$(reboot)\`id\`.dat"
# A name that is refused is logged, listed and explained.
mkfifo "$drop/bad$evil"
ctl sync --idle
is "$(grep -c '^<2>kilnd: all is lost' "$kilnd_log")" 0 'no line of the log is forged'
is "$(LC_ALL=C grep -c $'[\e\a]' "$kilnd_log")" 0 'no escape sequence is in the log'
like "$(cat "$kilnd_log")" 'badevil\\x0a<2>kilnd' 'the name is escaped there'
is "$(ctl list | LC_ALL=C grep -c $'[\e\a]\|^<2>')" 0 'nor in kilnctl list'
is "$(ctl status | LC_ALL=C grep -c $'[\e\a]')" 0 'nor in kilnctl status'
is "$(ctl list --json | json 'len([u for u in (d if isinstance(d, list) else d["units"]) if "badevil" in u["path"]])')" 1 'JSON stays JSON'
is "$(LC_ALL=C grep -c $'[\e\a]' "$failed/bad$evil.reason.txt")" 0 'nor in the reason file'

# --- trees ----------------------------------------------------------------------------

cd "$scratch/trees" || exit 1
mkdir -p links hard fifos "$(printf 'deep/%.0s' {1..40})" giant good
ln -s "$scratch/private/secret" links/1
ln "$scratch/private/secret" hard/1
mkfifo fifos/1
echo x >"$(printf 'deep/%.0s' {1..40})x"
for i in 1 2 3 4; do truncate -s 900M "giant/$i"; done
echo good >good/1
cd - >/dev/null || exit 1
ctl sync --idle
try 'trees: a good neighbour is published' test -s "$scratch/trees-out/good/kiln.json"
for case in 'links symbolic link' 'hard has [2-9] names' 'fifos FIFO' 'deep nested more than 32' 'giant sparse giant'; do
	try "trees: ${case%% *}" refused "${case%% *}" "${case#* }"
done
try 'the secret is nowhere among the outputs' eval '! leaked'

# --- swaps ------------------------------------------------------------------------------

# For a while, names change what they are as fast as they can, while kilnd works on them.
swap()
{
	/usr/bin/python3 - "$drop" "$scratch" "$scratch/stop" <<'END'
import os, sys
drop, scratch, stop = sys.argv[1:]
def harmless(path):
    with open(path, "w") as f:
        f.write("harmless")
kinds = [
    harmless,
    lambda path: os.symlink(scratch + "/private/secret", path),
    lambda path: os.link(scratch + "/private/secret", path),
    lambda path: os.mkdir(path),
    lambda path: os.mkfifo(path),
]
n = 0
while not os.path.exists(stop):
    for i in range(20):
        made = f"{scratch}/made"
        try:
            kinds[n % len(kinds)](made)
            path = f"{drop}/swap{i}.dat"
            try:
                os.rename(made, path)
            except OSError:         # a folder over a file, or the other way round
                os.rename(path, f"{scratch}/swapped{n}-{i}")
                os.rename(made, path)
        except OSError:
            os.path.isdir(made) and not os.path.islink(made) and os.rmdir(made)
            os.path.lexists(made) and os.unlink(made)
        n += 1
END
}
sed -i 's/^settle.*/settle = "50ms"/' "$scratch/rules.d/files.toml"
ctl reload --wait
swap &
swapper=$!
# Folders that are swapped for links to the secret's while they are looked into.
for round in $(seq 15); do
	mkdir -p "$drop/way$round"
	echo harmless >"$drop/way$round/secret.dat"
	sleep .1
	mv "$drop/way$round" "$scratch/way$round"
	ln -s "$scratch/private" "$drop/way$round"
done
: >"$scratch/stop"
wait $swapper
rm -f "$drop"/way*
ctl sync --idle >/dev/null
try 'whatever was swapped when: the secret is nowhere among the outputs' eval '! leaked'
try 'and what is there is whole' whole
is "$(ctl status --json | json 'd["units"]["running"]')" 0 'nothing is stuck'
echo after >"$drop/after.dat"
ctl sync --idle
try 'and kilnd goes on' published after.dat
kilnd_stop
is $? 0 'kilnd stops'
finish
