#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: a polled drop folder of KILN_POLLED (100,000) entries, of which a tenth was taken
# and stays, costs less than a twentieth of a processor.  No watches are to be had, so it is
# polled.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
entries=${KILN_POLLED:-100000}
if ! command -v strace >/dev/null || grep -q KILN_SANITIZED.1 "$top_builddir/config.h"; then
	echo '1..0 # SKIP needs strace, and no sanitizer'
	exit 0
fi
rule copies 'kernel = "copy"' 'batch = { by = "all", max_units = 512, max_wait = "1s" }'
sed -i 's/^match.*/match = ["*.txt"]/' "$scratch/rules.d/copies.toml"
/usr/bin/python3 - "$drop" "$entries" <<'END'
import os, sys
for i in range(int(sys.argv[2])):
    folder = f"{sys.argv[1]}/{i % 100}"
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/{i}.{'txt' if i % 10 == 0 else 'bin'}", "w") as f:
        f.write(str(i))
END
kilnd_start strace -f --seccomp-bpf -o /dev/null -e trace=inotify_add_watch \
	-e inject=inotify_add_watch:error=ENOSPC
is $? 0 'kilnd starts'
try 'what it takes is done' ctl sync --idle
is "$(ctl status --json | json 'd["rules"][0]["state"]')" polling 'it polls'
kilnd=$(pgrep -P "$kilnd_pid" -x kilnd)
used() { awk '{ print $14 + $15 }' "/proc/$kilnd/stat"; }
before=$(used)
sleep 60
spent=$(($(used) - before))
note "$spent hundredths of a second in 60 s of polling $entries entries"
try 'a twentieth of a processor at most' test "$spent" -lt 300
echo late >"$drop/late.txt"
try 'and what comes is found' await 60 published late.txt
kill -TERM "$kilnd"
wait "$kilnd_pid"
kilnd_pid=
finish
