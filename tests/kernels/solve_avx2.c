/* SPDX-License-Identifier: BSD-2-Clause */
/* Curves, eight at a time. */
#include "tests/kernels/solve.h"

#if defined(__x86_64__)
#define LANES 8
#include "tests/kernels/solve_lanes.h"

unsigned
ck_solve_avx2(const uint8_t (*curves)[4], const double *t, double *weights)
{
	return solve_lanes(curves, t, weights);
}
#endif
