/* SPDX-License-Identifier: BSD-2-Clause */
/* The curve against its declared rule in long double, and against the exact solution; and
 * the lanes' solvers against the plain C, bit by bit. */
#include "kernels/caps.h"
#include "kernels/curve.h"
#include "tests/kernels/ck.h"
#include "tests/kernels/solve.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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

/* A time at which to be wrong is easy: beside where x is wanted, a little before or behind
 * or by the tolerance, seen from a number that halving passes. */
static double
beside(const uint8_t c[4])
{
	double s = (1 + ck_random(32767)) / 32768.0;
	if (ck_random(2) == 0)
		s = (1 + 2 * ck_random(1u << ck_random(10))) / 2048.0;
	double x1 = fmin(c[0], 127) / 127.0, x2 = fmin(c[2], 127) / 127.0;
	double t = (double)bezier(x1, x2, fmin(s, 1.0));
	t += ((int)ck_random(3) - 1) * KERN_CURVE_X_ENOUGH;
	for (uint32_t i = ck_random(4); i > 0; i--)
		t = nextafter(t, ck_random(2));
	return fmin(fmax(t, 0.0), 1.0);
}

static double
hostile_time(const uint8_t c[4])
{
	double t = ck_random(32769) / 32768.0;
	uint32_t span = 2 + ck_random(100);
	switch (ck_random(8)) {
	case 0:
		return ck_random(2);
	case 1:
		return t;
	case 2:
		return nextafter(t, ck_random(2));
	case 3:
		t = ck_random(1000) * 1e-7;
		return ck_random(2) == 0 ? t : 1.0 - t;
	case 4:
		return (double)ck_random(span) / span;
	case 5:
		return ck_uniform(0, 1);
	default:
		return beside(c);
	}
}

/* Corners and what lies beside them, curves that are symmetric, any curve, and now and then
 * any bytes. */
static void
hostile_curve(uint8_t c[4])
{
	uint32_t kind = ck_random(6);
	for (int i = 0; i < 4; i++) {
		uint32_t end = 127 * ck_random(2), near = ck_random(4);
		c[i] = (uint8_t)(kind == 0   ? end
				 : kind == 1 ? (end == 0 ? near : end - near)
				 : kind == 2 ? ck_random(256)
					     : ck_random(128));
	}
	if (kind == 3) {
		c[2] = 127 - c[0];
		c[3] = 127 - c[1];
	}
}

/* How many of the curves have other bits than the plain C; *halved counts on. */
static unsigned
unlike(ck_solve_fn *fn, const uint8_t (*curves)[4], const double *t, unsigned *halved)
{
	double weights[CK_SOLVE_CURVES];
	unsigned count = 0;
	*halved += fn(curves, t, weights);
	for (int i = 0; i < CK_SOLVE_CURVES; i++) {
		double wanted = kern_curve_weight(curves[i], t[i]);
		count += memcmp(&weights[i], &wanted, sizeof wanted) != 0;
	}
	return count;
}

/* Every x at a few times, with any y. */
static unsigned
unlike_every(ck_solve_fn *fn)
{
	uint8_t curves[CK_SOLVE_CURVES][4];
	double t[CK_SOLVE_CURVES];
	unsigned count = 0, halved = 0;
	for (int time = 0; time < 10; time++)
		for (int x1 = 0; x1 < 128; x1++) {
			for (int x2 = 0; x2 < 128; x2++) {
				hostile_curve(curves[x2]);
				curves[x2][0] = (uint8_t)x1;
				curves[x2][2] = (uint8_t)x2;
				t[x2] = time < 9 ? time / 8.0 : hostile_time(curves[x2]);
			}
			count += unlike(fn, (const uint8_t(*)[4])curves, t, &halved);
		}
	return count;
}

static void
judge_solver(ck_solve_fn *fn, const char *name)
{
	uint8_t curves[CK_SOLVE_CURVES][4];
	double t[CK_SOLVE_CURVES];
	unsigned count = 0, halved = 0, rounds = 3000;
	char text[80];
	for (unsigned round = 0; round < rounds; round++) {
		for (int i = 0; i < CK_SOLVE_CURVES; i++) {
			hostile_curve(curves[i]);
			t[i] = hostile_time(curves[i]);
		}
		count += unlike(fn, (const uint8_t(*)[4])curves, t, &halved);
	}
	snprintf(text, sizeof text, "curve %s: the bits of the plain C", name);
	ck_judge(text, count, 0);
	snprintf(text, sizeof text, "curve %s: of every x", name);
	ck_judge(text, unlike_every(fn), 0);
	/* Else all could be halved, and nothing be judged but halving. */
	halved = 0;
	for (unsigned round = 0; round < rounds / 10; round++) {
		for (int i = 0; i < CK_SOLVE_CURVES; i++) {
			for (int k = 0; k < 4; k++)
				curves[i][k] = (uint8_t)ck_random(128);
			t[i] = ck_random(10) / 10.0;
		}
		unlike(fn, (const uint8_t(*)[4])curves, t, &halved);
	}
	snprintf(text, sizeof text, "curve %s: share that has to be halved", name);
	ck_judge(text, halved / (rounds / 10.0 * CK_SOLVE_CURVES), 0.002);
}

static void
check_solvers(void)
{
#if defined(__x86_64__)
	ck_solve_fn *const solvers[CK_CAPS] = {ck_solve_avx2, ck_solve_avx512};
	for (int i = 0; i < CK_CAPS; i++)
		if (kern_caps_machine() & ck_caps[i].bit)
			judge_solver(solvers[i], ck_caps[i].name);
		else
			ck_skip("curve", ck_caps[i].name);
#endif
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
	check_solvers();
}
