#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: kilnd, keeper and engine die by SIGKILL at ten moments each, and every input is
# published exactly once, or is still there to be published: never half an output.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
rule copies 'kernel = "copy"' "inputs = \"move:$scratch/done\"" \
	'retries = { max = 20, backoff = "50ms..200ms" }' 'params.pause = 0.03' \
	'batch = { by = "all", max_units = 4, max_wait = "1s" }'
kilnd_start || { fail 'kilnd starts'; finish; }
dropped=0

children() # PID: of it, the processes below
{
	ps -o pid= --ppid "$1" | tr -d ' '
}

kill_one() # kilnd|keeper|engine: nothing when it is not there at this moment
{
	local keeper engine
	case $1 in
	kilnd) kilnd_kill ;;
	keeper)
		keeper=$(children "$kilnd_pid" | head -n 1)
		[ -n "$keeper" ] && kill -KILL "$keeper"
		;;
	engine)
		keeper=$(children "$kilnd_pid" | head -n 1)
		[ -n "$keeper" ] && engine=$(children "$keeper" | head -n 1)
		[ -n "${engine:-}" ] && kill -KILL "$engine"
		;;
	esac
}

all_published()
{
	[ "$(find "$output" -name '*.kiln.json' | wc -l)" -eq "$dropped" ] &&
		[ "$(find "$scratch/done" -type f 2>/dev/null | wc -l)" -eq "$dropped" ]
}

for victim in kilnd keeper engine; do
	hits=0
	for moment in 1 2 3 4 5 6 7 8 9 10; do
		for unit in 1 2 3 4 5; do
			echo "$victim $moment $unit" >"$drop/$victim.$moment.$unit.txt"
			dropped=$((dropped + 1))
		done
		ctl sync
		# From the quiet time's end on, over a batch's life of some 150 ms.
		sleep "0.$((18 + moment * 3))"
		kill_one "$victim" 2>/dev/null && hits=$((hits + 1))
		said=$(seen) || fail "no half output after killing the $victim, moment $moment" "$said"
		[ -n "$kilnd_pid" ] || kilnd_start || break
		await 30 all_published >/dev/null ||
			fail "all is published after killing the $victim, moment $moment" "$(unit_states)
$(ls -R "$output" "$drop")"
	done
	note "$victim: killed $hits times"
	[ "$hits" -ge 5 ] || fail "the $victim could be killed" "only $hits of 10 times"
	is "$(find "$output" -type f ! -name '*.kiln.json' -name "$victim.*" | wc -l)" 50 \
		"$victim killed: each of 50 inputs is published exactly once"
	is "$(find "$scratch/done" -type f -name "$victim.*" | wc -l)" 50 \
		"$victim killed: each of 50 inputs is kept"
done

# kilnd hears of the death and of the last words at once, the death first.
for round in 1 2 3; do
	for unit in 1 2 3; do
		echo "stopped $round $unit" >"$drop/stopped.$round.$unit.txt"
		dropped=$((dropped + 1))
	done
	keeper=
	for _ in $(seq 200); do
		keeper=$(children "$kilnd_pid" | head -n 1)
		[ -n "$keeper" ] && [ -n "$(children "$keeper")" ] && break
		sleep .01
	done
	kill -STOP "$kilnd_pid"
	[ -z "$keeper" ] || kill -KILL "$keeper"
	await 10 grep -q '^State:.*Z' "/proc/$keeper/status" >/dev/null
	kill -CONT "$kilnd_pid"
	await 30 all_published >/dev/null || fail "all is published after round $round" "$(unit_states)"
done
is "$(find "$output" -type f ! -name '*.kiln.json' -name 'stopped.*' | wc -l)" 9 \
	'keeper killed while kilnd was stopped: each of 9 inputs is published exactly once'
is "$(find "$drop" "$failed" -type f | wc -l)" 0 'nothing is left behind'
try 'every output is whole' whole
ctl sync --idle
is "$(find "$output/.kiln-stage" -mindepth 1 -maxdepth 1 ! -name checkpoints | wc -l)" 0 'no stage is left over'
finish
