#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: kilnctl says what was wrong and exits as scripts rely on: 0 all done, 1 some unit
# failed, 2 wrong use, 3 no daemon; and `kilnctl run` makes what it says it made.
. "${top_srcdir:-.}/tests/tap.sh"
top_builddir=${top_builddir:-.}
makers=$(cd "${top_srcdir:-.}" && pwd)/tests/plugins
kilnctl=$(cd "$top_builddir" && pwd)/kilnctl
unset KILN_STATE
cd "$scratch" || exit 1

report() # STATUS DESCRIPTION
{
	check "$1" "$2" "$(cat out err 2>/dev/null)"
}
expect() # DESCRIPTION EXIT-STATUS PATTERN ARGUMENT...: PATTERN is looked for in both streams
{
	local description=$1 wanted=$2 pattern=$3
	shift 3
	"$kilnctl" "$@" >out 2>err
	local status=$?
	[ "$status" -eq "$wanted" ] && cat out err | grep -qE -- "$pattern"
	report $? "$description ($wanted)"
}
json() # PYTHON-EXPRESSION: over the object d in out
{
	python3 -c 'import json, sys
d = json.load(open("out"))
sys.exit(not ('"$1"'))' 2>>err
}

expect 'nothing at all' 2 'usage: kilnctl'
expect 'help names the options there are' 0 'collision WORD' run --help
! grep -q -e '--replace' out
report $? 'and none that there are not'
expect 'an unknown command' 2 "no command 'stauts'; did you mean \"status\"" stauts
expect 'an unknown global option' 2 'kilnctl --help' --frobnicate status
expect 'an unknown long option' 2 "did you mean '--limit'" list --limti 3
expect 'an unknown short option' 2 "no option '-q'" list -q
expect 'an option without its value' 2 "'-n' needs a value" list -n
expect 'a limit that is no number' 2 "expected 1 to 1000000, found 'many'" list -n many
expect 'an argument too many' 2 'one argument too many' status now
expect 'show without a unit' 2 "expected one unit's number or path" show
expect 'explain without a path' 2 'expected one path' explain
expect 'drop without anything to drop' 2 'expected a rule and what' drop rule
expect 'drop of what is not there' 1 "'nothing' cannot be dropped: No such file" drop rule nothing
expect 'retry without a unit' 2 'expected units, or a rule with -r' retry
expect 'cancel of both' 2 'a rule or units, not both' cancel -r rule 7
expect 'prune by no duration' 2 "expected a duration such as \"30d\", found 'old'" prune --older old
expect 'pause of two' 2 'one argument too many' pause a b
expect 'backup without a file' 2 'expected one file' backup
expect 'help' 0 'usage: kilnctl' --help
expect 'the version' 0 '^kilnctl [0-9]' --version
for command in run check status list show explain watch sync drop retry cancel pause resume backup \
	prune reload kernels describe; do
	expect "help of $command" 0 "usage: kilnctl $command" "$command" --help
done
for command in status list watch reload sync "show 1" "explain a" "retry 1" "cancel 1" pause \
	resume "backup copy" prune; do
	# shellcheck disable=SC2086 # a command and its argument
	expect "no daemon for ${command}" 3 "no kilnd answers at '$scratch/none/control'" \
		--state "$scratch/none" $command
done
KILN_STATE=$scratch/other expect 'KILN_STATE names the daemon' 3 "$scratch/other/control" status
expect 'no daemon, though a folder' 3 'no kilnd answers' --state "$scratch" status
expect 'a configuration that is not there' 1 'missing.toml' check -c missing.toml
printf 'state = 3\n[rule' >broken.toml
expect 'a configuration that is broken' 1 'broken.toml:[0-9]+:[0-9]+: ' check -c broken.toml
expect 'the same as JSON' 1 '"ok": false' check -c broken.toml --json
expect 'run without anything' 2 'expected a kernel and inputs' run
expect 'run without inputs' 2 'at least one input' run copy -o out
expect 'run without -o' 2 'expected -o OUT' run copy in
expect 'run on a device of no kind' 2 "expected auto, cpu, cuda or cuda:N, found 'gpu'" \
	run copy -d gpu -o out in
expect 'run with no threads' 2 "-j: expected 1 to [0-9]+, found '0'" run copy -j 0 -o out in
expect 'run with a negative repeat' 2 "--repeat: expected 1 to" run copy --repeat -1 -o out in
expect 'run with a parameter that is none' 2 '-p ' run copy -p nonsense -o out in
expect 'describe of nothing' 2 'expected one kernel' describe

