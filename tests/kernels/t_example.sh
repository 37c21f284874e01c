#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Goal: the example in pose_arrays.h's name builds as a stranger would build it, and bends
# its elbow.
set -eu
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
if grep -q 'KILN_SANITIZED 1' "$top_builddir/config.h"; then
	echo '1..0 # SKIP a sanitizer is in libkern.a, and not in the example'
	exit 0
fi
echo 1..2
# shellcheck disable=SC2086 # a compiler may come with words of its own
if ${CC:-cc} -I"$top_srcdir" -o "$built/example" "$top_srcdir/tests/kernels/example_pose.c" \
	"$top_builddir/libkern.a" -lm; then
	echo 'ok 1 - it builds'
else
	echo 'not ok 1 - it builds'
fi
said=$("$built/example" | tail -n 1)
if [ "$said" = 'frame 4: hand at 3.000 12.000 0.000' ]; then
	echo 'ok 2 - the hand is where a right angle brings it'
else
	echo "not ok 2 - the hand is where a right angle brings it: $said"
fi
