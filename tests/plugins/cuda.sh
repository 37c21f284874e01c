# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# cuda.sh - for tests that a plugin loads and answers whatever there is of CUDA: nothing, a
# driver older than the run time, or a GPU.  A test sources it with $plugin set, the .so's
# name, and defines
#
#	run FOLDER DEVICE	the kernel without kiln, into $scratch/FOLDER; its words in said
#	same FOLDER		whether that has the bytes of the CPU's, in $scratch/cpu
#	is_warned		whether said has the one warning that the CPU did it
#
# and then calls the checks in order.
. "${top_srcdir:-.}/tests/tap.sh"
top_builddir=${top_builddir:-.}
: "${plugin:?}"
has_cuda= # whether it was built with CUDA, once cuda_check_device was called

warned()
{
	grep -q '^warn' "$scratch/said"
}

cuda_check_cpu()
{
	readelf -d "$top_builddir/plugins/$plugin.so" >"$scratch/said"
	check "$(! grep -qE 'NEEDED.*(cuda|nvidia)' "$scratch/said"; echo $?)" \
		'nothing of CUDA is needed to load it'
	run cpu cpu
	check $? 'the CPU alone'
}

cuda_check_device()
{
	local ran why='cuda: built without nvcc'
	run there cuda:0
	ran=$?
	grep -q 'built without CUDA' "$scratch/said" || has_cuda=1 why='cuda: no GPU here'
	if grep -q '^variant cuda' "$scratch/said"; then
		same there && ! warned
		check $? 'the GPU of this machine gives the bytes of the CPU'
	else
		[ $ran -eq 0 ] && same there && is_warned
		check $? 'what cannot be had of CUDA is a warning, and the CPU does it'
		skip 'the GPU of this machine gives the bytes of the CPU' "$why"
	fi
	run chosen +cuda:0 && same chosen && ! warned
	check $? 'and no warning where kiln chose the device'
}

# A driver that is older than the run time says so and is asked nothing else.
cuda_check_old_driver()
{
	local what='a driver older than the run time is a warning, and the CPU does it'
	if [ -z "$has_cuda" ]; then
		skip "$what" 'cuda: built without nvcc'
		return
	fi
	mkdir "$scratch/driver"
	${CC:-gcc} -shared -fPIC -x c -o "$scratch/driver/libcuda.so.1" - >"$scratch/said" 2>&1 <<-'END' &&
		int cuDriverGetVersion(int *v) { *v = 11040; return 0; }
		int cuInit(unsigned flags) { (void)flags; return 0; }
		int cuGetProcAddress(const char *name, void **f, int v, unsigned long long flags)
		{ (void)name, (void)v, (void)flags; *f = 0; return 500; }
	END
		LD_LIBRARY_PATH=$scratch/driver run old cuda:0 && same old &&
		grep -q 'the driver is for CUDA 11.4, older than' "$scratch/said"
	check $? "$what"
}
