#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: a kilnd with nothing to do sleeps: no wake-up but the watchdog's, < 20 MiB; what
# systemd was told of how things stand is what they are.
# KILN_IDLE_SECONDS (10) is how long it is observed.  The watchdog is a listener of our
# own, so that its pings can be counted; without one libev looks around every 59.7 s.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
seconds=${KILN_IDLE_SECONDS:-10}
rule copies 'kernel = "copy"' 'idle = "200ms"'
/usr/bin/python3 - "$scratch/notify" "$scratch/pings" <<'END' &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
with open(sys.argv[2], "w", buffering=1) as f:
    while True:
        f.write(s.recv(4096).decode().replace("\n", " ") + "\n")
END
listener=$!
trap 'kill $listener; _end' EXIT
await 10 test -S "$scratch/notify"
kilnd_start env NOTIFY_SOCKET="$scratch/notify" WATCHDOG_USEC=6000000
is $? 0 'kilnd starts'
echo a >"$drop/a.txt"
ctl sync --idle
try 'it has worked before' published a.txt

status_is() # LINE: what systemd shows
{
	[ "$(grep -o 'STATUS=.*' "$scratch/pings" | tail -1)" = "STATUS=$1" ]
}
try 'systemd is told what is done' await 10 status_is \
	'0 waiting, 0 running, 1 done, 0 failed; 1 rule'
ctl pause
try 'and that a rule is paused' await 10 status_is \
	'0 waiting, 0 running, 1 done, 0 failed; 1 rule, 1 paused'
ctl resume

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
try 'and that it goes on' await 10 status_is \
	'0 waiting, 0 running, 1 done, 0 failed; 1 rule'
pings()
{
	grep -c WATCHDOG=1 "$scratch/pings"
}
is_awake() # a thread of it: one that runs, or waits to, is yet to be counted
{
	! awk '{ sub(/.*\) /, ""); if ($1 != "S") exit 1 }' "/proc/$kilnd_pid"/task/*/stat
}
# Waits for a ping, and until kilnd lies down again after it: only then is that wake-up among
# those counted.  On a loaded machine the ping is here long before that.
after_a_ping()
{
	local before
	before=$(pings)
	until [ "$(pings)" -gt "$before" ]; do sleep .05; done
	while is_awake; do sleep .05; done
}
after_a_ping
before=$(switches) first=$(pings)
sleep "$seconds"
after_a_ping
woken=$(($(switches) - before)) pinged=$(($(pings) - first))
note "$woken wake-ups, $pinged pings of the watchdog in $seconds s"
is "$woken" "$pinged" "no wake-up but the watchdog's"
try 'the watchdog is fed' test "$pinged" -gt 0
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
