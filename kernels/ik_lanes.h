/* SPDX-License-Identifier: BSD-2-Clause */
/* ik_lanes.h - ik.c over again, for the lanes of a mask.  A round
 * costs what its slowest lane costs, and none is run when all lanes are there. */
#ifndef KERN_IK_LANES_H
#define KERN_IK_LANES_H

#include "kernels/ik_link.h"
#include "kernels/lanes_state.h"

static inline void
ik_lanes_to_matrix(struct lanes_quat q, lanes m[3][3])
{
	lanes one = lanes_all(1.0f), two = lanes_all(2.0f);
	m[0][0] = one - two * (q.y * q.y + q.z * q.z);
	m[0][1] = two * (q.x * q.y - q.w * q.z);
	m[0][2] = two * (q.x * q.z + q.w * q.y);
	m[1][0] = two * (q.x * q.y + q.w * q.z);
	m[1][1] = one - two * (q.x * q.x + q.z * q.z);
	m[1][2] = two * (q.y * q.z - q.w * q.x);
	m[2][0] = two * (q.x * q.z - q.w * q.y);
	m[2][1] = two * (q.y * q.z + q.w * q.x);
	m[2][2] = one - two * (q.x * q.x + q.y * q.y);
}

static inline lanes
ik_lanes_clamp(lanes value, float low, float high)
{
	lanes l = lanes_all(low), h = lanes_all(high);
	return lanes_select(
		lanes_less(value, l), l, lanes_select(lanes_less(h, value), h, value));
}

static inline lanes
ik_lanes_limit_angle(lanes angle, float low, float high, int reflect)
{
	lanes l = lanes_all(low), h = lanes_all(high), two = lanes_all(2.0f);
	lanes below = l, above = h;
	if (reflect) {
		lanes up = two * l - angle, down = two * h - angle;
		below = lanes_select(lanes_at_most(up, h), up, l);
		above = lanes_select(lanes_at_most(l, down), down, h);
	}
	return lanes_select(lanes_less(angle, l), below,
		lanes_select(lanes_less(h, angle), above, angle));
}

static inline lanes
ik_lanes_euler_angle(lanes m[3][3], struct kern_ik_order o, int axis)
{
	if (axis == o.first)
		return lanes_atan2(m[o.middle][o.last], m[o.last][o.last]);
	if (axis == o.last)
		return lanes_atan2(m[o.first][o.middle], m[o.first][o.first]);
	lanes sine = ik_lanes_clamp(lanes_negate(m[o.first][o.last]), -1.0f, 1.0f);
	lanes one = lanes_all(1.0f);
	lanes angle = lanes_atan2(sine, lanes_sqrt((one - sine) * (one + sine)));
	return ik_lanes_clamp(angle, -KERN_IK_MIDDLE_MAX, KERN_IK_MIDDLE_MAX);
}

static inline struct lanes_quat
ik_lanes_limit_rotation(
	const struct kern_pose_link *link, struct lanes_quat q, int reflect)
{
	struct kern_ik_order o = kern_ik_link_order(link);
	enum kern_ik_freedom freedom = kern_ik_link_freedom(link);
	struct lanes_quat turns[3];
	lanes m[3][3];
	ik_lanes_to_matrix(q, m);
	for (int axis = 0; axis < 3; axis++) {
		if (freedom != KERN_IK_FREE && axis != (int)freedom)
			continue;
		lanes angle = ik_lanes_limit_angle(ik_lanes_euler_angle(m, o, axis),
			link->minimum[axis], link->maximum[axis], reflect);
		turns[axis] = lanes_quat_about(lanes_vec_all(kern_ik_unit(axis)), angle);
	}
	if (freedom != KERN_IK_FREE)
		return turns[freedom];
	return lanes_quat_mul(
		turns[o.first], lanes_quat_mul(turns[o.middle], turns[o.last]));
}

static inline struct lanes_quat
ik_lanes_turn_between(
	lanes sine, lanes cosine, struct lanes_vec about, struct kern_trig_sincos most)
{
	lanes half = lanes_all(0.5f);
	lanes root = lanes_sqrt(half + half * lanes_abs(cosine));
	lanes other = half * sine / root;
	lanes_mask blunt = lanes_less(cosine, lanes_all(0.0f));
	lanes s = lanes_select(blunt, root, other), c = lanes_select(blunt, other, root);
	lanes_mask far = lanes_less(lanes_all(most.sine), s);
	s = lanes_select(far, lanes_all(most.sine), s);
	c = lanes_select(far, lanes_all(most.cosine), c);
	return (struct lanes_quat){about.x * s, about.y * s, about.z * s, c};
}

