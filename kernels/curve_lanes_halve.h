/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * curve_lanes_halve.h - curve_solve.h over again for half of the lanes, halving by halving:
 * for the few lanes that curve_lanes_digits.h leaves in doubt, and the expressions by which
 * the plain C decides.
 *
 * The same s are passed and the same one is taken, but what does not decide is not
 * computed: y only where x is right, to learn whether y is sure too, and at the s taken.
 * From the tenth halving on y is always sure, since nowhere it rises more than three
 * times as fast as s and 3/2^10 is less than 1/254; and what the fifteenth finds changes
 * nothing, since it is the last.
 */
#ifndef KERN_CURVE_LANES_HALVE_H
#define KERN_CURVE_LANES_HALVE_H

#include "kernels/curve.h"
#include "kernels/wide.h"

#define CURVE_HALVE_UNSURE 9 /* halvings after which y may not be sure */

/* x or y: ((third s + second) s + first) s. */
struct curve_halve_way {
	wide first, second, third;
};

/* Half of the lanes in the middle of their work. */
struct curve_halve {
	struct curve_halve_way x, y;
	wide t, s;
	wide_mask done;
};

/* A byte's 127th: the first product is exact, and the sum has the quotient's bits for
 * every byte. */
static inline wide
curve_halve_control(lanes_bits curve, unsigned place, int upper)
{
	wide byte = wide_of_signed_bits(
		lanes_bits_and(
			lanes_bits_shift_right(curve, place * 8), lanes_bits_all(255)),
		upper);
	return byte * wide_all(0x1.02040810204p-7) +
	       byte * wide_all(0x1.0204081020408p-56);
}

/* Of the controls number `place` and `place` + 2. */
static inline struct curve_halve_way
curve_halve_way(lanes_bits curve, unsigned place, int upper)
{
	wide p1 = curve_halve_control(curve, place, upper);
	wide p2 = curve_halve_control(curve, place + 2, upper);
	wide three = wide_all(3.0);
	struct curve_halve_way way = {.first = three * p1};
	way.second = three * (p2 - p1) - way.first;
	way.third = wide_all(1.0) - way.first - way.second;
	return way;
}

static inline wide
curve_halve_at(const struct curve_halve_way *way, wide s)
{
	return ((way->third * s + way->second) * s + way->first) * s;
}

/* Whether y is bracketed closely enough: the way has passed at s - reach, or begun there,
 * and at s + reach. */
static inline wide_mask
curve_halve_is_sure(const struct curve_halve *v, wide_mask low, wide reach)
{
	wide one = wide_all(1.0), y = curve_halve_at(&v->y, v->s), end = v->s + reach;
	wide y_high = wide_select(wide_equal(end, one), one, curve_halve_at(&v->y, end));
	wide y_low = curve_halve_at(&v->y, v->s - reach);
	wide unsure = wide_select(low, y_high - y, y - y_low);
	return wide_less(unsure, wide_all(KERN_CURVE_Y_ENOUGH));
}

static inline void
curve_halve_step(struct curve_halve *v, int number, double step)
{
	wide error = curve_halve_at(&v->x, v->s) - v->t;
	wide_mask low = wide_less(error, wide_all(0.0));
	wide_mask right =
		wide_less(wide_abs(error), wide_all(KERN_CURVE_X_ENOUGH)) & ~v->done;
	if (number < CURVE_HALVE_UNSURE && wide_any(right))
		right = right & curve_halve_is_sure(v, low, wide_all(2.0 * step));
	v->done = v->done | right;
	wide next = v->s + wide_select(low, wide_all(step), wide_all(-step));
	v->s = wide_select(v->done, v->s, next);
}

/* The share of the way at t, of the curve in each lane but those in `done`. */
static inline wide
curve_halve_solve(lanes_bits curve, wide t, lanes_mask done, int upper)
{
	struct curve_halve v = {curve_halve_way(curve, 0, upper),
		curve_halve_way(curve, 1, upper), t, wide_all(0.5),
		wide_mask_of_lanes(done, upper)};
	double step = 0.25;
	for (int n = 0; n < KERN_CURVE_HALVINGS - 1 && !wide_every(v.done);
		n++, step *= 0.5)
		curve_halve_step(&v, n, step);
	return curve_halve_at(&v.y, v.s);
}

#endif
