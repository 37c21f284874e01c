/* SPDX-License-Identifier: BSD-2-Clause */
/* The curve against its declared rule in long double, and against the exact solution. */
#include "kernels/curve.h"
#include "tests/kernels/ck.h"

#include <math.h>

static long double
bezier(long double p1, long double p2, long double s)
{
	long double r = 1 - s;
	return 3 * s * r * r * p1 + 3 * s * s * r * p2 + s * s * s;
}

/* Halving to the last digits. */
static double
exactly(const uint8_t c[4], double t)
{
	long double low = 0, high = 1;
	for (int i = 0; i < 70; i++) {
		long double s = (low + high) / 2;
		*(bezier(c[0] / 127.0L, c[2] / 127.0L, s) < t ? &low : &high) = s;
	}
	return (double)bezier(c[1] / 127.0L, c[3] / 127.0L, low);
}

/* The declared rule: brackets of s, the middle of which is taken. */
static double
declared(const uint8_t c[4], double t)
{
	long double x1 = c[0] / 127.0L, y1 = c[1] / 127.0L, x2 = c[2] / 127.0L;
	long double y2 = c[3] / 127.0L, low = 0, high = 1, s = 0;
	for (int taken = 0; taken < 15; taken++) {
		s = (low + high) / 2;
		int below = bezier(x1, x2, s) < t;
		long double y = bezier(y1, y2, s);
		long double end = bezier(y1, y2, below ? high : low);
		if (fabsl(bezier(x1, x2, s) - t) < 1e-5L && fabsl(end - y) < 1 / 254.0L)
			break;
		*(below ? &low : &high) = s;
	}
	return (double)bezier(y1, y2, s);
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
	double worst = 0.0, excess = 0.0, most = 0.0;
	int straight = 1;
	for (int i = 0; i < 20000; i++) {
		uint8_t c[4];
		random_curve(c);
		double t = ck_random(4) == 0 ? ck_uniform(0, 1e-3) : ck_uniform(0, 1);
		if (ck_random(4) == 0)
			t = ck_random(8) == 0;
		double got = kern_curve_weight(c, t);
		int linear = c[0] == c[1] && c[2] == c[3];
		if (!linear)
			ck_worst(&worst, fabs(got - declared(c, t)));
		double gap = fabs(got - exactly(c, t)), least = least_slope(c);
		ck_worst(&most, gap);
		ck_worst(&excess, gap / fmax(3.0 / 32768, 3e-5 / fmax(least, 1e-9)));
		c[1] = c[0];
		c[3] = c[2];
		straight = straight && kern_curve_weight(c, t) == t;
	}
	ck_judge("curve: as declared", worst, 1e-12);
	ck_judge("curve: off the exact solution by half a step at most", most, 1 / 254.0);
	ck_judge("curve: and by a share of what its slope allows", excess, 1.0);
	ck_true("curve: x = y is straight", straight);
	const uint8_t beyond[4] = {255, 20, 255, 200}, within[4] = {127, 20, 127, 127};
	ck_true("curve: bytes above 127 count as 127",
		kern_curve_weight(beyond, 0.3) == kern_curve_weight(within, 0.3));
	/* Three at a key's own frame: the lenient, the steep one of an authored motion,
	 * and the steepest, which existing programs leave by 0.046. */
	const uint8_t ease[4] = {64, 0, 64, 127}, steep[4] = {0, 20, 107, 107};
	const uint8_t steepest[4] = {0, 127, 0, 127};
	ck_judge("curve: an ease begins at its key", kern_curve_weight(ease, 0), 1e-7);
	ck_judge("curve: a steep one nearly", kern_curve_weight(steep, 0), 1e-3);
	ck_judge("curve: the steepest as near as its grid",
		kern_curve_weight(steepest, 0), 1 / 254.0);
}
