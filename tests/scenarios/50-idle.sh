#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: a kilnd with nothing to do sleeps: no wake-up but the watchdog's, < 20 MiB.
# KILN_IDLE_SECONDS (10) is how long it is observed.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
seconds=${KILN_IDLE_SECONDS:-10}
rule copies 'kernel = "copy"' 'idle = "200ms"'
kilnd_start
is $? 0 'kilnd starts'
echo a >"$drop/a.txt"
ctl sync --idle
try 'it has worked before' published a.txt

no_worker()
{
	[ -z "$(ps -o pid= --ppid "$kilnd_pid")" ]
}
switches() # of all threads: how often one gave up or lost its processor
{
	cat "/proc/$kilnd_pid"/task/*/status | awk '/^voluntary_ctxt/ { n += $2 } END { print n }'
}
await 10 no_worker
is $? 0 'its worker went when it had nothing to do'
sleep 1
before=$(switches)
sleep "$seconds"
is "$(($(switches) - before))" 0 "no wake-up in $seconds s"
resident=$(awk '/^VmRSS/ { print $2 }' "/proc/$kilnd_pid/status")
note "resident: $resident KiB"
if grep -q KILN_SANITIZED.1 "$top_builddir/config.h"; then
	skip 'less than 20 MiB resident' 'a sanitizer needs memory of its own'
else
	try 'less than 20 MiB resident' test "$resident" -lt 20480
fi
kilnd_stop
is $? 0 'kilnd stops'
finish
