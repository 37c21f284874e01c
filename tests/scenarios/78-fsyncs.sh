#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: what becomes of inputs costs no fsyncs of its own: a small unit costs two, whether
# its input is kept, deleted or moved, and a batch a constant.  Of folders and sequences,
# whose outputs have more files to be made durable, the drop folder's fsyncs are counted:
# a constant for each batch, and for a sequence the folder that it is claimed in.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
command -v strace >/dev/null || skip_all 'no strace here'
! grep -q KILN_SANITIZED.1 "$top_builddir/config.h" ||
	skip_all 'a sanitizer ends what runs below strace'
constant=20

fsyncs() # UNITS: sets $calls, $drops (those below the drop folder) and $batches
{
	local i tracer
	rm -rf "${drop:?}" "$output" "$state" "$scratch/done"
	mkdir "$drop"
	for i in $(seq "$1"); do
		case $unit in
		file) echo "$i" >"$drop/$i.txt" ;;
		directory) mkdir "$drop/$i" && echo "$i" >"$drop/$i/x" ;;
		sequence) echo "$i" | tee "$drop/s${i}_1.png" >"$drop/s${i}_2.png" ;;
		esac
	done
	: >"$kilnd_log"
	kilnd_start strace -f -y -o "$scratch/calls" -e trace=fsync,fdatasync -e signal=none >/dev/null
	ctl sync --idle >/dev/null
	tracer=$kilnd_pid
	kill -TERM "$(pgrep -P "$tracer" -x kilnd)"
	wait "$tracer"
	kilnd_pid=
	calls=$(grep -cE 'f(data)?sync\(' "$scratch/calls")
	drops=$(grep -cE "f(data)?sync\([0-9]+<$drop" "$scratch/calls")
	batches=$(grep -c 'batch [0-9]* done' "$kilnd_log")
	note "$calls fsyncs for $1 units ($unit, $inputs) in $batches batches, at the start" \
		"and at the end, $drops of them in the drop folder"
}
measured_rule()
{
	rule copies 'kernel = "copy"' "inputs = \"$inputs\"" "unit = \"$unit\"" \
		'batch = { by = "all", max_units = 64, max_wait = "300ms" }'
}

for inputs in keep delete "move:$scratch/done"; do
	unit=file
	measured_rule
	fsyncs 110
	try "inputs = \"${inputs%:*}\": two, and a constant a batch" \
		test "$calls" -le $((2 * 110 + constant * (batches + 1)))
done
for unit in directory sequence; do
	for inputs in delete "move:$scratch/done"; do
		measured_rule
		fsyncs 60
		each=$([ "$unit" = sequence ] && echo 1 || echo 0)
		try "inputs = \"${inputs%:*}\" of a $unit: $each, and a constant a batch" \
			test "$drops" -le $((each * 60 + 10 * (batches + 1)))
		is "$(find "$drop" | wc -l)" 1 'and nothing is left in the drop folder'
	done
done
finish
