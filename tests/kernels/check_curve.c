/* SPDX-License-Identifier: BSD-2-Clause */
/* The curve against bisection in long double, which knows no slope. */
#include "kernels/curve.h"
#include "tests/kernels/ck.h"

#include <math.h>
#include <stdio.h>

static long double
bezier(long double p1, long double p2, long double s)
{
	long double r = 1 - s;
	return 3 * s * r * r * p1 + 3 * s * s * r * p2 + s * s * s;
}

/* How `halvings` steps from the middle solve it, stopping at an error of `enough`. */
static double
by_halving(const uint8_t c[4], double t, int halvings, double enough)
{
	long double s = 0.5L, step = 0.25L;
	for (int i = 0; i < halvings; i++, step /= 2) {
		long double error =
			bezier(c[0] / 127.0L, c[2] / 127.0L, s) - (long double)t;
		if (fabsl(error) < enough)
			break;
		s += error > 0 ? -step : step;
	}
	return (double)bezier(c[1] / 127.0L, c[3] / 127.0L, s);
}

static double
least_slope(const uint8_t c[4])
{
	double least = 9.0;
	for (int i = 0; i <= 1000; i++) {
		double s = i / 1000.0, r = 1 - s, x1 = c[0] / 127.0, x2 = c[2] / 127.0;
		least = fmin(least,
			3 * r * r * x1 + 6 * s * r * (x2 - x1) + 3 * s * s * (1 - x2));
	}
	return least;
}

static void
random_curve(uint8_t c[4])
{
	/* Corners of the square are the steep and the flat ones. */
	for (int i = 0; i < 4; i++)
		c[i] = (uint8_t)(ck_random(3) == 0 ? 127 * ck_random(2) : ck_random(128));
}

void
check_curve(void)
{
	double worst = 0.0, worst_flat = 0.0, fall = 0.0;
	int ends = 1, straight = 1;
	for (int i = 0; i < 20000; i++) {
		uint8_t c[4];
		random_curve(c);
		double t = ck_random(4) == 0 ? ck_uniform(0, 1e-3) : ck_uniform(0, 1);
		double got = kern_curve_weight(c, t);
		double gap = fabs(got - by_halving(c, t, 62, 0));
		/* Where x stands still, s is known to a root of x's last digit only. */
		ck_worst(least_slope(c) > 1e-2 ? &worst : &worst_flat, gap);
		ck_worst(&fall, got - kern_curve_weight(c, fmin(1.0, t + 1e-3)));
		ends = ends && kern_curve_weight(c, 0.0) == 0.0 &&
		       kern_curve_weight(c, 1.0) == 1.0;
		c[1] = c[0];
		c[3] = c[2];
		straight = straight && kern_curve_weight(c, t) == t;
	}
	ck_judge("curve: solved exactly", worst, 1e-12);
	ck_judge("curve: solved where x stands still", worst_flat, 2e-5);
	ck_judge("curve: never falls", fall, 1e-9);
	ck_true("curve: ends are exact", ends);
	ck_true("curve: x = y is straight", straight);
	const uint8_t beyond[4] = {255, 20, 255, 200}, within[4] = {127, 20, 127, 127};
	ck_true("curve: bytes above 127 count as 127",
		kern_curve_weight(beyond, 0.3) == kern_curve_weight(within, 0.3));
	/* Why the accuracy test has an exception at frame 0 of one motion. */
	const uint8_t steep[4] = {0, 20, 107, 107};
	printf("# 15 halvings or an x within 1e-5 leave this weight at the key itself: "
	       "%.2g\n",
		by_halving(steep, 0.0, 15, 1e-5));
}
