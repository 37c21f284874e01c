/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernels/curve.h"

#include "kernels/curve_solve.h"

double
kern_curve_weight(const uint8_t curve[4], double t)
{
	return kern_curve_solve(curve, t);
}
