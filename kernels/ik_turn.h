/* SPDX-License-Identifier: BSD-2-Clause */
/* ik_turn.h - how far one link of a chain turns in one step (see ik.h), for plain C and
 * CUDA. */
#ifndef KERN_IK_TURN_H
#define KERN_IK_TURN_H

#include "kernels/ik_link.h"

/* Rows of the matrix that turns column vectors as q does. */
KERN_BOTH void
kern_ik_turn_matrix(struct kern_quat q, float m[3][3])
{
	m[0][0] = 1.0f - 2.0f * (q.y * q.y + q.z * q.z);
	m[0][1] = 2.0f * (q.x * q.y - q.w * q.z);
	m[0][2] = 2.0f * (q.x * q.z + q.w * q.y);
	m[1][0] = 2.0f * (q.x * q.y + q.w * q.z);
	m[1][1] = 1.0f - 2.0f * (q.x * q.x + q.z * q.z);
	m[1][2] = 2.0f * (q.y * q.z - q.w * q.x);
	m[2][0] = 2.0f * (q.x * q.z - q.w * q.y);
	m[2][1] = 2.0f * (q.y * q.z + q.w * q.x);
	m[2][2] = 1.0f - 2.0f * (q.x * q.x + q.y * q.y);
}

KERN_BOTH float
kern_ik_turn_clamp(float value, float low, float high)
{
	return value < low ? low : value > high ? high : value;
}

KERN_BOTH float
kern_ik_turn_limit_angle(float angle, float low, float high, int reflect)
{
	if (angle < low) {
		float mirrored = 2.0f * low - angle;
		return reflect && mirrored <= high ? mirrored : low;
	}
	if (angle > high) {
		float mirrored = 2.0f * high - angle;
		return reflect && mirrored >= low ? mirrored : high;
	}
	return angle;
}

/* The Euler angle of m about one axis of the order.  All three orders are odd permutations
 * of X Y Z, so one set of signs serves. */
KERN_BOTH float
kern_ik_turn_euler(float m[3][3], struct kern_ik_order o, int axis)
{
	if (axis == o.first)
		return kern_trig_atan2(m[o.middle][o.last], m[o.last][o.last]);
	if (axis == o.last)
		return kern_trig_atan2(m[o.first][o.middle], m[o.first][o.first]);
	float sine = kern_ik_turn_clamp(-m[o.first][o.last], -1.0f, 1.0f);
	float angle = kern_trig_atan2(sine, sqrtf((1.0f - sine) * (1.0f + sine)));
	return kern_ik_turn_clamp(angle, -KERN_IK_MIDDLE_MAX, KERN_IK_MIDDLE_MAX);
}

/* The rotation whose Euler angles are q's, brought within the link's limits.  Of a hinge
 * two angles are 0 whatever they were. */
KERN_BOTH struct kern_quat
kern_ik_turn_limit(const struct kern_pose_link *link, struct kern_quat q, int reflect)
{
	struct kern_ik_order o = kern_ik_link_order(link);
	enum kern_ik_freedom freedom = kern_ik_link_freedom(link);
	struct kern_quat turns[3];
	float m[3][3];
	kern_ik_turn_matrix(q, m);
	for (int axis = 0; axis < 3; axis++) {
		if (freedom != KERN_IK_FREE && axis != (int)freedom)
			continue;
		float angle = kern_ik_turn_limit_angle(kern_ik_turn_euler(m, o, axis),
			link->minimum[axis], link->maximum[axis], reflect);
		turns[axis] = kern_quat_about(kern_ik_unit(axis), angle);
	}
	if (freedom != KERN_IK_FREE)
		return turns[freedom];
	return kern_quat_mul(
		turns[o.first], kern_quat_mul(turns[o.middle], turns[o.last]));
}

/* The turn by which the unit vector `from` comes to lie on `to`, cut off at an angle of
 * twice that of `most`; axis is from x to, of the length `sine`, and `about` the unit axis
 * to turn about.  Halving the angle by square roots takes no arc and no sine; of the
 * two roots the greater is taken, which is exact at either end. */
KERN_BOTH struct kern_quat
kern_ik_turn_between(
	float sine, float cosine, struct kern_vec about, struct kern_trig_sincos most)
{
	float root = sqrtf(0.5f + 0.5f * fabsf(cosine));
	float other = 0.5f * sine / root;
	float s = cosine < 0.0f ? root : other, c = cosine < 0.0f ? other : root;
	if (s > most.sine) {
		s = most.sine;
		c = most.cosine;
	}
	return (struct kern_quat){about.x * s, about.y * s, about.z * s, c};
}

/* The link's axis of turning in its parent's space, from the one in model space. */
KERN_BOTH struct kern_vec
kern_ik_turn_axis(
	struct kern_quat parent, struct kern_vec axis, enum kern_ik_freedom freedom)
{
	if (freedom == KERN_IK_FREE)
		return kern_vec_unit(kern_quat_rotate(kern_quat_conjugate(parent), axis));
	float side = kern_vec_dot(axis, kern_quat_rotate(parent, kern_ik_unit(freedom)));
	return kern_vec_scale(kern_ik_unit(freedom), side < 0.0f ? -1.0f : 1.0f);
}

/* What a step finds: places in model space, how the link's parent is turned there, and the
 * link's own and appended rotation. */
struct kern_ik_turn {
	struct kern_vec link, target, goal;
	struct kern_quat parent, saved;
	struct kern_trig_sincos most; /* kern_ik_link_step() */
	int first_half;
};

/* The link's IK rotation, turned on, and its local rotation.  0: nothing was turned, for
 * no turn would bring the target nearer. */
KERN_BOTH int
kern_ik_turn(const struct kern_pose_link *link, const struct kern_ik_turn *step,
	struct kern_quat *ik, struct kern_quat *local)
{
	enum kern_ik_freedom freedom = kern_ik_link_freedom(link);
	if (freedom == KERN_IK_LOCKED)
		return 0;
	struct kern_vec from = kern_vec_unit(kern_vec_sub(step->link, step->target));
	struct kern_vec to = kern_vec_unit(kern_vec_sub(step->link, step->goal));
	struct kern_vec axis = kern_vec_cross(from, to);
	if (!(kern_vec_dot(axis, axis) >= KERN_IK_NEAR))
		return 0;
	float sine = sqrtf(kern_vec_dot(axis, axis)), cosine = kern_vec_dot(from, to);
	axis = kern_ik_turn_axis(
		step->parent, axis, step->first_half ? freedom : KERN_IK_FREE);
	struct kern_quat turned =
		kern_quat_mul(kern_ik_turn_between(sine, cosine, axis, step->most), *ik);
	if (link->limited) {
		struct kern_quat whole = kern_ik_turn_limit(
			link, kern_quat_mul(turned, step->saved), step->first_half);
		turned = kern_quat_mul(whole, kern_quat_conjugate(step->saved));
	}
	/* Hundreds of products would let the length drift. */
	*ik = kern_quat_unit(turned);
	*local = kern_quat_mul(*ik, step->saved);
	return 1;
}

/* Whether the target is where it should go. */
KERN_BOTH int
kern_ik_turn_is_near(struct kern_vec target, struct kern_vec goal)
{
	struct kern_vec gap = kern_vec_sub(target, goal);
	return kern_vec_dot(gap, gap) < KERN_IK_NEAR;
}

#endif
