#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: the fuzzers of the readers, in a clang build of their own, for KILN_FUZZ_SECONDS
# (600) each: nothing is found, but for the bugs that were planted.
set -u
top_srcdir=$(cd "${top_srcdir:-.}" && pwd)
command -v clang >/dev/null || { echo '1..0 # SKIP no clang here'; exit 0; }
folder=$(mktemp -d "${TMPDIR:-/tmp}/kiln-fuzz.XXXXXX") || exit 1
cd "$folder" || exit 1
{
	"$top_srcdir/configure" -q --with-cuda=no --enable-fuzzers CC=clang CXX=clang++ &&
		make -s -j "$(nproc)" check-programs
} >&2 || { echo 'Bail out! the fuzzers cannot be built'; exit 1; }
top_builddir=. "$top_srcdir/tests/fuzz/run-fuzz.sh" "${KILN_FUZZ_SECONDS:-600}"
status=$?
# What was found stays, to be looked at.
[ $status -ne 0 ] && echo "# see $folder/fuzz-out" || rm -rf "$folder"
exit $status