static inline struct lanes_vec
ik_lanes_turning_axis(
	struct lanes_quat parent, struct lanes_vec axis, enum kern_ik_freedom freedom)
{
	if (freedom == KERN_IK_FREE)
		return lanes_vec_unit(
			lanes_quat_rotate(lanes_quat_conjugate(parent), axis));
	struct lanes_vec unit = lanes_vec_all(kern_ik_unit(freedom));
	lanes side = lanes_vec_dot(axis, lanes_quat_rotate(parent, unit));
	return lanes_vec_scale(unit, lanes_select(lanes_less(side, lanes_all(0.0f)),
					     lanes_all(-1.0f), lanes_all(1.0f)));
}

static inline void
ik_lanes_turn_link(const struct pose_lanes *p, const struct kern_pose_chain *chain,
	uint32_t place, int first_half, lanes_mask mask)
{
	const struct kern_pose_link *links = p->skeleton->links + chain->first_link;
	const struct kern_pose_link *link = &links[place];
	struct pose_lanes_bone *bones = p->bones, *bone = &bones[link->bone];
	enum kern_ik_freedom freedom = kern_ik_link_freedom(link);
	int32_t parent_index = p->skeleton->parent[link->bone];
	struct lanes_quat parent = parent_index < 0 ? lanes_quat_all(KERN_QUAT_IDENTITY)
						    : bones[parent_index].world;
	if (freedom == KERN_IK_LOCKED)
		return;

	struct lanes_vec from = lanes_vec_unit(
		lanes_vec_sub(bone->position, bones[chain->target].position));
	struct lanes_vec to = lanes_vec_unit(
		lanes_vec_sub(bone->position, bones[chain->bone].position));
	struct lanes_vec axis = lanes_vec_cross(from, to);
	lanes squared = lanes_vec_dot(axis, axis);
	mask = mask & lanes_at_most(lanes_all(KERN_IK_NEAR), squared);
	if (!lanes_any(mask))
		return;
	lanes sine = lanes_sqrt(squared), cosine = lanes_vec_dot(from, to);
	axis = ik_lanes_turning_axis(parent, axis, first_half ? freedom : KERN_IK_FREE);
	struct lanes_quat ik = lanes_quat_mul(ik_lanes_turn_between(sine, cosine, axis,
						      kern_ik_link_step(chain, place)),
		bone->ik);
	if (link->limited) {
		struct lanes_quat whole = ik_lanes_limit_rotation(
			link, lanes_quat_mul(ik, bone->saved), first_half);
		ik = lanes_quat_mul(whole, lanes_quat_conjugate(bone->saved));
	}
	ik = lanes_quat_unit(ik);
	bone->ik = lanes_quat_select(mask, ik, bone->ik);
	bone->local =
		lanes_quat_select(mask, lanes_quat_mul(ik, bone->saved), bone->local);

	pose_lanes_place_rotation(p, link->bone, mask);
	for (uint32_t i = place; i-- > 0;)
		pose_lanes_place(p, links[i].bone, mask);
	pose_lanes_place_position(p, chain->target, mask);
}

static inline lanes_mask
ik_lanes_near(const struct pose_lanes *p, const struct kern_pose_chain *chain)
{
	struct lanes_vec gap = lanes_vec_sub(
		p->bones[chain->target].position, p->bones[chain->bone].position);
	return lanes_less(lanes_vec_dot(gap, gap), lanes_all(KERN_IK_NEAR));
}

static inline void
ik_lanes_solve(
	const struct pose_lanes *p, const struct kern_pose_chain *chain, lanes_mask mask)
{
	const struct kern_pose_link *links = p->skeleton->links + chain->first_link;
	uint32_t loops = kern_ik_link_loops(chain);
	if (chain->link_count == 0)
		return;
	for (uint32_t i = 0; i < chain->link_count; i++) {
		struct pose_lanes_bone *bone = &p->bones[links[i].bone];
		bone->ik = lanes_quat_select(
			mask, lanes_quat_all(KERN_QUAT_IDENTITY), bone->ik);
		bone->local = lanes_quat_select(mask, bone->saved, bone->local);
		bone->solved = bone->solved | mask;
	}
	for (uint32_t i = chain->link_count; i-- > 0;)
		pose_lanes_place(p, links[i].bone, mask);
	pose_lanes_place_position(p, chain->target, mask);
	lanes_mask active = mask;
	for (uint32_t loop = 0; loop < loops; loop++) {
		active = active & ~ik_lanes_near(p, chain);
		if (!lanes_any(active))
			break;
		for (uint32_t i = 0; i < chain->link_count; i++)
			ik_lanes_turn_link(p, chain, i, loop < loops / 2, active);
	}
	pose_lanes_place_rotation(p, chain->target, mask);
}

#endif
