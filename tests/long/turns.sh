#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: with 100,000 units waiting, and as many failed, what administrators command is done
# in turns of the loop of at most 20 ms of processor time each: a reload that groups all of
# them anew, a cancel and a retry of the whole rule; and so is a batch of thousands.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
units=${KILN_QUEUED:-100000}
batch=${KILN_BATCH:-2048}
turns=$top_builddir/tests/long/turns.so
if [ ! -e "$turns" ] || grep -q KILN_SANITIZED.1 "$top_builddir/config.h"; then
	skip_all 'needs tests/long/turns.so, and no sanitizer'
fi
some() # BATCH
{
	rule some 'kernel = "copy"' "watch = \"$scratch/some\"" 'inputs = "delete"' "batch = $1"
}
mkdir "$scratch/some"
start() # NAME
{
	measured=$1
	kilnd_start env LD_PRELOAD="$turns" KILN_TURNS_OF=kilnd KILN_TURNS="$scratch/$1.turns"
}
stop()
{
	local count longest over_5 over_10 over_20
	kilnd_stop
	read -r count longest over_5 over_10 over_20 <"$scratch/$measured.turns"
	note "$measured: $count turns, the longest took $longest ms of processor time, $over_5 more \
than 5 ms, $over_10 more than 10 ms, $over_20 more than 20 ms"
	is "$over_20" 0 "$measured: no turn takes more than 20 ms"
}
# enter STATE FINISHED: so many units that lie nowhere, each in a folder of its own, which
# makes as many groups as there can be.
enter()
{
	/usr/bin/python3 - "$state/ledger.db" "$units" "$1" "$2" <<'END'
import sqlite3, sys, time
path, count, state, finished = sys.argv[1], *map(int, sys.argv[2:])
db = sqlite3.connect(path)
now = time.time()
db.executemany(
    "INSERT INTO unit (rule, path, kind, ino, btime, size, mtime, fingerprint, state, finished,"
    " created, updated) VALUES ('some', ?, 1, ?, 0, 10, 0, 0, ?, ?, ?, ?)",
    ((f"folder-{i:07}/unit-{state}-{i % 1000:03}.txt".encode(), i, state, finished, now, now)
     for i in range(count)))
db.commit()
END
}
some '{ by = "parent" }'
start nothing
is $? 0 'kilnd starts'
ctl pause
stop
enter 0 0
enter 6 1

start waiting
is "$(unit_states)" "failed=$units ready=$units" 'all wait'
stop
start reload
some '{ by = "regex:(unit.*)", max_units = 1000 }'
try 'all are grouped anew' ctl reload --wait
try 'and are all there' ctl explain "$scratch/some/folder-0001150/unit-0-150.txt"
is "$(unit_states)" "failed=$units ready=$units" 'none is lost'
stop
start cancel
ctl watch >"$scratch/watched" &
watcher=$!
is "$(ctl cancel -r some)" "some: $units cancelled, 0 asked to stop" 'cancel -r cancels all'
is "$(unit_states)" "cancelled=$units failed=$units" 'and they are'
stop
wait "$watcher"
start retry
is "$(ctl retry -r some)" "some: $units tried again" 'retry -r tries all again'
is "$(unit_states)" "cancelled=$units ready=$units" 'and they wait'
stop
start again
is "$(unit_states)" "cancelled=$units ready=$units" 'what was told outlives a restart'
ctl cancel -r some >/dev/null
ctl prune --older 1h >/dev/null
stop

/usr/bin/python3 - "$scratch/some" "$batch" <<'END'
import os, sys
for i in range(int(sys.argv[2])):
    with open(f"{sys.argv[1]}/{i}.txt", "w") as f:
        f.write(str(i))
END
some "{ by = \"all\", max_units = $batch, max_wait = \"1s\" }"
start batch
ctl resume
try "a batch of $batch" ctl sync --idle
is "$(find "$output" -name '*.txt' | wc -l)" "$batch" 'is published'
stop
finish
