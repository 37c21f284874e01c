#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: pano-views loads and answers whatever there is of CUDA: nothing, a driver older than
# the run time, or a GPU; under the sandbox too, with what the grant for a GPU allows.
# Views have the same bytes throughout.
set -u
top_builddir=${top_builddir:-.}
plugin=$top_builddir/plugins/pano-views.so
work=$(mktemp -d "${TMPDIR:-/tmp}/t_pano_cuda.XXXXXX") || exit 1
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
		sed 's/^/# /' "$work/said" | tail -n 12
	fi
}

skip() # DESCRIPTION REASON
{
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

# run FOLDER DEVICE: the kernel without kiln, its words in said.
run()
{
	mkdir -p "$work/$1" && "$top_builddir/tests/plugins/run-plugin" "$plugin" pano-views \
		-d "$2" -j 2 -o "$work/$1" -p width=200 -p height=120 "$work/in/compass.png" \
		>"$work/said" 2>&1
}

same() # FOLDER: whether it has the bytes of the CPU's
{
	diff -r -x kiln.json "$work/cpu" "$work/$1" >>"$work/said" 2>&1
}

mkdir "$work/in" && "$top_builddir/contrib/make-sample" --pano 768 "$work/in" \
	>"$work/said" 2>&1 || exit 1
readelf -d "$plugin" >"$work/said"
check "$(! grep -qE 'NEEDED.*(cuda|nvidia)'; echo $?)" 'nothing of CUDA is needed to load it' \
	<"$work/said"
run cpu cpu && [ -s "$work/cpu/cam_07/compass.png" ]
check $? 'the CPU alone'

run there cuda:0
ran=$?
built=0
grep -q 'built without CUDA' "$work/said" || built=1
if grep -q '^variant cuda' "$work/said"; then
	same there && ! grep -q '^warn' "$work/said"
	check $? 'the GPU of this machine gives the bytes of the CPU'
else
	[ $ran -eq 0 ] && same there && [ "$(grep -c '^warn' "$work/said")" -eq 1 ] &&
		grep '^warn 0 views were made on the CPU' "$work/said" |
		grep -q 'or ask for device "cpu"'
	check $? 'what cannot be had of CUDA is one warning with a way out, and the CPU does it'
	[ $built -eq 1 ] && why='cuda: no GPU here' || why='cuda: built without nvcc'
	skip 'the GPU of this machine gives the bytes of the CPU' "$why"
fi

run chosen +cuda:0
[ $? -eq 0 ] && same chosen && ! grep -q '^warn' "$work/said"
check $? 'and no warning where kiln chose the device'

# A driver that is older than the run time says so and is asked nothing else.
echo 'int cuDriverGetVersion(int *v) { *v = 11040; return 0; }
int cuInit(unsigned flags) { (void)flags; return 0; }
int cuGetProcAddress(const char *name, void **f, int v, unsigned long long flags)
{ (void)name, (void)v, (void)flags; *f = 0; return 500; }' >"$work/old.c"
mkdir "$work/driver"
if [ $built -eq 0 ]; then
	skip 'a driver older than the run time' 'cuda: built without nvcc'
elif ! ${CC:-gcc} -shared -fPIC -o "$work/driver/libcuda.so.1" "$work/old.c" \
	>"$work/said" 2>&1; then
	check 1 'a driver older than the run time'
else
	LD_LIBRARY_PATH=$work/driver run old cuda:0
	[ $? -eq 0 ] && same old && grep -q 'the driver is for CUDA 11.4, older than' "$work/said"
	check $? 'a driver older than the run time is a warning, and the CPU does it'
fi

# The engine with the grant: Landlock and seccomp as a rule with device = "cuda" has them.
"$top_builddir/kilnctl" run pano-views -d cuda -p width=200 -p height=120 -o "$work/out" \
	"$work/in/compass.png" >"$work/said" 2>&1 && made=$(echo "$work"/out/*/kiln.json) &&
	cp -r "${made%/*}" "$work/run" && same run
check $? 'the same in a sandbox with the grant for a GPU'
python3 -c 'import json, sys; s = json.load(open(sys.argv[1])); print(s["device"], s["variant"])' \
	"$work/run/kiln.json" >"$work/said" 2>&1
if grep -q '^cuda:0' "$work/said"; then
	check "$(grep -qx 'cuda:0 cuda' "$work/said"; echo $?)" \
		'the sidecar names device and variant'
else
	check "$(grep -qxE 'cpu (c|avx2|avx512)' "$work/said"; echo $?)" \
		'the sidecar names device and variant'
fi
echo "1..$tests"
exit $bad
