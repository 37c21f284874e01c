/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * curve_lanes_digits.h - the s at which a curve's halving stops, for LANES curves at a time
 * and without halving.
 *
 * Method.  Halving passes numbers of ever more binary digits, G = 1/2, then an odd number
 * of quarters, of eighths ..., towards the root of x(s) = t.  Where y is sure it stops at
 * the first G at which x is right: the number of fewest digits between the roots of
 * x = t - 1e-5 and x = t + 1e-5, or at the fifteenth digit.  So both roots are guessed in
 * fixed point; the highest bit in which they differ is the last digit, and the digits above
 * are common.
 *
 * Proof.  The guess proves nothing, it is judged.  Let G be an odd multiple of
 * H = 2^-(k+1), k <= 14.  Before it comes to G halving passes only numbers that are as far
 * from it as G - H and G + H or farther, and neither 0 nor 1.  x rises with s.  So where
 * x(G - H) <= t - 1e-5 and x(G + H) >= t + 1e-5, x is right at none of them and each leads
 * the way to G; where G - H is 0, there is none on that side.  At G halving stops if x is
 * right there, or k = 14 in any case, and y is sure: always with k >= 9 (see
 * curve_lanes_halve.h), and else curve_lanes.h finds out.
 *
 * Precision.  127 x(s) has integers for coefficients, and so has
 *
 *   2^24 127 (x(q + v/256) - t) = ((a v + b) v + c) v + d
 *
 * about a q of eight digits, but for 2^24 127 t, which is rounded.  x(q) and t lie in 0..1,
 * so d is below 2^31, and all four are computed exactly.  As floats a (up to 508) and b (up
 * to 6 127 2^8, for x bends by 12 at most) still are; c (0 to 3 127 2^16) and d are off by
 * a share u = 2^-24.  v is of fifteen digits and exact.  Each operation rounds by a share u
 * at most.  For |v| <= m and a value P all that sums up to less than
 *
 *   u (2 |P| + 5 c m + 8 |b| m^2 + 8 |a| m^3) < .006 + 2^-21 c m + .16 m^2
 *
 * with |v| <= 256, as long as |P| is below twice the 2^24 127e-5 = 21,307 with which it is
 * compared; beyond, its share turns no comparison.  The rounding of t adds .5, that of the
 * plain C in double precision not .0001.  So what passes by 1 more than these terms passes
 * in the plain C too.
 */
#ifndef KERN_CURVE_LANES_DIGITS_H
#define KERN_CURVE_LANES_DIGITS_H

#include "kernels/curve.h"
#include "kernels/lanes_bits.h"

#define CURVE_DIGITS_T	   (127.0 * 0x1p24)
#define CURVE_DIGITS_RIGHT ((float)(KERN_CURVE_X_ENOUGH * CURVE_DIGITS_T))
/* s in fixed point: 1 is 2^30, and the fifteenth digit's place 2^15. */
#define CURVE_DIGITS_ONE  (1u << 30)
#define CURVE_DIGITS_LAST (1u << (30 - KERN_CURVE_HALVINGS))

/* A root: v, the slope's reciprocal there, and s in fixed point. */
struct curve_digits_root {
	lanes v, per_slope;
	lanes_bits s;
};

/* 127 (x - t) as a polynomial of v: at first about 0, then about s, in units, and at last
 * about q, in 2^24ths and v in 256ths. */
struct curve_digits {
	lanes a, b, c, d, s;
	lanes_bits q; /* in 256ths, and at last in fixed point */
	struct curve_digits_root lower, upper;
};

/* A number that halving may pass: G and H in fixed point. */
struct curve_digits_number {
	lanes_bits digits, last;
};

/* Whether it is in doubt that halving comes there, and that it stops there for x. */
struct curve_digits_doubt {
	lanes_mask unlike, wrong;
};

/* What LANES curves have for all times: the coefficients about 0, two of them in 2^8ths and
 * 2^16ths too, and 127 x at 1/4, 1/2 and 3/4. */
