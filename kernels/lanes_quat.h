/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lanes_quat.h - trig.h and quat.h over again, for lanes: the same operations in the same
 * order, so that every lane gets the bits that the plain C gives its frame.  Where that
 * branches, both sides are computed and one is selected.
 *
 * In memory components are planes: neighbouring lanes are neighbouring floats, and from one
 * component to the next it is `stride` floats.
 */
#ifndef KERN_LANES_QUAT_H
#define KERN_LANES_QUAT_H

#include "kernels/lanes.h"
#include "kernels/quat.h"

#include <stddef.h>

struct lanes_sincos {
	lanes sine, cosine;
};

struct lanes_vec {
	lanes x, y, z;
};

struct lanes_quat {
	lanes x, y, z, w;
};

static inline struct lanes_sincos
lanes_sincos(lanes x)
{
	lanes_mask known = lanes_at_most(lanes_abs(x), lanes_all(KERN_TRIG_MOST));
	x = lanes_select(known, x, x - x);
	lanes shifted = x * lanes_all(KERN_TRIG_PER_QUARTER) + lanes_all(KERN_TRIG_ROUND);
	lanes quarters = shifted - lanes_all(KERN_TRIG_ROUND);
	lanes r = ((x - quarters * lanes_all(KERN_TRIG_QUARTER_1)) -
			  quarters * lanes_all(KERN_TRIG_QUARTER_2)) -
		  quarters * lanes_all(KERN_TRIG_QUARTER_3);
	lanes z = r * r;
	lanes s = r + r * z *
			      (lanes_all(KERN_TRIG_S0) +
				      z * (lanes_all(KERN_TRIG_S1) +
						  z * lanes_all(KERN_TRIG_S2)));
	lanes c = (lanes_all(1.0f) - lanes_all(0.5f) * z) +
		  z * z *
			  (lanes_all(KERN_TRIG_C0) +
				  z * (lanes_all(KERN_TRIG_C1) +
					      z * lanes_all(KERN_TRIG_C2)));
	lanes_mask odd = lanes_test_bits(shifted, 1);
	lanes sine = lanes_select(odd, c, s), cosine = lanes_select(odd, s, c);
	return (struct lanes_sincos){
		lanes_select(lanes_test_bits(shifted, 2), lanes_negate(sine), sine),
		lanes_select(lanes_test_bits(lanes_next_bits(shifted), 2),
			lanes_negate(cosine), cosine)};
}

static inline lanes
lanes_sine_quarter(lanes x)
{
	lanes z = x * x;
	return x + x * z *
			   (lanes_all(KERN_TRIG_H0) +
				   z * (lanes_all(KERN_TRIG_H1) +
					       z * (lanes_all(KERN_TRIG_H2) +
							   z * lanes_all(KERN_TRIG_H3))));
}

static inline lanes
lanes_atan2(lanes y, lanes x)
{
	lanes up = lanes_abs(y), along = lanes_abs(x), zero = lanes_all(0.0f);
	lanes_mask steep = lanes_less(along, up);
	lanes high = lanes_select(steep, up, along);
	lanes low = lanes_select(steep, along, up);
	lanes q = lanes_select(lanes_equal(high, zero), zero, low / high);
	lanes z = q * q;
	lanes tail = lanes_all(KERN_TRIG_A6) + z * lanes_all(KERN_TRIG_A7);
	tail = lanes_all(KERN_TRIG_A5) + z * tail;
	tail = lanes_all(KERN_TRIG_A4) + z * tail;
	tail = lanes_all(KERN_TRIG_A3) + z * tail;
	tail = lanes_all(KERN_TRIG_A2) + z * tail;
	tail = lanes_all(KERN_TRIG_A1) + z * tail;
	tail = lanes_all(KERN_TRIG_A0) + z * tail;
	lanes a = q + q * z * tail;
	a = lanes_select(steep, lanes_all(KERN_TRIG_QUARTER) - a, a);
	a = lanes_select(lanes_less(x, zero), lanes_all(KERN_TRIG_PI) - a, a);
	return lanes_copy_sign(a, y);
}

static inline struct lanes_vec
lanes_vec_all(struct kern_vec v)
{
	return (struct lanes_vec){lanes_all(v.x), lanes_all(v.y), lanes_all(v.z)};
}

