/* SPDX-License-Identifier: BSD-2-Clause */
/* The one place that asks which machine this is. */
#include "kernels/caps.h"

unsigned
kern_caps_machine(void)
{
	unsigned caps = 0;
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		caps |= KERN_CAP_AVX2;
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
		caps |= KERN_CAP_AVX512;
#endif
	return caps;
}
