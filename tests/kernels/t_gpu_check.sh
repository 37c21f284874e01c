#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: contrib/gpu-check builds and judges without configure, with what a machine lent for
# its GPU has, gcc and nvcc; and does all that can be done where there is no GPU.  To be
# quick it compiles for one GPU only here.
set -u
top_srcdir=${top_srcdir:-.}
if ! PATH=$PATH:/usr/local/cuda/bin command -v nvcc >/dev/null; then
	echo '1..0 # SKIP cuda: no nvcc here'
	exit 0
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/t_gpu_check.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

tests=0 bad=0
check() # STATUS DESCRIPTION
{
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
	else
		bad=1
		echo "not ok $tests - $2"
		tail -n 30 "$work/said" | sed 's/^/# /'
	fi
}

GPU_CHECK_ROUNDS=3 "$top_srcdir/contrib/gpu-check" -gencode arch=compute_75,code=compute_75 \
	>"$work/said" 2>&1
check $? 'it ends well'
tail -n 1 "$work/said" | grep -qE '^[1-9][0-9]+ passed, 0 failed, [0-9]+ skipped$'
check $? 'with a tally'
grep -q '^ok      primitives, checkkern and bench built' "$work/said"
check $? 'all is built'
grep -q '^ok      a motion by the lines of the GPU, on the CPU' "$work/said"
check $? 'the lines of the GPU give the bits of the plain C on the CPU'
if grep -q '^ok      motions on the GPU' "$work/said"; then
	check 0 'and the GPU does'
else
	tests=$((tests + 1))
	echo "ok $tests - and the GPU does # SKIP $(sed -n \
		's/^skipped motions on the GPU (\(.*\))$/\1/p' "$work/said")"
fi
echo "1..$tests"
exit $bad
