/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arc.h - the arc tangent of two numbers in double precision, of our own: all variants of a
 * kernel give the same bits, CUDA's too, and several are had at once.
 *
 * Quotients beyond the tangent of an eighth of a half turn are taken from there, so that
 * seven terms are enough: atan q = q + q z (A0 + A1 z + ...) with z = q^2, minimax fits
 * (weighted least squares until the error levelled).  Within 2e-13 of the exact value, a
 * ten thousandth of what a coordinate of the widest panorama is counted in.
 */
#ifndef KERN_ARC_H
#define KERN_ARC_H

#include "kernels/both.h"

#include <math.h>

#define KERN_ARC_HALF	 3.14159265358979324
#define KERN_ARC_QUARTER 1.57079632679489662
#define KERN_ARC_EIGHTH	 0.785398163397448310
#define KERN_ARC_TANGENT 0.414213562373095049 /* of half an eighth */
#define KERN_ARC_A0	 -0.33333333257232717
#define KERN_ARC_A1	 0.19999990816856328
#define KERN_ARC_A2	 -0.14285308966577914
#define KERN_ARC_A3	 0.11102210637567235
#define KERN_ARC_A4	 -0.08982300950873423
#define KERN_ARC_A5	 0.06932252146565612
#define KERN_ARC_A6	 -0.0369781866096847

/* As atan2() for finite numbers, but the sign of a zero x does not count. */
KERN_BOTH double
kern_arc(double y, double x)
{
	const double up = fabs(y), along = fabs(x);
	const double high = up > along ? up : along, low = up > along ? along : up;
	const int beyond = low > high * KERN_ARC_TANGENT;
	const double over = beyond ? low - high : low;
	const double under = beyond ? low + high : high;
	const double q = under > 0.0 ? over / under : 0.0;
	const double z = q * q;
	const double tail =
		KERN_ARC_A3 + z * (KERN_ARC_A4 + z * (KERN_ARC_A5 + z * KERN_ARC_A6));
	double a =
		q +
		q * z * (KERN_ARC_A0 + z * (KERN_ARC_A1 + z * (KERN_ARC_A2 + z * tail)));
	if (beyond)
		a = a + KERN_ARC_EIGHTH;
	if (up > along)
		a = KERN_ARC_QUARTER - a;
	if (x < 0.0)
		a = KERN_ARC_HALF - a;
	return copysign(a, y);
}

#endif
