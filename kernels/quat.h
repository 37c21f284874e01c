/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quat.h - vectors and unit quaternions of one frame, for the plain C meanings.
 *
 * A quaternion q turns a column vector v into q v q*; in p q the rotation q acts first.
 * Nothing here knows handedness.  Everything is inline and float, for CUDA too (both.h);
 * sums run from left to right, and lanes_quat.h repeats every operation in its order.
 */
#ifndef KERN_QUAT_H
#define KERN_QUAT_H

#include "kernels/trig.h"

#include <math.h>

struct kern_vec {
	float x, y, z;
};

struct kern_quat {
	float x, y, z, w;
};

#define KERN_QUAT_IDENTITY ((struct kern_quat){0.0f, 0.0f, 0.0f, 1.0f})

KERN_BOTH struct kern_vec
kern_vec_add(struct kern_vec a, struct kern_vec b)
{
	return (struct kern_vec){a.x + b.x, a.y + b.y, a.z + b.z};
}

KERN_BOTH struct kern_vec
kern_vec_sub(struct kern_vec a, struct kern_vec b)
{
	return (struct kern_vec){a.x - b.x, a.y - b.y, a.z - b.z};
}

KERN_BOTH struct kern_vec
kern_vec_scale(struct kern_vec a, float factor)
{
	return (struct kern_vec){a.x * factor, a.y * factor, a.z * factor};
}

KERN_BOTH float
kern_vec_dot(struct kern_vec a, struct kern_vec b)
{
	return a.x * b.x + a.y * b.y + a.z * b.z;
}

KERN_BOTH struct kern_vec
kern_vec_cross(struct kern_vec a, struct kern_vec b)
{
	return (struct kern_vec){
		a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

/* The zero vector stays zero. */
KERN_BOTH struct kern_vec
kern_vec_unit(struct kern_vec a)
{
	float length = sqrtf(kern_vec_dot(a, a));
	return length > 0.0f ? kern_vec_scale(a, 1.0f / length) : a;
}

KERN_BOTH struct kern_quat
kern_quat_mul(struct kern_quat p, struct kern_quat q)
{
	return (struct kern_quat){
		p.w * q.x + p.x * q.w + p.y * q.z - p.z * q.y,
		p.w * q.y - p.x * q.z + p.y * q.w + p.z * q.x,
		p.w * q.z + p.x * q.y - p.y * q.x + p.z * q.w,
		p.w * q.w - p.x * q.x - p.y * q.y - p.z * q.z,
	};
}

/* The inverse of a unit quaternion. */
KERN_BOTH struct kern_quat
kern_quat_conjugate(struct kern_quat q)
{
	return (struct kern_quat){-q.x, -q.y, -q.z, q.w};
}

KERN_BOTH struct kern_quat
kern_quat_negate(struct kern_quat q)
{
	return (struct kern_quat){-q.x, -q.y, -q.z, -q.w};
}

KERN_BOTH float
kern_quat_dot(struct kern_quat p, struct kern_quat q)
{
	return p.x * q.x + p.y * q.y + p.z * q.z + p.w * q.w;
}

/* A quaternion of no length becomes the identity. */
KERN_BOTH struct kern_quat
kern_quat_unit(struct kern_quat q)
{
	float length = sqrtf(kern_quat_dot(q, q));
	if (!(length > 0.0f))
		return KERN_QUAT_IDENTITY;
	float f = 1.0f / length;
	return (struct kern_quat){q.x * f, q.y * f, q.z * f, q.w * f};
}

/* v + 2w (u x v) + 2 u x (u x v), where u is the vector part. */
KERN_BOTH struct kern_vec
kern_quat_rotate(struct kern_quat q, struct kern_vec v)
{
	struct kern_vec u = {q.x, q.y, q.z};
	struct kern_vec c = kern_vec_scale(kern_vec_cross(u, v), 2.0f);
	return kern_vec_add(
		kern_vec_add(v, kern_vec_scale(c, q.w)), kern_vec_cross(u, c));
}

/* axis has unit length; angle in radians. */
KERN_BOTH struct kern_quat
kern_quat_about(struct kern_vec axis, float angle)
{
	struct kern_trig_sincos half = kern_trig_sincos(0.5f * angle);
	float s = half.sine;
	return (struct kern_quat){axis.x * s, axis.y * s, axis.z * s, half.cosine};
}

/* What whoever takes parts of a rotation needs of it, the short way round: its axis times
 * the sine of half its angle, that sine, and that half. */
struct kern_quat_turn {
	struct kern_vec axis;
	float sine, half;
};

KERN_BOTH struct kern_quat_turn
kern_quat_turn(struct kern_quat q)
{
	if (q.w < 0.0f)
		q = kern_quat_negate(q);
	float sine = sqrtf(q.x * q.x + q.y * q.y + q.z * q.z);
	return (struct kern_quat_turn){{q.x, q.y, q.z}, sine, kern_trig_atan2(sine, q.w)};
}

/* The rotation `factor` times as far about the same axis; factor may be negative or above
 * one. */
KERN_BOTH struct kern_quat
kern_quat_part(struct kern_quat_turn turn, float factor)
{
	if (!(turn.sine > 0.0f))
		return KERN_QUAT_IDENTITY;
	struct kern_trig_sincos half = kern_trig_sincos(turn.half * factor);
	float f = half.sine / turn.sine;
	return (struct kern_quat){
		turn.axis.x * f, turn.axis.y * f, turn.axis.z * f, half.cosine};
}

KERN_BOTH struct kern_quat
kern_quat_power(struct kern_quat q, float factor)
{
	return kern_quat_part(kern_quat_turn(q), factor);
}

/* Spherical interpolation on the shortest path, t in 0..1. */
KERN_BOTH struct kern_quat
kern_quat_slerp(struct kern_quat p, struct kern_quat q, float t)
{
	float cosine = kern_quat_dot(p, q);
	if (cosine < 0.0f) {
		q = kern_quat_negate(q);
		cosine = -cosine;
	}
	float a = 1.0f - t, b = t;
	/* Below about 1.8 degrees the chord and the arc differ by less than a float's
	 * last digit.  Above, both sines should be divided by the angle's own, which only
	 * changes the length. */
	if (cosine < 0.9995f) {
		float sine = sqrtf((1.0f - cosine) * (1.0f + cosine));
		float angle = kern_trig_atan2(sine, cosine);
		a = kern_trig_sine_quarter(a * angle);
		b = kern_trig_sine_quarter(b * angle);
	}
	return kern_quat_unit((struct kern_quat){a * p.x + b * q.x, a * p.y + b * q.y,
		a * p.z + b * q.z, a * p.w + b * q.w});
}

#endif