static inline struct lanes_vec
lanes_vec_load(const float *from, size_t stride, lanes_mask mask)
{
	return (struct lanes_vec){lanes_load(from, mask), lanes_load(from + stride, mask),
		lanes_load(from + 2 * stride, mask)};
}

static inline void
lanes_vec_store(float *to, size_t stride, lanes_mask mask, struct lanes_vec v)
{
	lanes_store(to, mask, v.x);
	lanes_store(to + stride, mask, v.y);
	lanes_store(to + 2 * stride, mask, v.z);
}

static inline struct lanes_vec
lanes_vec_add(struct lanes_vec a, struct lanes_vec b)
{
	return (struct lanes_vec){a.x + b.x, a.y + b.y, a.z + b.z};
}

static inline struct lanes_vec
lanes_vec_sub(struct lanes_vec a, struct lanes_vec b)
{
	return (struct lanes_vec){a.x - b.x, a.y - b.y, a.z - b.z};
}

static inline struct lanes_vec
lanes_vec_scale(struct lanes_vec a, lanes factor)
{
	return (struct lanes_vec){a.x * factor, a.y * factor, a.z * factor};
}

static inline lanes
lanes_vec_dot(struct lanes_vec a, struct lanes_vec b)
{
	return a.x * b.x + a.y * b.y + a.z * b.z;
}

