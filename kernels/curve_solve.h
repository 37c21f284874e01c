/* SPDX-License-Identifier: BSD-2-Clause */
/* curve_solve.h - the meaning of a VMD curve (see curve.h), for plain C and CUDA.  The
 * solution stays between the last s that was too low and the last that was too high, and
 * y between theirs. */
#ifndef KERN_CURVE_SOLVE_H
#define KERN_CURVE_SOLVE_H

#include "kernels/both.h"
#include "kernels/curve.h"

#include <math.h>

KERN_BOTH double
kern_curve_control(uint8_t byte)
{
	return (byte > 127 ? 127 : byte) / 127.0;
}

KERN_BOTH double
kern_curve_solve(const uint8_t curve[4], double t)
{
	double x1 = kern_curve_control(curve[0]), y1 = kern_curve_control(curve[1]);
	double x2 = kern_curve_control(curve[2]), y2 = kern_curve_control(curve[3]);
	if (x1 == y1 && x2 == y2)
		return t;

	/* x and y as polynomials ((3rd s + 2nd) s + 1st) s. */
	double x_1st = 3.0 * x1, x_2nd = 3.0 * (x2 - x1) - x_1st;
	double x_3rd = 1.0 - x_1st - x_2nd;
	double y_1st = 3.0 * y1, y_2nd = 3.0 * (y2 - y1) - y_1st;
	double y_3rd = 1.0 - y_1st - y_2nd;
	double s = 0.5, step = 0.25, y = 0.0;
	double y_low = 0.0, y_high = 1.0;
	for (int i = 0; i < KERN_CURVE_HALVINGS; i++, step *= 0.5) {
		double error = ((x_3rd * s + x_2nd) * s + x_1st) * s - t;
		y = ((y_3rd * s + y_2nd) * s + y_1st) * s;
		double unsure = error < 0.0 ? y_high - y : y - y_low;
		if (fabs(error) < KERN_CURVE_X_ENOUGH && unsure < KERN_CURVE_Y_ENOUGH)
			break;
		if (error < 0.0) {
			y_low = y;
			s += step;
		} else {
			y_high = y;
			s -= step;
		}
	}
	return y;
}

#endif
