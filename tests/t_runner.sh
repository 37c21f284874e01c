#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: what runs the tests cannot be fooled: failures, crashes, hangs, broken plans and
# skips that nobody allowed all end in the tally as failures, and cmocka's odd skip does not.
set -u
top_srcdir=$(cd "${top_srcdir:-.}" && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/t_runner.XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/tests"

tests=0 bad=0
# tally EXPECTED DESCRIPTION SCRIPT [VARIABLE=VALUE...]: what a test program that does
# SCRIPT comes to.
tally()
{
	local expected=$1 description=$2 found
	{
		echo '#!/bin/sh'
		echo "$3"
	} >"$scratch/tests/t_planted"
	chmod +x "$scratch/tests/t_planted"
	shift 3
	(cd "$scratch" && env -u CI -u KILN_REQUIRE -u KILN_ONLY -u KILN_TALLY -u KILN_LOGS "$@" \
		top_srcdir="$top_srcdir" top_builddir="$scratch" \
		"$top_srcdir/tests/run-tests" tests/t_planted) >"$scratch/said" 2>&1
	local status=$?
	found=$(cat "$scratch/tests/tally")
	tests=$((tests + 1))
	# The line ends the output, and the exit status says the same.
	if [ "$found" = "$expected" ] && [ "$(tail -n 1 "$scratch/said")" = "$expected" ] &&
		{ [ $status -eq 0 ] || [[ $expected != *' 0 failed'* ]]; } &&
		{ [ $status -ne 0 ] || [[ $expected == *' 0 failed'* ]]; }; then
		echo "ok $tests - $description"
	else
		bad=1
		echo "not ok $tests - $description"
		echo "# expected '$expected', found '$found', exit status $status"
		sed 's/^/# /' "$scratch/said"
	fi
}

two='echo 1..2; echo ok 1 - a; echo'
tally '2 passed, 0 failed, 0 skipped' 'a good program' "$two ok 2 - b"
tally '1 passed, 1 failed, 0 skipped' 'a failed test' "$two not ok 2 - b; exit 1"
tally '1 passed, 1 failed, 0 skipped' 'fewer tests than planned' "$two"
tally '2 passed, 1 failed, 0 skipped' 'an exit status with no failed test' "$two ok 2; exit 3"
tally '2 passed, 1 failed, 0 skipped' 'a crash after the last test' \
	"$two ok 2; kill -SEGV \$\$"
tally '0 passed, 1 failed, 0 skipped' 'no output at all' true
tally '1 passed, 1 failed, 0 skipped' 'a hang' "$two; sleep 1000" KILN_TEST_SECONDS=1
tally '2 passed, 0 failed, 0 skipped' 'chatter between the tests' \
	"echo hello; $two ok 2 - b; echo bye; echo oops >&2"

skip="$two 'no GPU here'; echo not ok 2 '# SKIP on_cuda'"
tally '1 passed, 0 failed, 1 skipped' "cmocka's skip" "$skip"
tally '1 passed, 0 failed, 1 skipped' 'an allowed skip in CI' "$skip" CI=true
tally '1 passed, 1 failed, 0 skipped' 'an allowed skip that is required' "$skip" \
	KILN_REQUIRE=cuda
tally '1 passed, 0 failed, 1 skipped' 'a skip when something else is required' "$skip" \
	KILN_REQUIRE=avx2
skip="$two ok 2 - b '# SKIP the moon is full'"
tally '1 passed, 0 failed, 1 skipped' 'any skip at home' "$skip"
tally '1 passed, 1 failed, 0 skipped' 'a skip that CI does not allow' "$skip" CI=true
tally '1 passed, 1 failed, 0 skipped' 'a skip when all is required' "$skip" KILN_REQUIRE=all
whole="echo 1..0 '# SKIP the moon is full'"
tally '0 passed, 0 failed, 1 skipped' 'a program that skips as a whole' "$whole"
tally '0 passed, 1 failed, 0 skipped' 'the same in CI' "$whole" CI=true
echo "1..$tests"
exit $bad
