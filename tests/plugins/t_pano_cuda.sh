#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: pano-views loads and answers whatever there is of CUDA: nothing, a driver older than
# the run time, or a GPU; under the sandbox too, with what the grant for a GPU allows.
# Views have the same bytes throughout.
plugin=pano-views
. "${top_srcdir:-.}/tests/plugins/cuda.sh"

run()
{
	mkdir -p "$scratch/$1" && "$top_builddir/tests/plugins/run-plugin" \
		"$top_builddir/plugins/pano-views.so" pano-views -d "$2" -j 2 \
		-o "$scratch/$1" -p width=200 -p height=120 "$scratch/in/compass.png" \
		>"$scratch/said" 2>&1 && [ -s "$scratch/$1/cam_07/compass.png" ]
}

same()
{
	diff -r -x kiln.json "$scratch/cpu" "$scratch/$1" >>"$scratch/said" 2>&1
}

# One warning, with a way out.
is_warned()
{
	[ "$(grep -c '^warn' "$scratch/said")" -eq 1 ] &&
		grep '^warn 0 views were made on the CPU' "$scratch/said" |
		grep -q 'or ask for device "cpu"'
}

mkdir "$scratch/in" && "$top_builddir/contrib/make-sample" --pano 768 "$scratch/in" \
	>"$scratch/said" 2>&1 || exit 1
cuda_check_cpu
cuda_check_device
cuda_check_old_driver

# The engine with the grant: Landlock and seccomp as a rule with device = "cuda" has them.
"$top_builddir/kilnctl" run pano-views -d cuda -p width=200 -p height=120 -o "$scratch/out" \
	"$scratch/in/compass.png" >"$scratch/said" 2>&1 && made=$(echo "$scratch"/out/*/kiln.json) &&
	cp -r "${made%/*}" "$scratch/run" && same run
check $? 'the same in a sandbox with the grant for a GPU'
said=$(python3 -c 'import json, sys; s = json.load(open(sys.argv[1])); print(s["device"], s["variant"])' \
	"$scratch/run/kiln.json" 2>&1)
case $said in
cuda:0*) is "$said" 'cuda:0 cuda' 'the sidecar names device and variant' ;;
*) like "$said" '^cpu (c|avx2|avx512)$' 'the sidecar names device and variant' ;;
esac
finish