if [ -x "$top_builddir/kiln-worker" ] || [ -x "$(dirname "$kilnctl")/kiln-worker" ]; then
	expect 'kernels are listed' 0 '^copy ' kernels
	expect 'kernels as JSON' 0 '"kernels"' kernels --json
	json 'any(k["name"] == "copy" and "file" in k["accepts"] for k in d["kernels"])'
	report $? 'their JSON tells what they accept'
	expect 'an unknown kernel' 2 "no plugin offers a kernel 'copi'; did you mean \"copy\"" \
		describe copi
	expect 'a kernel is described' 0 '^accepts ' describe copy
	expect 'a kernel as JSON' 0 '"params"' describe copy --json
	expect 'a folder of plugins that is not there' 1 'nowhere' kernels --plugins "$scratch/nowhere"

	mkdir -p in/deep
	echo one >in/one.txt
	echo two >in/deep/two.txt
	expect 'run of two files' 0 '2 of 2 done' run copy -o made in/one.txt in/deep/two.txt
	cmp -s in/one.txt made/one.txt && cmp -s in/deep/two.txt made/two.txt &&
		[ -s made/one.txt.kiln.json ] && [ -e in/one.txt ]
	report $? 'outputs, their sidecars, and the inputs are there'
	expect 'run with JSON' 0 '"kernel": "copy"' run copy --json -o json in/one.txt
	json 'd["units"][0]["name"] == "one.txt" and d["units"][0]["status"] == "published"
	      and d["units"][0]["reason"] is None
	      and open(d["units"][0]["outputs"][0]).read() == "one\n"
	      and all(k in d for k in ("variant", "device", "seconds", "frames",
	      "frames_per_second", "kernel_seconds", "kernel_frames_per_second"))'
	report $? 'the JSON of a run is what DESIGN says'
	expect 'a missing input fails alone' 1 'absent.txt: gone: No such file' \
		run copy -o some in/one.txt in/absent.txt
	cmp -s in/one.txt some/one.txt
	report $? 'and the other one is done'
	mkfifo in/pipe
	expect 'a FIFO is refused, not waited for' 1 'neither a file nor a directory' \
		run copy -o fifo in/pipe
	expect 'an input given twice is done once' 1 'given twice' \
		run copy -o twice in/one.txt in/../in/one.txt
	echo other >in/one.txt
	expect 'another content as another version' 0 '1 of 1 done' \
		run copy --collision version -o made in/one.txt
	[ "$(cat made/one.txt)" = one ] && [ "$(cat made/one.2.txt)" = other ]
	report $? 'stands beside the old one'
	echo third >in/one.txt
	expect 'another content under the same name' 0 '1 of 1 done' run copy -o made in/one.txt
	[ "$(cat made/one.txt)" = third ]
	report $? 'takes the place of the old one'
	expect 'the same once more' 0 '^in/one.txt -> .*/made/one.txt$|one.txt -> ' \
		run copy -o made in/one.txt
	grep -q 'there already' out
	[ $? = 1 ]
	report $? 'is run once more'
	expect 'an old output that is to stand' 0 '2 of 2' \
		run copy --collision keep -o made in/deep/two.txt in/one.txt
	expect 'an unknown policy' 2 'expected replace, version or keep' \
		run copy --collision never -o made in/one.txt
	expect 'a directory in one run' 0 '1 of 1 done' run copy -o folder in/deep
	[ -s folder/deep/two.txt ] && [ -s folder/deep/kiln.json ]
	report $? 'becomes a directory with its sidecar inside'
	expect 'an output folder inside an input' 2 'lies in the input' run copy -o in/deep/out in/deep
	"$kilnctl" run copy --repeat 100000 --json -o cut in/one.txt >out 2>err &
	run=$!
	until [ -e cut/.kiln-stage ] || ! kill -0 $run; do sleep .05; done 2>/dev/null
	kill -TERM $run
	wait $run
	json 'd["units"][0]["status"] in ("published", "cancelled")
	      and (d["units"][0]["status"] == "published") == (len(d["units"][0]["outputs"]) == 1)'
	report $? 'a run that is cancelled says what became of its units'
	expect 'an unknown parameter' 2 'describe copy' run copy -p nonesuch=1 -o out in/one.txt

	# What kernels tell was written by whoever made the model.
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$makers python3 -c 'import mmd
open("odd.pmx", "wb").write(mmd.pmx([{"name": "a\x1b[2J\nb", "position": (0, 0, 0)}]))'
	expect 'a bone whose name would clear the terminal' 0 ' a\\x1b\[2J\\x0ab ' \
		describe vmd-fk -p model=odd.pmx
	echo no motion >'in/a\b.vmd'
	expect 'a reason shows its backslash escaped once' 1 "bad: 'a\\\\x5cb\\.vmd': a VMD was" \
		run vmd-fk -p model=odd.pmx -o odd 'in/a\b.vmd'
else
	skip 'kernels and run' 'kiln-worker is not built'
fi
finish
