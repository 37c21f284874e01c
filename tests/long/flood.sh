#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: very many drops in one go, and many a second for a while: none is lost or published
# twice, kilnd's memory stays what it was when a tenth was done, and within a backlog that
# is far smaller than what is dropped; `kilnctl status` answers at once throughout, for no
# turn of kilnd's loop is long; a small unit costs at most two fsyncs, a batch a constant.
#
# KILN_FLOOD=full is 100,000 in one go and 1,000 a second for a minute; less without it,
# and then nothing is judged by the clock.  It runs where TMPDIR is: the disk is named,
# since the figures are that disk's.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
files=20000 rate=500 seconds=10
[ "${KILN_FLOOD:-}" != full ] || files=100000 rate=1000 seconds=60
files=${KILN_FLOOD_FILES:-$files} rate=${KILN_FLOOD_RATE:-$rate} seconds=${KILN_FLOOD_SECONDS:-$seconds}
note "on $(findmnt -no SOURCE,FSTYPE -T "$scratch" | xargs), $(nproc) processors"

# watched FILE: asks kilnctl for the status and the kernel for kilnd's memory ten times a
# second, until FILE.stop is there; FILE has "SECONDS MILLISECONDS KIB BACKLOG PUBLISHED" a
# line, PUBLISHED since the beginning.
watched()
{
	/usr/bin/python3 - "$1" "$top_builddir/kilnctl" "$state" "$kilnd_pid" <<'END' &
import json, os, re, subprocess, sys, time
path, kilnctl, state, pid = sys.argv[1:]
begin = time.monotonic()
before = None
with open(path, "w") as out:
    while not os.path.exists(path + ".stop"):
        t = time.monotonic()
        said = subprocess.run([kilnctl, "--state", state, "status", "--json"],
                              stdout=subprocess.PIPE).stdout
        took = time.monotonic() - t
        units = json.loads(said)["units"]
        backlog = sum(units[s] for s in ("settling", "ready", "running", "deferred"))
        rss = re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{pid}/status").read())[1]
        if before is None:
            before = units["published"]
        print(f"{t - begin:.2f} {took * 1000:.1f} {rss} {backlog} {units['published'] - before}",
              file=out, flush=True)
        time.sleep(max(0, 0.1 - took))
END
	watcher=$!
}
told() # FILE N: ends that, and says what was worst; sets $worst, $tenth and $last
{
	: >"$1.stop"
	wait "$watcher"
	tenth=$(awk -v n="$2" '$5 >= n / 10 { print $3; exit }' "$1")
	last=$(tail -1 "$1" | cut -d' ' -f3)
	worst=$(sort -k2,2n "$1" | tail -1 | cut -d' ' -f2)
	note "status: $(wc -l <"$1") answers, the worst took $worst ms, half of them \
$(sort -k2,2n "$1" | sed -n "$(($(wc -l <"$1") / 2 + 1))p" | cut -d' ' -f2) ms"
	note "kilnd's memory: $(head -1 "$1" | cut -d' ' -f3) KiB before, at most $(sort -k3,3n "$1" |
		tail -1 | cut -d' ' -f3) with $(sort -k4,4n "$1" | tail -1 | cut -d' ' -f4) units in hand, ${tenth:=$last} with a tenth done, $last after"
}
# drops N RATE: so many small files of different content; RATE 0: as fast as it goes.
drops()
{
	/usr/bin/python3 - "$drop" "$1" "$2" <<'END'
import os, sys, time
drop, count, rate = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
begin = time.monotonic()
for i in range(count):
    if rate and i % 50 == 0:
        time.sleep(max(0, begin + i / rate - time.monotonic()))
    with open(f"{drop}/{rate}-{i}.txt", "w") as f:
        f.write(f"unit {i} of {rate}\n" * 5)
took = time.monotonic() - begin
print(f"# {count} files dropped in {took:.1f} s, {count / took:.0f} a second")
END
}
flood() # NAME N RATE: drops them, waits until all is done, says how it went
{
	local begin=$SECONDS dropped
	watched "$scratch/$1"
	drops "$2" "$3"
	dropped=$SECONDS
	ctl sync --idle >/dev/null || return
	note "$2 done after $((SECONDS - begin)) s, $(($2 / (SECONDS - begin + 1))) a second, \
$((SECONDS - dropped)) s after the last was dropped"
	told "$scratch/$1" "$2"
}
quick() # what the clock says is judged in full only
{
	[ "${KILN_FLOOD:-}" = full ] || return 0
	try 'status takes 100 ms at most' test "${worst%.*}" -lt 100
}

