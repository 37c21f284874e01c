/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * view_walk.h - kern_view_place() by lines that a GPU runs as well: sums, products,
 * quotients and square roots of doubles alone, which IEEE 754 rounds alike everywhere, none
 * of them contracted.
 *
 * Grade: each coordinate is within one step (2^-16 of a pixel) of kern_view_place()'s, and
 * hardly ever another: the arc tangent here and libm's differ in their last digits, which
 * shows only where a coordinate lies half between two steps.
 */
#ifndef KERN_VIEW_WALK_H
#define KERN_VIEW_WALK_H

#include "kernels/both.h"
#include "kernels/view.h"

#include <math.h>

/* tan(pi / 8): up to it the series is summed. */
#define KERN_VIEW_WALK_EIGHTH 0.41421356237309503
/* Terms of the series: the first that is left out is below 2^-54 there. */
#define KERN_VIEW_WALK_TERMS 20

/* Of 0 <= x <= 1, by atan x = pi/4 + atan((x - 1) / (x + 1)) and the series of x - x^3/3 +
 * x^5/5 - ..., the smallest term first. */
KERN_BOTH double
kern_view_walk_arc(double x)
{
	const int folded = x > KERN_VIEW_WALK_EIGHTH;
	const double y = folded ? (x - 1.0) / (x + 1.0) : x;
	const double square = -(y * y);
	double sum = 0.0;
	for (int k = KERN_VIEW_WALK_TERMS; k > 0; k--)
		sum = square * (sum + 1.0 / (2 * k + 1));
	const double arc = y + y * sum;
	return folded ? M_PI / 4.0 + arc : arc;
}

/* As atan2(), but for the signs of zeros. */
KERN_BOTH double
kern_view_walk_angle(double y, double x)
{
	const double up = fabs(y), along = fabs(x);
	const double most = up > along ? up : along, least = up > along ? along : up;
	double arc = most > 0.0 ? kern_view_walk_arc(least / most) : 0.0;
	if (up > along)
		arc = M_PI / 2.0 - arc;
	if (x < 0.0)
		arc = M_PI - arc;
	return y < 0.0 ? -arc : arc;
}

KERN_BOTH void
kern_view_walk_place(
	const struct kern_view *view, double x, double y, int32_t *u, int32_t *v)
{
	const double *r = view->rotation;
	const int32_t past = (int32_t)view->panorama_width * KERN_VIEW_ONE;
	x = (x - view->width / 2.0) / view->focal;
	y = (y - view->height / 2.0) / view->focal;
	const double right = r[0] * x + r[1] * y + r[2];
	const double down = r[3] * x + r[4] * y + r[5];
	const double forward = r[6] * x + r[7] * y + r[8];
	const double longitude = kern_view_walk_angle(right, forward);
	const double latitude =
		kern_view_walk_angle(-down, sqrt(right * right + forward * forward));
	const double across =
		view->panorama_width * (longitude / (2.0 * M_PI) + 0.5) - 0.5;
	const double along = view->panorama_height * (0.5 - latitude / M_PI) - 0.5;
	const int32_t rounded = (int32_t)rint(across * KERN_VIEW_ONE);
	*u = rounded >= past - KERN_VIEW_ONE / 2 ? rounded - past : rounded;
	*v = (int32_t)rint(along * KERN_VIEW_ONE);
}

#endif
