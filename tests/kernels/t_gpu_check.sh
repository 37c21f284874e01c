#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: contrib/gpu-check builds and judges without configure, with what a machine lent for
# its GPU has, gcc and nvcc; and does all that can be done where there is no GPU.  To be
# quick it compiles for one GPU only here.
top_srcdir=${top_srcdir:-.}
. "$top_srcdir/tests/tap.sh"
PATH=$PATH:/usr/local/cuda/bin command -v nvcc >/dev/null || skip_all 'cuda: no nvcc here'

GPU_CHECK_ROUNDS=3 "$top_srcdir/contrib/gpu-check" -gencode arch=compute_75,code=compute_75 \
	>"$scratch/said" 2>&1
check $? 'it ends well'
tail -n 1 "$scratch/said" | grep -qE '^[1-9][0-9]+ passed, 0 failed, [0-9]+ skipped$'
check $? 'with a tally'
grep -q '^ok      primitives, checkkern and bench built' "$scratch/said"
check $? 'all is built'
grep -q '^ok      a motion by the lines of the GPU, on the CPU' "$scratch/said"
check $? 'the lines of the GPU give the bits of the plain C on the CPU'
if grep -q '^ok      motions on the GPU' "$scratch/said"; then
	pass 'and the GPU does'
else
	skip 'and the GPU does' "$(sed -n 's/^skipped motions on the GPU (\(.*\))$/\1/p' "$scratch/said")"
fi
finish
