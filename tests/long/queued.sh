#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: 100,000 drops that wait cost kilnd little memory each, and kilnctl is answered as
# promptly as with none: nothing it shows is counted by walking over them.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
files=${KILN_QUEUED:-100000}
mkdir "$scratch/flat" "$scratch/deep"
echo '[daemon]' >"$conf"
rule flat 'kernel = "copy"' "watch = \"$scratch/flat\""
rule deep 'kernel = "copy"' "watch = \"$scratch/deep\""
kilnd_start
is $? 0 'kilnd starts'
ctl pause
memory() # KiB that are resident
{
	awk '/^VmRSS/ { print $2 }' "/proc/$kilnd_pid/status"
}
# The longest of twenty, in ms.
slowest()
{
	/usr/bin/python3 - "$top_builddir/kilnctl" "$state" <<'END2'
import subprocess, sys, time
worst = 0
for _ in range(20):
    begun = time.monotonic()
    subprocess.run([sys.argv[1], "--state", sys.argv[2], "status"], check=True, stdout=subprocess.DEVNULL)
    worst = max(worst, time.monotonic() - begun)
print(round(worst * 1000))
END2
}
empty=$(memory)
note "none wait: $empty KiB, kilnctl status at most $(slowest) ms"
# One folder of them all, and a folder for each two: groups as many as can be.
/usr/bin/python3 - "$scratch" "$files" <<'END2'
import os, sys
top, files = sys.argv[1], int(sys.argv[2])
for i in range(files // 2):
    with open(f"{top}/flat/{i}.txt", "w") as f:
        f.write(str(i))
for i in range(files // 4):
    os.mkdir(f"{top}/deep/{i}")
    for k in range(2):
        with open(f"{top}/deep/{i}/{k}.txt", "w") as f:
            f.write(f"{i} {k}")
END2
note "while they are taken in: kilnctl status at most $(slowest) ms"
try 'all are taken in' ctl sync --idle
is "$(unit_states)" "ready=$files" 'and wait'
full=$(memory)
each=$(((full - empty) * 1024 / files))
note "$files wait: $full KiB, $each bytes each, kilnctl status at most $(slowest) ms"
kilnd_stop
kilnd_start
ctl sync --idle
fresh=$(memory)
queued=$(((fresh - empty) * 1024 / files))
note "after a restart: $fresh KiB, $queued bytes each, kilnctl status at most $(slowest) ms"
is "$(unit_states)" "ready=$files" 'a restart takes them up'
try 'a unit that waits costs less than 1 KiB' test "$queued" -lt 1024
for command in 'list -s failed' 'list -n 1000' "explain $scratch/deep/1/1.txt" "show $scratch/flat/7.txt" 'cancel -r flat'; do
	begun=$(date +%s%N)
	# shellcheck disable=SC2086 # a command and its arguments
	try "kilnctl ${command%% *}" ctl $command
	note "kilnctl ${command%% *}: $((($(date +%s%N) - begun) / 1000000)) ms"
done
is "$(unit_states)" "cancelled=$((files / 2)) ready=$((files / 2))" 'half of them are cancelled'
kilnd_stop
is $? 0 'kilnd stops'
finish