struct curve_digits_curves {
	lanes a, b, c;
	lanes_bits b_scaled, c_scaled;
	lanes x[3];
};

/* One control of curves that are x1 y1 x2 y2 from the lowest byte on, none above 127. */
static inline lanes
curve_digits_control(lanes_bits curves, unsigned place)
{
	return lanes_of_integers(lanes_bits_and(
		lanes_bits_shift_right(curves, 8 * place), lanes_bits_all(127)));
}

static inline void
curve_digits_measure(struct curve_digits_curves *of, lanes_bits curves)
{
	lanes x1 = curve_digits_control(curves, 0), x2 = curve_digits_control(curves, 2);
	lanes three = lanes_all(3.0f), sum = x1 + x2;
	of->c = three * x1;
	of->b = three * (x2 - x1) - of->c;
	of->a = lanes_all(127.0f) - of->b - of->c;
	of->b_scaled = lanes_bits_shift_left(lanes_bits_round(of->b), 8);
	of->c_scaled = lanes_bits_shift_left(lanes_bits_round(of->c), 16);
	lanes mean = lanes_all(18.0f / 64) * sum, skew = lanes_all(9.0f / 64) * (x1 - x2);
	of->x[0] = mean + skew + lanes_all(127.0f / 64);
	of->x[1] = lanes_all(24.0f / 64) * sum + lanes_all(127.0f * 8 / 64);
	of->x[2] = mean - skew + lanes_all(127.0f * 27 / 64);
}

/* The root nearby of b v^2 + c v + d. */
static inline void
curve_digits_parabola(struct curve_digits_root *root, lanes b, lanes c, lanes d)
{
	lanes twice = lanes_negate(d + d);
	lanes square = lanes_fused(b + b, twice, c * c);
	square = lanes_more_of(square, lanes_all(1e-20f));
	root->per_slope = lanes_about_root_reciprocal(square);
	root->v = twice * lanes_about_reciprocal(lanes_fused(square, root->per_slope, c));
}

/* The middle of the quarter in which the root of curve number `place` lies; t times 127. */
static inline void
curve_digits_begin(struct curve_digits *p, const struct curve_digits_curves *of,
	lanes_bits place, lanes t)
{
	lanes_mask above[3];
	for (int i = 0; i < 3; i++)
		above[i] = lanes_less(lanes_permute(of->x[i], place), t);
	p->a = lanes_permute(of->a, place);
	p->b = lanes_permute(of->b, place);
	p->c = lanes_permute(of->c, place);
	p->s = lanes_select(above[1],
		lanes_select(above[2], lanes_all(0.875f), lanes_all(0.625f)),
		lanes_select(above[0], lanes_all(0.375f), lanes_all(0.125f)));
}

/* The polynomial about s. */
static inline void
curve_digits_turn(struct curve_digits *p, lanes t)
{
	lanes half = lanes_fused(p->a, p->s, p->b);
	lanes bend = lanes_fused(p->a + p->a, p->s, half);
	p->d = lanes_fused(lanes_fused(half, p->s, p->c), p->s, -t);
	p->c = lanes_fused(bend + p->b, p->s, p->c);
	p->b = bend;
}

/* The root of its parabola, to one or two 256ths mostly, is q. */
static inline void
curve_digits_approach(struct curve_digits *p)
{
	struct curve_digits_root root;
	curve_digits_parabola(&root, p->b, p->c, p->d);
	lanes v = lanes_less_of(
		lanes_more_of(root.v, lanes_all(-0.125f)), lanes_all(0.125f));
	p->q = lanes_bits_round((p->s + v) * lanes_all(256.0f));
}