static inline struct lanes_vec
lanes_vec_cross(struct lanes_vec a, struct lanes_vec b)
{
	return (struct lanes_vec){
		a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

static inline struct lanes_vec
lanes_vec_select(lanes_mask mask, struct lanes_vec yes, struct lanes_vec no)
{
	return (struct lanes_vec){lanes_select(mask, yes.x, no.x),
		lanes_select(mask, yes.y, no.y), lanes_select(mask, yes.z, no.z)};
}

static inline struct lanes_vec
lanes_vec_unit(struct lanes_vec a)
{
	lanes length = lanes_sqrt(lanes_vec_dot(a, a));
	return lanes_vec_select(lanes_less(lanes_all(0.0f), length),
		lanes_vec_scale(a, lanes_all(1.0f) / length), a);
}

static inline struct lanes_quat
lanes_quat_all(struct kern_quat q)
{
	return (struct lanes_quat){
		lanes_all(q.x), lanes_all(q.y), lanes_all(q.z), lanes_all(q.w)};
}

static inline struct lanes_quat
lanes_quat_load(const float *from, size_t stride, lanes_mask mask)
{
	return (struct lanes_quat){lanes_load(from, mask),
		lanes_load(from + stride, mask), lanes_load(from + 2 * stride, mask),
		lanes_load(from + 3 * stride, mask)};
}

static inline void
lanes_quat_store(float *to, size_t stride, lanes_mask mask, struct lanes_quat q)
{
	lanes_store(to, mask, q.x);
	lanes_store(to + stride, mask, q.y);
	lanes_store(to + 2 * stride, mask, q.z);
	lanes_store(to + 3 * stride, mask, q.w);
}

static inline struct lanes_quat
lanes_quat_select(lanes_mask mask, struct lanes_quat yes, struct lanes_quat no)
{
	return (struct lanes_quat){lanes_select(mask, yes.x, no.x),
		lanes_select(mask, yes.y, no.y), lanes_select(mask, yes.z, no.z),
		lanes_select(mask, yes.w, no.w)};
}

static inline struct lanes_quat
lanes_quat_mul(struct lanes_quat p, struct lanes_quat q)
{
	return (struct lanes_quat){
		p.w * q.x + p.x * q.w + p.y * q.z - p.z * q.y,
		p.w * q.y - p.x * q.z + p.y * q.w + p.z * q.x,
		p.w * q.z + p.x * q.y - p.y * q.x + p.z * q.w,
		p.w * q.w - p.x * q.x - p.y * q.y - p.z * q.z,
	};
}

static inline struct lanes_quat
lanes_quat_conjugate(struct lanes_quat q)
{
	return (struct lanes_quat){
		lanes_negate(q.x), lanes_negate(q.y), lanes_negate(q.z), q.w};
}

static inline struct lanes_quat
lanes_quat_negate(struct lanes_quat q)
{
	return (struct lanes_quat){lanes_negate(q.x), lanes_negate(q.y),
		lanes_negate(q.z), lanes_negate(q.w)};
}

/* Where w is negative, the same rotation with the other sign. */
static inline struct lanes_quat
lanes_quat_short_way(struct lanes_quat q)
{
	return lanes_quat_select(
		lanes_less(q.w, lanes_all(0.0f)), lanes_quat_negate(q), q);
}

static inline lanes
lanes_quat_dot(struct lanes_quat p, struct lanes_quat q)
{
	return p.x * q.x + p.y * q.y + p.z * q.z + p.w * q.w;
}

static inline struct lanes_quat
lanes_quat_unit(struct lanes_quat q)
{
	lanes length = lanes_sqrt(lanes_quat_dot(q, q));
	lanes f = lanes_all(1.0f) / length;
	return lanes_quat_select(lanes_less(lanes_all(0.0f), length),
		(struct lanes_quat){q.x * f, q.y * f, q.z * f, q.w * f},
		lanes_quat_all(KERN_QUAT_IDENTITY));
}

static inline struct lanes_vec
lanes_quat_rotate(struct lanes_quat q, struct lanes_vec v)
{
	struct lanes_vec u = {q.x, q.y, q.z};
	struct lanes_vec c = lanes_vec_scale(lanes_vec_cross(u, v), lanes_all(2.0f));
	return lanes_vec_add(
		lanes_vec_add(v, lanes_vec_scale(c, q.w)), lanes_vec_cross(u, c));
}

static inline struct lanes_quat
lanes_quat_about(struct lanes_vec axis, lanes angle)
{
	struct lanes_sincos half = lanes_sincos(lanes_all(0.5f) * angle);
	lanes s = half.sine;
	return (struct lanes_quat){axis.x * s, axis.y * s, axis.z * s, half.cosine};
}

struct lanes_quat_turn {
	struct lanes_vec axis;
	lanes sine, half;
};

static inline struct lanes_quat_turn
lanes_quat_turn(struct lanes_quat q)
{
	q = lanes_quat_short_way(q);
	lanes sine = lanes_sqrt(q.x * q.x + q.y * q.y + q.z * q.z);
	return (struct lanes_quat_turn){{q.x, q.y, q.z}, sine, lanes_atan2(sine, q.w)};
}

static inline struct lanes_quat
lanes_quat_part(struct lanes_quat_turn turn, lanes factor)
{
	struct lanes_sincos half = lanes_sincos(turn.half * factor);
	lanes f = half.sine / turn.sine;
	return lanes_quat_select(lanes_less(lanes_all(0.0f), turn.sine),
		(struct lanes_quat){
			turn.axis.x * f, turn.axis.y * f, turn.axis.z * f, half.cosine},
		lanes_quat_all(KERN_QUAT_IDENTITY));
}

static inline struct lanes_quat
lanes_quat_power(struct lanes_quat q, float factor)
{
	return lanes_quat_part(lanes_quat_turn(q), lanes_all(factor));
}

/* kern_quat_slerp() in three parts, since each waits for the one before and others may go on
 * meanwhile: the angle between p and q, if that is an arc and no chord; what share of each
 * there is, from t; and their sum. */
struct lanes_quat_slerp {
	lanes cosine, angle, a, b;
};

static inline void
lanes_quat_slerp_angle(
	struct lanes_quat_slerp *way, struct lanes_quat p, struct lanes_quat q)
{
	way->cosine = lanes_quat_dot(p, q);
	lanes one = lanes_all(1.0f), size = lanes_abs(way->cosine);
	way->angle = lanes_atan2(lanes_sqrt((one - size) * (one + size)), size);
}

static inline void
lanes_quat_slerp_shares(struct lanes_quat_slerp *way, lanes t)
{
	lanes a = lanes_all(1.0f) - t;
	lanes_mask arc = lanes_less(lanes_abs(way->cosine), lanes_all(0.9995f));
	way->a = lanes_select(arc, lanes_sine_quarter(a * way->angle), a);
	way->b = lanes_select(arc, lanes_sine_quarter(t * way->angle), t);
}

static inline struct lanes_quat
lanes_quat_slerp_sum(
	const struct lanes_quat_slerp *way, struct lanes_quat p, struct lanes_quat q)
{
	lanes a = way->a, b = way->b;
	b = lanes_select(lanes_less(way->cosine, lanes_all(0.0f)), lanes_negate(b), b);
	return lanes_quat_unit((struct lanes_quat){a * p.x + b * q.x, a * p.y + b * q.y,
		a * p.z + b * q.z, a * p.w + b * q.w});
}

#endif
