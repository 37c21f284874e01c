/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * curve_lanes.h - curve_solve.h over again for LANES frames at a time, each with a curve
 * and a time of its own.
 *
 * The same s are passed and the same one is taken, but what does not decide is not
 * computed: y only where x is right, to learn whether y is sure too, and at the s taken.
 * From the tenth halving on y is always sure, since nowhere it rises more than three
 * times as fast as s and 3/2^10 is less than 1/254; and what the fifteenth finds changes
 * nothing, since it is the last.
 */
#ifndef KERN_CURVE_LANES_H
#define KERN_CURVE_LANES_H

#include "kernels/curve.h"
#include "kernels/wide.h"

#define CURVE_LANES_UNSURE 9 /* halvings after which y may not be sure */

/* Half of the lanes in the middle of their work. */
struct curve_lanes {
	wide x_1st, x_2nd, x_3rd, y_1st, y_2nd, y_3rd;
	wide t, s;
	wide_mask done;
};

/* A byte's 127th: the first product is exact, and the sum has the quotient's bits for
 * every byte. */
static inline wide
curve_lanes_control(lanes_bits curve, unsigned place, int upper)
{
	wide byte = wide_of_bits(lanes_bits_and(lanes_bits_shift_right(curve, place * 8),
					 lanes_bits_all(255)),
		upper);
	return byte * wide_all(0x1.02040810204p-7) +
	       byte * wide_all(0x1.0204081020408p-56);
}

static inline struct curve_lanes
curve_lanes_begin(lanes_bits curve, wide t, lanes_mask known, int upper)
{
	wide x1 = curve_lanes_control(curve, 0, upper);
	wide y1 = curve_lanes_control(curve, 1, upper);
	wide x2 = curve_lanes_control(curve, 2, upper);
	wide y2 = curve_lanes_control(curve, 3, upper);
	wide one = wide_all(1.0), three = wide_all(3.0);
	struct curve_lanes v = {.t = t, .s = wide_all(0.5)};
	v.x_1st = three * x1;
	v.x_2nd = three * (x2 - x1) - v.x_1st;
	v.x_3rd = one - v.x_1st - v.x_2nd;
	v.y_1st = three * y1;
	v.y_2nd = three * (y2 - y1) - v.y_1st;
	v.y_3rd = one - v.y_1st - v.y_2nd;
	v.done = wide_mask_of_lanes(known, upper);
	return v;
}

static inline wide
curve_lanes_y(const struct curve_lanes *v, wide s)
{
	return ((v->y_3rd * s + v->y_2nd) * s + v->y_1st) * s;
}

/* Whether y is bracketed closely enough: the way has passed at s - reach, or begun there,
 * and at s + reach. */
static inline wide_mask
curve_lanes_is_sure(const struct curve_lanes *v, wide_mask low, wide reach)
{
	wide one = wide_all(1.0), y = curve_lanes_y(v, v->s), end = v->s + reach;
	wide y_high = wide_select(wide_equal(end, one), one, curve_lanes_y(v, end));
	wide y_low = curve_lanes_y(v, v->s - reach);
	wide unsure = wide_select(low, y_high - y, y - y_low);
	return wide_less(unsure, wide_all(KERN_CURVE_Y_ENOUGH));
}

static inline void
curve_lanes_halve(struct curve_lanes *v, int number, double step)
{
	wide s = v->s;
	wide error = ((v->x_3rd * s + v->x_2nd) * s + v->x_1st) * s - v->t;
	wide_mask low = wide_less(error, wide_all(0.0));
	wide_mask right =
		wide_less(wide_abs(error), wide_all(KERN_CURVE_X_ENOUGH)) & ~v->done;
	if (number < CURVE_LANES_UNSURE && wide_any(right))
		right = right & curve_lanes_is_sure(v, low, wide_all(2.0 * step));
	v->done = v->done | right;
	wide next = s + wide_select(low, wide_all(step), wide_all(-step));
	v->s = wide_select(v->done, s, next);
}

/* Where x1 = y1 and x2 = y2. */
static inline lanes_mask
curve_lanes_straight(lanes_bits curve)
{
	lanes_bits bytes = lanes_bits_all(0x00ff00ff);
	return lanes_bits_equal(lanes_bits_and(curve, bytes),
		lanes_bits_and(lanes_bits_shift_right(curve, 8), bytes));
}

/* One channel of all lanes.  A curve is x1 y1 x2 y2, the first in the lowest byte; lanes in
 * `known` may take t. */
struct curve_lanes_channel {
	lanes_bits curve;
	lanes_mask known;
	wide weights[2]; /* the shares of the way at t */
};

#define CURVE_LANES_CHANNELS 4

/* Halves channels that are not straight.  Each halving waits for the one before, so all
 * channels and both their halves go in step. */
static inline void
curve_lanes_solve_bent(
	struct curve_lanes_channel *const *channels, unsigned count, const wide t[2])
{
	struct curve_lanes half[2 * CURVE_LANES_CHANNELS];
	double step = 0.25;
	for (unsigned i = 0; i < 2 * count; i++)
		half[i] = curve_lanes_begin(channels[i / 2]->curve, t[i % 2],
			channels[i / 2]->known, (int)(i % 2));
	for (int n = 0; n < KERN_CURVE_HALVINGS - 1; n++, step *= 0.5) {
		wide_mask done = half[0].done;
		for (unsigned i = 0; i < 2 * count; i++) {
			curve_lanes_halve(&half[i], n, step);
			done = done & half[i].done;
		}
		if (wide_every(done))
			break;
	}
	for (unsigned i = 0; i < 2 * count; i++)
		channels[i / 2]->weights[i % 2] = wide_select(
			wide_mask_of_lanes(channels[i / 2]->known, (int)(i % 2)),
			t[i % 2], curve_lanes_y(&half[i], half[i].s));
}

static inline void
curve_lanes_solve(struct curve_lanes_channel *channels, unsigned count, const wide t[2])
{
	struct curve_lanes_channel *bent[CURVE_LANES_CHANNELS];
	unsigned bent_count = 0;
	for (unsigned i = 0; i < count; i++) {
		struct curve_lanes_channel *c = &channels[i];
		c->curve = lanes_bits_less_of_bytes(c->curve, lanes_bits_all(0x7f7f7f7f));
		c->known = c->known | curve_lanes_straight(c->curve);
		c->weights[0] = t[0];
		c->weights[1] = t[1];
		if (!lanes_every(c->known))
			bent[bent_count++] = c;
	}
	if (bent_count > 0)
		curve_lanes_solve_bent(bent, bent_count, t);
}

#endif
