/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * curve_lanes.h - curve_solve.h over again for LANES frames at a time, each with a curve
 * and a time of its own: bit by bit what the plain C gives.
 *
 * curve_lanes_digits.h finds where x stops the halving.  Where that is before y is sure in
 * any case, one lane in a hundred unless curves are symmetric, y is asked: by its slope, or
 * by the plain C's own expressions.  Where it is not sure halving goes on.  What remains in
 * doubt, one lane in some thousands, is halved.
 *
 * Frames of one segment share a curve, so what depends on curves alone is computed for
 * LANES curves in a table, from which channels pick.
 */
#ifndef KERN_CURVE_LANES_H
#define KERN_CURVE_LANES_H

#include "kernels/curve_lanes_digits.h"
#include "kernels/curve_lanes_halve.h"

/* With a last digit up to this one y is sure. */
#define CURVE_LANES_LATE (CURVE_DIGITS_ONE >> (CURVE_HALVE_UNSURE + 1))

#define CURVE_LANES_MOST 32 /* channels at once */

/* The time of all lanes, 0 to 1. */
struct curve_lanes_time {
	wide t[2];
	lanes about;	  /* 127 t */
	lanes_bits exact; /* 2^24 127 t */
};

/* LANES curves, x1 y1 x2 y2 each, the first in the lowest byte. */
struct curve_lanes_table {
	lanes_bits curves;
	int measured, measured_x;
	struct curve_digits_curves about;
	struct curve_halve_way x[2], y[2];
};

/* One channel of all lanes: curves of a table; lanes in `known` may take t. */
struct curve_lanes_channel {
	struct curve_lanes_table *table;
	lanes_bits place;
	const struct curve_lanes_time *time;
	lanes_mask known;
	wide weights[2]; /* the shares of the way at t */
	/* While they are solved: where halving stops, whether that is in doubt, or y has to be
	 * asked, and whether halving goes up from there. */
	struct curve_digits near;
	struct curve_digits_number number;
	lanes_mask doubt, early, up;
};

static inline lanes_bits
curve_lanes_curve(const struct curve_lanes_channel *c)
{
	return lanes_bits_permute(c->table->curves, c->place);
}

static inline void
curve_lanes_table(struct curve_lanes_table *table, lanes_bits curves)
{
	table->curves = lanes_bits_less_of_bytes(curves, lanes_bits_all(0x7f7f7f7f));
	table->measured = table->measured_x = 0;
}

static inline void
curve_lanes_measure(struct curve_lanes_table *table)
{
	curve_digits_measure(&table->about, table->curves);
	table->y[0] = curve_halve_way(table->curves, 1, 0);
	table->y[1] = curve_halve_way(table->curves, 1, 1);
	table->measured = 1;
}

static inline struct curve_halve_way
curve_lanes_way(const struct curve_halve_way of[2], lanes_bits place, int upper)
{
	return (struct curve_halve_way){
		wide_permute(of[0].first, of[1].first, place, upper),
		wide_permute(of[0].second, of[1].second, place, upper),
		wide_permute(of[0].third, of[1].third, place, upper)};
}

static inline struct curve_lanes_time
curve_lanes_time(wide lower, wide upper)
{
	wide about = wide_all(127.0), exact = wide_all(CURVE_DIGITS_T);
	return (struct curve_lanes_time){{lower, upper},
		wide_to_lanes(lower * about, upper * about),
		wide_to_bits(lower * exact, upper * exact)};
}

/* Where x1 = y1 and x2 = y2. */
static inline lanes_mask
curve_lanes_straight(lanes_bits curve)
{
	lanes_bits bytes = lanes_bits_all(0x00ff00ff);
	return lanes_bits_equal(lanes_bits_and(curve, bytes),
		lanes_bits_and(lanes_bits_shift_right(curve, 8), bytes));
}

static inline lanes_mask
curve_lanes_late(struct curve_digits_number g)
{
	return lanes_bits_at_least(lanes_bits_all(CURVE_LANES_LATE), g.last);
}

