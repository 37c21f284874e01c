/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trig.h - sine, cosine and arc tangent of our own, for one frame.
 *
 * They exist so that all variants of a kernel give the same bits: each is a fixed list of
 * single precision sums and products, in an order that lanes_quat.h repeats, and the
 * compiler must contract none of them (-ffp-contract=off).  The polynomials are minimax
 * fits (weighted least squares until the error levelled) of sin(x)/x, cos(x) and
 * atan(x)/x in x squared; what they leave out is below a twentieth of a float's last
 * digit.  Against the exact values: sine and cosine within 1.2e-7 for angles of up to
 * KERN_TRIG_MOST (1.5e-7 by the one polynomial), the arc tangent within 4e-7.  NaN in, NaN
 * out.
 */
#ifndef KERN_TRIG_H
#define KERN_TRIG_H

#include "kernels/both.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Beyond it a float's steps are of the size of a thousandth of a turn: such an angle,
 * which no motion has, counts as none. */
#define KERN_TRIG_MOST 8192.0f

#define KERN_TRIG_PI	      3.14159265f
#define KERN_TRIG_QUARTER     1.57079633f
#define KERN_TRIG_PER_QUARTER 0.636619772f
/* A quarter turn in three parts; the first two have so few digits that up to 5216 times
 * them is exact. */
#define KERN_TRIG_QUARTER_1 1.5703125f
#define KERN_TRIG_QUARTER_2 0x1.fb8p-12f
#define KERN_TRIG_QUARTER_3 -1.62920685e-7f
/* 3 * 2^22: added to a small float, it leaves the nearest integer in the last digits. */
#define KERN_TRIG_ROUND 12582912.0f

/* sin x = x + x^3 (S0 + S1 x^2 + ...), up to an eighth of a turn. */
#define KERN_TRIG_S0 -1.66666542e-1f
#define KERN_TRIG_S1 8.33213173e-3f
#define KERN_TRIG_S2 -1.95108713e-4f
/* cos x = 1 - x^2 / 2 + x^4 (C0 + C1 x^2 + ...), likewise. */
#define KERN_TRIG_C0 4.16666457e-2f
#define KERN_TRIG_C1 -1.38873064e-3f
#define KERN_TRIG_C2 2.44312410e-5f
/* sin x likewise, but up to a quarter turn. */
#define KERN_TRIG_H0 -1.66666604e-1f
#define KERN_TRIG_H1 8.33308744e-3f
#define KERN_TRIG_H2 -1.98110535e-4f
#define KERN_TRIG_H3 2.60878964e-6f
/* atan x = x + x^3 (A0 + A1 x^2 + ...), up to 1. */
#define KERN_TRIG_A0 -3.33331670e-1f
#define KERN_TRIG_A1 1.99941372e-1f
#define KERN_TRIG_A2 -1.42142089e-1f
#define KERN_TRIG_A3 1.06789394e-1f
#define KERN_TRIG_A4 -7.58057612e-2f
#define KERN_TRIG_A5 4.35535151e-2f
#define KERN_TRIG_A6 -1.65811688e-2f
#define KERN_TRIG_A7 2.97458655e-3f

struct kern_trig_sincos {
	float sine, cosine;
};

KERN_BOTH struct kern_trig_sincos
kern_trig_sincos(float x)
{
	if (!(fabsf(x) <= KERN_TRIG_MOST))
		x = x - x;
	float shifted = x * KERN_TRIG_PER_QUARTER + KERN_TRIG_ROUND;
	float quarters = shifted - KERN_TRIG_ROUND;
	float r =
		((x - quarters * KERN_TRIG_QUARTER_1) - quarters * KERN_TRIG_QUARTER_2) -
		quarters * KERN_TRIG_QUARTER_3;
	float z = r * r;
	float s = r + r * z * (KERN_TRIG_S0 + z * (KERN_TRIG_S1 + z * KERN_TRIG_S2));
	float c = (1.0f - 0.5f * z) +
		  z * z * (KERN_TRIG_C0 + z * (KERN_TRIG_C1 + z * KERN_TRIG_C2));
	uint32_t number;
	memcpy(&number, &shifted, sizeof number);
	float sine = number & 1 ? c : s, cosine = number & 1 ? s : c;
	return (struct kern_trig_sincos){
		number & 2 ? -sine : sine, (number + 1) & 2 ? -cosine : cosine};
}

/* The sine of an angle of at most a quarter turn. */
KERN_BOTH float
kern_trig_sine_quarter(float x)
{
	float z = x * x;
	return x + x * z *
			   (KERN_TRIG_H0 +
				   z * (KERN_TRIG_H1 +
					       z * (KERN_TRIG_H2 + z * KERN_TRIG_H3)));
}

/* As atan2f(), but the sign of a zero x does not count, and two infinities give NaN. */
KERN_BOTH float
kern_trig_atan2(float y, float x)
{
	float up = fabsf(y), along = fabsf(x);
	float high = up > along ? up : along, low = up > along ? along : up;
	float q = high == 0.0f ? 0.0f : low / high;
	float z = q * q;
	float tail =
		KERN_TRIG_A4 + z * (KERN_TRIG_A5 + z * (KERN_TRIG_A6 + z * KERN_TRIG_A7));
	float a =
		q +
		q * z *
			(KERN_TRIG_A0 +
				z * (KERN_TRIG_A1 +
					    z * (KERN_TRIG_A2 +
							z * (KERN_TRIG_A3 + z * tail))));
	if (up > along)
		a = KERN_TRIG_QUARTER - a;
	if (x < 0.0f)
		a = KERN_TRIG_PI - a;
	return copysignf(a, y);
}

#endif
