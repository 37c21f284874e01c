#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: vmd-fk loads and answers whatever there is of CUDA: nothing, a driver older than
# the run time, or a GPU; under the sandbox too, with what the grant for a GPU allows.
# Outputs have the same bytes throughout.
set -u
top_builddir=${top_builddir:-.}
plugin=$top_builddir/plugins/vmd-fk.so
work=$(mktemp -d "${TMPDIR:-/tmp}/t_cuda.XXXXXX") || exit 1
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
	mkdir -p "$work/$1" && "$top_builddir/tests/plugins/run-plugin" "$plugin" vmd-fk \
		-d "$2" -o "$work/$1" -p "model=$work/dancer.pmx" "$work/random.vmd" \
		>"$work/said" 2>&1
}

same() # FOLDER: whether it has the bytes of the CPU's
{
	cmp -s "$work/cpu/random.npz" "$work/$1/random.npz"
}

"$top_builddir/contrib/make-sample" --random 300 "$work" >"$work/said" 2>&1 || exit 1
readelf -d "$plugin" >"$work/said"
check "$(! grep -qE 'NEEDED.*(cuda|nvidia)'; echo $?)" 'nothing of CUDA is needed to load it' \
	<"$work/said"
run cpu cpu
check $? 'the CPU alone'

run there cuda:0
ran=$?
built=0
grep -q 'built without CUDA' "$work/said" || built=1
if grep -q '^variant cuda' "$work/said"; then
	same there
	check $? 'the GPU of this machine gives the bytes of the CPU'
else
	[ $ran -eq 0 ] && same there && grep -q '^warn 0 evaluated on the CPU' "$work/said"
	check $? 'what cannot be had of CUDA is a warning, and the CPU does it'
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
"$top_builddir/kilnctl" run vmd-fk -d cuda -p "model=$work/dancer.pmx" -o "$work/run" \
	"$work/random.vmd" >"$work/said" 2>&1 && same run
check $? 'the same in a sandbox with the grant for a GPU'
device=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["device"])' \
	"$work/run/random.npz.kiln.json" 2>>"$work/said")
if [ "$device" = cuda:0 ]; then
	skip 'the sidecar says that the CPU did it' 'cuda: a GPU did it'
else
	check "$([ "$device" = cpu ]; echo $?)" 'the sidecar says that the CPU did it'
fi
echo "1..$tests"
exit $bad