/* Whether y is sure by its slope at G: that changes by at most 12 H up to G - H and G + H.
 * In 127ths, with more to spare than floats round. */
static inline lanes_mask
curve_lanes_sure(lanes_bits curve, struct curve_digits_number g)
{
	lanes unit = lanes_all(1.0f / CURVE_DIGITS_ONE);
	lanes s = lanes_of_integers(g.digits) * unit,
	      reach = lanes_of_integers(g.last) * unit;
	lanes y1 = curve_digits_control(curve, 1);
	lanes y2 = curve_digits_control(curve, 3);
	lanes three = lanes_all(3.0f), c = three * y1, b = three * (y2 - y1) - c;
	lanes a = lanes_all(127.0f) - b - c;
	lanes slope = (three * a * s + b + b) * s + c;
	return lanes_less(reach * (slope + lanes_all(12.0f * 127) * reach),
		lanes_all((float)(127 * KERN_CURVE_Y_ENOUGH - 0.001)));
}

/* The plain C's expressions say whether x is right, y sure, and else where halving goes. */
static inline void
curve_lanes_ask(struct curve_lanes_channel *c)
{
	struct curve_lanes_table *table = c->table;
	wide_mask right[2], sure[2], low[2];
	if (!table->measured_x) {
		table->x[0] = curve_halve_way(table->curves, 0, 0);
		table->x[1] = curve_halve_way(table->curves, 0, 1);
		table->measured_x = 1;
	}
	for (int i = 0; i < 2; i++) {
		wide unit = wide_all(1.0 / CURVE_DIGITS_ONE);
		struct curve_halve v = {.x = curve_lanes_way(table->x, c->place, i),
			.y = curve_lanes_way(table->y, c->place, i),
			.s = wide_of_signed_bits(c->number.digits, i) * unit};
		wide error = curve_halve_at(&v.x, v.s) - c->time->t[i];
		low[i] = wide_less(error, wide_all(0.0));
		right[i] = wide_less(wide_abs(error), wide_all(KERN_CURVE_X_ENOUGH));
		sure[i] = curve_halve_is_sure(
			&v, low[i], wide_of_signed_bits(c->number.last, i) * unit);
	}
	c->doubt = c->doubt | (c->early & ~wide_mask_to_lanes(right[0], right[1]));
	c->early = c->early & ~wide_mask_to_lanes(sure[0], sure[1]);
	c->up = wide_mask_to_lanes(low[0], low[1]);
}

/* From a G that is passed though x is right, halving goes on between G and G + H, or G - H.
 * The next number is found as the first was, between G and the root on that side.  If that
 * root is guessed to lie beyond, or on the other side, the two differ in a digit from H on
 * upwards: then the number is not late, which is doubtful. */
static inline void
curve_lanes_go_on(struct curve_lanes_channel *c)
{
	lanes_bits passed = c->number.digits, one = lanes_bits_all(1);
	struct curve_digits_number next = curve_digits_find(
		lanes_bits_select(c->up, passed, c->near.lower.s),
		lanes_bits_select(c->up, c->near.upper.s, lanes_bits_sub(passed, one)));
	struct curve_digits_doubt doubt = curve_digits_judge(&c->near, next, passed);
	c->doubt = c->doubt |
		   (c->early & (doubt.unlike | doubt.wrong | ~curve_lanes_late(next)));
	c->number.digits = lanes_bits_select(c->early, next.digits, passed);
}

static inline void
curve_lanes_early(struct curve_lanes_channel *const *early, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		curve_lanes_ask(early[i]);
	for (unsigned i = 0; i < count; i++)
		if (lanes_any(early[i]->early))
			curve_lanes_go_on(early[i]);
}

/* Whether some lanes are early. */
static inline int
curve_lanes_judge(struct curve_lanes_channel *c)
{
	struct curve_digits_doubt doubt =
		curve_digits_judge(&c->near, c->number, lanes_bits_all(0));
	lanes_mask late = curve_lanes_late(c->number);
	c->doubt = doubt.unlike | (doubt.wrong & late);
	if (lanes_every(late | c->known))
		return 0;
	lanes_mask sure =
		curve_lanes_sure(curve_lanes_curve(c), c->number) & ~doubt.wrong;
	c->early = lanes_first(LANES) & ~(late | c->known | sure);
	return lanes_any(c->early);
}

