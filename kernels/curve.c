/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Newton's steps, kept inside a bracket that only shrinks: where the slope vanishes or a
 * step leaves the bracket, the bracket is halved instead.
 */
#include "kernels/curve.h"

#include <math.h>

/* Enough for halving alone to reach a double's last bit. */
#define STEPS 64

static double
bezier(double p1, double p2, double s)
{
	double r = 1.0 - s;
	return 3.0 * s * r * r * p1 + 3.0 * s * s * r * p2 + s * s * s;
}

static double
bezier_slope(double p1, double p2, double s)
{
	double r = 1.0 - s;
	return 3.0 * r * r * p1 + 6.0 * s * r * (p2 - p1) + 3.0 * s * s * (1.0 - p2);
}

static double
control(uint8_t byte)
{
	return (byte > 127 ? 127 : byte) / 127.0;
}

double
kern_curve_weight(const uint8_t curve[4], double t)
{
	double x1 = control(curve[0]), y1 = control(curve[1]);
	double x2 = control(curve[2]), y2 = control(curve[3]);

	if (!(t > 0.0))
		return 0.0;
	if (t >= 1.0)
		return 1.0;
	if (x1 == y1 && x2 == y2)
		return t;

	double low = 0.0, high = 1.0, s = t;
	for (int step = 0; step < STEPS; step++) {
		double error = bezier(x1, x2, s) - t;
		if (fabs(error) < 1e-16)
			break;
		if (error > 0.0)
			high = s;
		else
			low = s;
		double next = s - error / bezier_slope(x1, x2, s);
		if (!(next > low && next < high))
			next = 0.5 * (low + high);
		if (next == s)
			break;
		s = next;
	}
	return bezier(y1, y2, s);
}
