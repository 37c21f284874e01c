# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# tap.sh - for tests that are bash scripts: TAP, and a scratch folder.  A test states its
# goal in its head, sources this, and ends with `finish`:
#
#	. "${top_srcdir:-.}/tests/tap.sh"
#	try 'the answer is found' grep -q 42 answers
#	finish
#
# Gives $scratch (removed at the end, kept with KILN_KEEP=1).  What a test did last may be
# put into $scratch/said: that is shown when a check of it fails.
set -u
scratch=$(mktemp -d "${TMPDIR:-/tmp}/kiln-test.XXXXXX") || exit 1
_tests=0 _bad=0
_end()
{
	[ -n "${KILN_KEEP:-}" ] || rm -rf "$scratch"
}
trap _end EXIT
trap 'exit 143' TERM INT

note()
{
	printf '%s\n' "$*" | sed 's/^/# /'
}

pass()
{
	_tests=$((_tests + 1))
	echo "ok $_tests - $1"
}

fail() # DESCRIPTION [DETAILS]
{
	_tests=$((_tests + 1)) _bad=1
	echo "not ok $_tests - $1"
	[ -z "${2:-}" ] || note "$2"
}

try() # DESCRIPTION COMMAND...: passes when COMMAND succeeds; what it says is for failure
{
	local said description=$1
	shift
	if said=$("$@" 2>&1); then
		pass "$description"
	else
		fail "$description" "$said"
	fi
}

check() # STATUS DESCRIPTION [DETAILS]: of what was done before
{
	if [ "$1" -eq 0 ]; then
		pass "$2"
	else
		fail "$2" "${3-$(tail -n 30 "$scratch/said" 2>/dev/null)}"
	fi
}

is() # FOUND EXPECTED DESCRIPTION
{
	if [ "$1" = "$2" ]; then
		pass "$3"
	else
		fail "$3" "expected: $2
found:    $1"
	fi
}

like() # FOUND GREP-E-PATTERN DESCRIPTION
{
	if grep -qE -- "$2" <<<"$1"; then
		pass "$3"
	else
		fail "$3" "expected to match: $2
found: $1"
	fi
}

skip() # DESCRIPTION REASON
{
	_tests=$((_tests + 1))
	echo "ok $_tests - $1 # SKIP $2"
}

skip_all() # REASON
{
	echo "1..0 # SKIP $1"
	exit 0
}

# What is told besides at the end of a test that failed; whoever has more to tell redefines it.
_tell()
{
	:
}

finish()
{
	[ "$_bad" -eq 0 ] || _tell
	echo "1..$_tests"
	exit $_bad
}