published_units()
{
	ctl status --json | json 'd["units"]["published"]'
}
copies() # BACKLOG
{
	rule copies 'kernel = "copy"' 'inputs = "delete"' 'settle = "500ms"' "backlog = $1" \
		'batch = { by = "all", max_units = 512, max_wait = "1s" }'
}
copies 100000
turns=$top_builddir/tests/long/turns.so
if [ -e "$turns" ] && ! ldd "$top_builddir/kilnd" | grep -q san; then
	kilnd_start env LD_PRELOAD="$turns" KILN_TURNS_OF=kilnd KILN_TURNS="$scratch/turns"
else
	kilnd_start
fi
is $? 0 'kilnd starts'
flood burst "$files" 0
all=$files
is "$(published_units)" "$all" "none of $files in one go is lost"
try 'its memory is flat' test "$last" -le $((tenth + 2048))
quick
flood steady $((rate * seconds)) "$rate"
all=$((all + rate * seconds))
is "$(published_units)" "$all" "nor of $rate a second for $seconds s"
try 'its memory is flat' test "$last" -le $((tenth + 2048))
quick
copies 1000
ctl reload --wait
flood narrow $((files / 5)) 1000000
all=$((all + files / 5))
is "$(published_units)" "$all" "nor of $((files / 5)) with a backlog of 1,000"
try 'no more than those are in hand' test "$(sort -k4,4n "$scratch/narrow" | tail -1 |
	cut -d' ' -f4)" -le 1000
is "$(find "$drop" -mindepth 1 | wc -l)" 0 'no input is left'
is "$(find "$output" -name '*.txt' | wc -l)" "$all" 'no output is there twice'
kilnd_stop
is $? 0 'kilnd stops'
if read -r count longest over_5 over_10 over_20 2>/dev/null <"$scratch/turns"; then
	note "$count turns of the loop, the longest took $longest ms of CPU time, $over_5 more \
than 5 ms, $over_10 more than 10 ms, $over_20 more than 20 ms"
	[ "${KILN_FLOOD:-}" != full ] ||
		try 'no turn takes more than 20 ms' test "$over_20" -eq 0
fi

# What units and batches cost: so many fsyncs for each unit, and a constant for each batch.
if command -v strace >/dev/null; then
	fsyncs() # UNITS: sets $calls and $batches
	{
		rm -rf "${drop:?}"/* "$output" "$state"
		for i in $(seq "$1"); do echo "$i" >"$drop/$i.txt"; done
		: >"$kilnd_log"
		kilnd_start strace -f -c -S name -U name,calls -o "$scratch/calls" -e trace=fsync,fdatasync >/dev/null
		ctl sync --idle >/dev/null
		local tracer=$kilnd_pid
		kill -TERM "$(pgrep -P "$tracer" -x kilnd)"
		wait "$tracer"
		kilnd_pid=
		calls=$(awk '$1 ~ /sync$/ { n += $2 } END { print n }' "$scratch/calls")
		batches=$(grep -c 'batch [0-9]* done' "$kilnd_log")
		note "$calls fsyncs for $1 units in $batches batches, at the start and at the end"
	}
	constant=40
	fsyncs 10
	try 'a constant a batch' test "$calls" -le $((2 * 10 + constant * (batches + 1)))
	few=$calls
	fsyncs 510
	note "$(((calls - few) * 100 / 500)) hundredths of an fsync for a unit more"
	try 'and two fsyncs a unit' test "$calls" -le $((2 * 510 + constant * (batches + 1)))
fi
finish