static inline void
curve_lanes_halve(struct curve_lanes_channel *c)
{
	lanes_mask doubt = c->doubt & ~c->known;
	lanes_bits curve = curve_lanes_curve(c);
	for (int i = 0; i < 2; i++)
		c->weights[i] = wide_select(wide_mask_of_lanes(doubt, i),
			curve_halve_solve(curve, c->time->t[i], ~doubt, i),
			c->weights[i]);
}

static inline void
curve_lanes_weigh(struct curve_lanes_channel *c)
{
	for (int i = 0; i < 2; i++) {
		struct curve_halve_way way = curve_lanes_way(c->table->y, c->place, i);
		wide s = wide_of_signed_bits(c->number.digits, i) *
			 wide_all(1.0 / CURVE_DIGITS_ONE);
		c->weights[i] = wide_select(wide_mask_of_lanes(c->known, i),
			c->time->t[i], curve_halve_at(&way, s));
	}
	if (!lanes_every(~c->doubt | c->known))
		curve_lanes_halve(c);
}

/* Where channels that are not straight stop.  Each step waits for the one before, so all go
 * in step, and steps are short: a processor does not look far ahead. */
static inline void
curve_lanes_locate(struct curve_lanes_channel *const *bent, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		curve_digits_begin(&bent[i]->near, &bent[i]->table->about, bent[i]->place,
			bent[i]->time->about);
	for (unsigned i = 0; i < count; i++)
		curve_digits_turn(&bent[i]->near, bent[i]->time->about);
	for (unsigned i = 0; i < count; i++)
		curve_digits_approach(&bent[i]->near);
	for (unsigned i = 0; i < count; i++)
		curve_digits_shift(&bent[i]->near, &bent[i]->table->about, bent[i]->place,
			bent[i]->time->exact);
	for (unsigned i = 0; i < count; i++)
		curve_digits_roots(&bent[i]->near);
	for (unsigned i = 0; i < count; i++) {
		struct curve_digits *p = &bent[i]->near;
		curve_digits_refine(p, &p->lower, -CURVE_DIGITS_RIGHT);
		curve_digits_refine(p, &p->upper, CURVE_DIGITS_RIGHT);
	}
	for (unsigned i = 0; i < count; i++)
		bent[i]->number =
			curve_digits_find(bent[i]->near.lower.s, bent[i]->near.upper.s);
}

static inline void
curve_lanes_solve_bent(struct curve_lanes_channel *const *bent, unsigned count)
{
	struct curve_lanes_channel *early[CURVE_LANES_MOST];
	unsigned early_count = 0;
	curve_lanes_locate(bent, count);
	for (unsigned i = 0; i < count; i++)
		if (curve_lanes_judge(bent[i]))
			early[early_count++] = bent[i];
	if (early_count > 0)
		curve_lanes_early(early, early_count);
	for (unsigned i = 0; i < count; i++)
		curve_lanes_weigh(bent[i]);
}

/* At most CURVE_LANES_MOST channels. */
static inline void
curve_lanes_solve(struct curve_lanes_channel *channels, unsigned count)
{
	struct curve_lanes_channel *bent[CURVE_LANES_MOST];
	unsigned bent_count = 0;
	for (unsigned i = 0; i < count; i++) {
		struct curve_lanes_channel *c = &channels[i];
		c->known = c->known | curve_lanes_straight(curve_lanes_curve(c));
		if (lanes_every(c->known)) {
			c->weights[0] = c->time->t[0];
			c->weights[1] = c->time->t[1];
			continue;
		}
		if (!c->table->measured)
			curve_lanes_measure(c->table);
		bent[bent_count++] = c;
	}
	if (bent_count > 0)
		curve_lanes_solve_bent(bent, bent_count);
}

#endif
