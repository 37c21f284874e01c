#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: vmd-fk loads and answers whatever there is of CUDA: nothing, a driver older than
# the run time, or a GPU; under the sandbox too, with what the grant for a GPU allows.
# Outputs have the same bytes throughout.
plugin=vmd-fk
. "${top_srcdir:-.}/tests/plugins/cuda.sh"

run()
{
	mkdir -p "$scratch/$1" && "$top_builddir/tests/plugins/run-plugin" \
		"$top_builddir/plugins/vmd-fk.so" vmd-fk -d "$2" -o "$scratch/$1" \
		-p "model=$scratch/dancer.pmx" "$scratch/random.vmd" >"$scratch/said" 2>&1
}

same()
{
	cmp -s "$scratch/cpu/random.npz" "$scratch/$1/random.npz"
}

is_warned()
{
	grep -q '^warn 0 evaluated on the CPU' "$scratch/said"
}

"$top_builddir/contrib/make-sample" --random 300 "$scratch" >"$scratch/said" 2>&1 || exit 1
cuda_check_cpu
cuda_check_device
cuda_check_old_driver

# The engine with the grant: Landlock and seccomp as a rule with device = "cuda" has them.
"$top_builddir/kilnctl" run vmd-fk -d cuda -p "model=$scratch/dancer.pmx" -o "$scratch/run" \
	"$scratch/random.vmd" >"$scratch/said" 2>&1 && same run
check $? 'the same in a sandbox with the grant for a GPU'
device=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["device"])' \
	"$scratch/run/random.npz.kiln.json" 2>>"$scratch/said")
if [ "$device" = cuda:0 ]; then
	skip 'the sidecar says that the CPU did it' 'cuda: a GPU did it'
else
	is "$device" cpu 'the sidecar says that the CPU did it'
fi
finish
