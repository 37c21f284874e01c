# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# lib.sh - for scenarios: scripts that run a real kilnd in a scratch folder, over tap.sh.
# A scenario states its goal in its head, sources this, and ends with `finish`:
#
#	#!/bin/bash
#	# Goal: a dropped file is published with its sidecar.
#	. "${top_srcdir:-.}/tests/scenarios/lib.sh"
#	rule copies 'kernel = "copy"'
#	kilnd_start
#	echo dance >"$drop/a.txt"
#	ctl sync --idle
#	try 'a.txt is published whole' published a.txt
#	finish
#
# Gives besides: $conf, $state, and with the first rule() $drop, $output, $failed.  kilnd is
# gone at the end, whatever happens.
umask 022
. "${top_srcdir:-.}/tests/tap.sh"
top_srcdir=$(cd "${top_srcdir:-.}" && pwd)
top_builddir=$(cd "${top_builddir:-.}" && pwd)
conf=$scratch/kiln.toml state=$scratch/state kilnd_log=$scratch/kilnd.log
drop=$scratch/in output=$scratch/out failed=$scratch/failed
kilnd_pid=
mkdir -p "$scratch/rules.d" "$state" "$drop" "$output" "$failed"
echo '# A test: every key at its default.' >"$conf"

_end()
{
	[ -z "$kilnd_pid" ] || { kill -KILL "$kilnd_pid" && wait "$kilnd_pid"; } 2>/dev/null
	[ -n "${KILN_KEEP:-}" ] || rm -rf "$scratch"
}

_tell()
{
	[ ! -s "$kilnd_log" ] || note "the end of kilnd's log:
$(tail -n 40 "$kilnd_log")"
}

# await SECONDS COMMAND...: tries COMMAND until it succeeds.  For what has no event of its
# own to wait for; the bound is a way out of a hang, not a measure.
await()
{
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || { echo "not within the time: $*"; return 1; }
		sleep .05
	done
}

# --- kilnd ------------------------------------------------------------------

# rule NAME [LINE...]: a rule over $drop, $output and $failed, settling quickly; LINEs are
# added to it (a key of a sub-table as `params.model = "..."`, or a [rule.NAME.params]).
# A later LINE for watch, match, settle, output or quarantine takes the place of ours.
rule()
{
	local name=$1 line key
	shift
	{
		echo "[rule.$name]"
		while IFS= read -r line; do
			key=${line%% *}
			printf '%s\n' "$@" | grep -qE "^$key *=" || echo "$line"
		done <<-END
			watch = "$drop"
			match = ["*"]
			unit = "file"
			settle = "100ms"
			output = "$output"
			inputs = "keep"
			quarantine = "$failed"
		END
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} >"$scratch/rules.d/$name.toml"
}

ctl()
{
	"$top_builddir/kilnctl" --state "$state" "$@"
}

# kilnd_start [COMMAND...]: starts kilnd, below COMMAND (strace ...) if one is given, and
# waits until it answers.  $kilnd_pid is its process, or COMMAND's.
kilnd_start()
{
	"$@" "$top_builddir/kilnd" -c "$conf" --state "$state" --foreground \
		>>"$kilnd_log" 2>&1 </dev/null &
	kilnd_pid=$!
	local end=$((SECONDS + 60))
	until ctl status >/dev/null 2>&1; do
		if ! kill -0 "$kilnd_pid" 2>/dev/null || [ "$SECONDS" -ge "$end" ]; then
			note "kilnd does not answer: $(tail -n 20 "$kilnd_log")"
			return 1
		fi
		sleep .05
	done
}

kilnd_stop() # asks it to end; its exit status
{
	kilnd_signal TERM
}

kilnd_kill() # gives it no time to tidy up; waits until it is gone
{
	kilnd_signal KILL || true
}

kilnd_signal() # SIGNAL: sends it and waits for the end; the exit status
{
	local status=0
	[ -n "$kilnd_pid" ] || return 1
	kill -s "$1" "$kilnd_pid" 2>/dev/null
	wait "$kilnd_pid" 2>/dev/null || status=$?
	kilnd_pid=
	return $status
}

as_nobody() # ARGUMENT...: kilnctl by somebody who is nobody here; needs root
{
	setpriv --reuid nobody --regid nogroup --clear-groups \
		"$top_builddir/kilnctl" --state "$state" "$@" 2>&1
}

# --- what is dropped --------------------------------------------------------

frames() # FOLDER FORMAT NUMBER...: files of a sequence, no two of the same content
{
	local folder=$1 format=$2 number
	shift 2
	mkdir -p "$folder"
	for number; do
		# shellcheck disable=SC2059
		echo "$folder $number" >"$folder/$(printf "$format" "$number")"
	done
}

# --- what can be said of the outcome ----------------------------------------

json() # PYTHON-EXPRESSION: of `d`, the JSON on standard input
{
	/usr/bin/python3 -c 'import json, sys; d = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"
}

unit_states() # the ledger's units by state, as `published=3 failed=1`
{
	ctl status --json |
		json '" ".join(f"{k}={v}" for k, v in sorted(d["units"].items()) if v)'
}

# published NAME...: each stands in $output with a sidecar whose sums are right, and no
# stage is left over.
published()
{
	local name
	for name in "$@"; do
		/usr/bin/python3 "$top_srcdir/tests/scenarios/sidecar.py" "$output/$name" || return
	done
}

# whole: nothing in $output but outputs that a sidecar vouches for, and sidecars.
whole()
{
	/usr/bin/python3 "$top_srcdir/tests/scenarios/sidecar.py" --all "$output"
}

# seen: nothing in $output at this moment that is not whole, stages apart.
seen()
{
	/usr/bin/python3 "$top_srcdir/tests/scenarios/sidecar.py" --seen "$output"
}

# refused NAME PATTERN: gone from $drop into $failed, with a reason that matches.
refused()
{
	[ ! -e "$drop/$1" ] && [ ! -L "$drop/$1" ] || { echo "'$1' still is in the drop folder"; return 1; }
	[ -e "$failed/$1" ] || [ -L "$failed/$1" ] || { echo "'$1' is not in the quarantine"; return 1; }
	grep -qE -- "$2" "$failed/$1.reason.txt" || { cat "$failed/$1.reason.txt"; return 1; }
}

unit_state() # PATH: the ledger's word
{
	ctl show "$1" --json 2>/dev/null | json 'd["state"]'
}