/* The polynomial about q; t times 127, in 2^24ths.  Sums and products wrap, d does not. */
static inline void
curve_digits_shift(struct curve_digits *p, const struct curve_digits_curves *of,
	lanes_bits place, lanes_bits t)
{
	lanes_bits a = lanes_bits_round(p->a), q = p->q;
	lanes_bits b = lanes_bits_permute(of->b_scaled, place);
	lanes_bits c = lanes_bits_permute(of->c_scaled, place);
	lanes_bits aq = lanes_bits_mul(a, q), half = lanes_bits_add(aq, b);
	lanes_bits bend = lanes_bits_add(half, lanes_bits_add(aq, aq));
	lanes_bits slope = lanes_bits_add(lanes_bits_mul(lanes_bits_add(bend, b), q), c);
	lanes_bits x = lanes_bits_mul(lanes_bits_add(lanes_bits_mul(half, q), c), q);
	p->b = lanes_of_integers(bend);
	p->c = lanes_of_integers(slope);
	p->d = lanes_of_integers(lanes_bits_sub(x, t));
	p->q = lanes_bits_shift_left(q, 22);
}

static inline lanes
curve_digits_at(const struct curve_digits *p, lanes v)
{
	lanes bend = lanes_fused(p->a, v, p->b);
	return lanes_fused(lanes_fused(bend, v, p->c), v, p->d);
}

/* Where x is 1e-5 too little and too much: the roots of its parabola ... */
static inline void
curve_digits_roots(struct curve_digits *p)
{
	lanes right = lanes_all(CURVE_DIGITS_RIGHT);
	curve_digits_parabola(&p->lower, p->b, p->c, p->d + right);
	curve_digits_parabola(&p->upper, p->b, p->c, p->d - right);
}

/* ... and from there a step of Newton's, with its slope. */
static inline void
curve_digits_refine(
	const struct curve_digits *p, struct curve_digits_root *root, float over)
{
	lanes left = curve_digits_at(p, root->v) - lanes_all(over);
	lanes v = root->v - left * root->per_slope;
	root->s = lanes_bits_add(p->q, lanes_bits_round(v * lanes_all(0x1p22f)));
}

/* The number of fewest digits between two, above the lower one. */
static inline struct curve_digits_number
curve_digits_find(lanes_bits lower, lanes_bits upper)
{
	lanes_bits none = lanes_bits_all(0), last = lanes_bits_all(CURVE_DIGITS_LAST);
	struct curve_digits_number g;
	lower = lanes_bits_more_of(lower, none);
	upper = lanes_bits_less_of(
		lanes_bits_more_of(upper, none), lanes_bits_all(CURVE_DIGITS_ONE - 1));
	g.last = lanes_bits_highest(lanes_bits_or(lanes_bits_xor(lower, upper), last));
	g.digits = lanes_bits_or(
		g.last, lanes_bits_and(upper, lanes_bits_sub(none, g.last)));
	return g;
}

/* See above; `passed` is known to be passed, though x is right there, or 0. */
static inline struct curve_digits_doubt
curve_digits_judge(
	const struct curve_digits *p, struct curve_digits_number g, lanes_bits passed)
{
	lanes unit = lanes_all(0x1p-22f), reach = lanes_of_integers(g.last) * unit;
	lanes v = lanes_of_integers(lanes_bits_sub(g.digits, p->q)) * unit;
	lanes m = lanes_abs(v) + reach;
	lanes share = lanes_fused(p->c, lanes_all(0x1p-21f), lanes_all(0.16f) * m);
	lanes away = lanes_fused(share, m, lanes_all(1.0f));
	lanes right = lanes_all(CURVE_DIGITS_RIGHT), beyond = right + away;
	lanes before = curve_digits_at(p, v - reach),
	      behind = curve_digits_at(p, v + reach);
	lanes_bits low = lanes_bits_sub(g.digits, g.last);
	lanes_bits high = lanes_bits_add(g.digits, g.last);
	lanes_mask begun = lanes_bits_equal(low, passed) |
			   lanes_bits_equal(low, lanes_bits_all(0)) |
			   lanes_at_most(beyond, lanes_negate(before));
	lanes_mask ended = lanes_bits_equal(high, passed) | lanes_at_most(beyond, behind);
	return (struct curve_digits_doubt){~(begun & ended),
		~(lanes_bits_equal(g.last, lanes_bits_all(CURVE_DIGITS_LAST)) |
			lanes_at_most(lanes_abs(curve_digits_at(p, v)) + away, right))};
}

#endif
