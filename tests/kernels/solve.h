/* SPDX-License-Identifier: BSD-2-Clause */
/* solve.h - the solvers of curves that kernels have inside: one a variant. */
#ifndef CK_SOLVE_H
#define CK_SOLVE_H

#include <stdint.h>

enum { CK_SOLVE_CURVES = 128 };

/* The shares of the way at t, 0..1, of as many curves; answers how many were halved. */
typedef unsigned ck_solve_fn(
	const uint8_t (*curves)[4], const double *t, double *weights);

ck_solve_fn ck_solve_avx2, ck_solve_avx512;

#endif
