/* SPDX-License-Identifier: BSD-2-Clause */
/* ik_lanes.h - ik_turn.h over again, for the lanes of a mask.  A round costs what its
 * slowest lane costs, and none is run when all lanes are there. */
#ifndef KERN_IK_LANES_H
#define KERN_IK_LANES_H

#include "kernels/ik_link.h"
#include "kernels/pose_lanes_state.h"

/* Row i, column j of the matrix that turns column vectors as q does. */
static inline lanes
ik_lanes_element(struct lanes_quat q, int i, int j)
{
	lanes two = lanes_all(2.0f), v[3] = {q.x, q.y, q.z};
	if (i == j) {
		lanes a = v[(i + 1) % 3], b = v[(i + 2) % 3];
		return lanes_all(1.0f) - two * (a * a + b * b);
	}
	lanes ahead = v[i] * v[j], around = q.w * v[3 - i - j];
	return two * (i == (j + 1) % 3 ? ahead + around : ahead - around);
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
ik_lanes_euler_angle(struct lanes_quat q, struct kern_ik_order o, int axis)
{
	if (axis == o.first)
		return lanes_atan2(ik_lanes_element(q, o.middle, o.last),
			ik_lanes_element(q, o.last, o.last));
	if (axis == o.last)
		return lanes_atan2(ik_lanes_element(q, o.first, o.middle),
			ik_lanes_element(q, o.first, o.first));
	lanes sine = ik_lanes_clamp(
		lanes_negate(ik_lanes_element(q, o.first, o.last)), -1.0f, 1.0f);
	lanes one = lanes_all(1.0f);
	lanes angle = lanes_atan2(sine, lanes_sqrt((one - sine) * (one + sine)));
	return ik_lanes_clamp(angle, -KERN_IK_MIDDLE_MAX, KERN_IK_MIDDLE_MAX);
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

/* A link's turn, whatever the frame. */
struct ik_lanes_turn {
	const struct kern_pose_chain *chain;
	const struct kern_pose_link *links; /* the chain's */
	uint32_t place;			    /* which of them turns */
	enum kern_ik_freedom freedom;
	struct kern_ik_order order;
	struct kern_trig_sincos step;
	int first_half;
};

/* One group's in the middle of the turn. */
struct ik_lanes_work {
	lanes_mask mask;
	struct lanes_vec axis;
	lanes sine, cosine;
	struct lanes_quat ik;
	lanes angle[3];
};

static inline struct ik_lanes_turn
ik_lanes_plan(const struct pose_lanes *p, const struct kern_pose_chain *chain,
	uint32_t place, int first_half)
{
	const struct kern_pose_link *links = p->skeleton->links + chain->first_link;
	return (struct ik_lanes_turn){
		.chain = chain,
		.links = links,
		.place = place,
		.freedom = kern_ik_link_freedom(&links[place]),
		.order = kern_ik_link_order(&links[place]),
		.step = kern_ik_link_step(chain, place),
		.first_half = first_half,
	};
}

static inline void
ik_lanes_aim(const struct pose_lanes *p, const struct ik_lanes_turn *t,
	struct ik_lanes_work *w)
{
	const struct pose_lanes_bone *bones = p->bones;
	const struct pose_lanes_bone *bone = &bones[t->links[t->place].bone];
	struct lanes_vec from = lanes_vec_unit(
		lanes_vec_sub(bone->position, bones[t->chain->target].position));
	struct lanes_vec to = lanes_vec_unit(
		lanes_vec_sub(bone->position, bones[t->chain->bone].position));
	w->axis = lanes_vec_cross(from, to);
	lanes squared = lanes_vec_dot(w->axis, w->axis);
	w->mask = w->mask & lanes_at_most(lanes_all(KERN_IK_NEAR), squared);
	w->sine = lanes_sqrt(squared);
	w->cosine = lanes_vec_dot(from, to);
}

static inline void
ik_lanes_turn(const struct pose_lanes *p, const struct ik_lanes_turn *t,
	struct ik_lanes_work *w)
{
	uint32_t index = t->links[t->place].bone;
	int32_t parent_index = p->skeleton->parent[index];
	struct lanes_quat parent = parent_index < 0 ? lanes_quat_all(KERN_QUAT_IDENTITY)
						    : p->bones[parent_index].world;
	struct lanes_vec about = ik_lanes_turning_axis(
		parent, w->axis, t->first_half ? t->freedom : KERN_IK_FREE);
	w->ik = lanes_quat_mul(ik_lanes_turn_between(w->sine, w->cosine, about, t->step),
		p->bones[index].ik);
}

/* The Euler angles within the link's limits, as far as they are not 0 anyway. */
static inline void
ik_lanes_limit(const struct pose_lanes *p, const struct ik_lanes_turn *t,
	struct ik_lanes_work *w)
{
	const struct kern_pose_link *link = &t->links[t->place];
	struct lanes_quat q = lanes_quat_mul(w->ik, p->bones[link->bone].saved);
	for (int axis = 0; axis < 3; axis++)
		if (t->freedom == KERN_IK_FREE || axis == (int)t->freedom)
			w->angle[axis] = ik_lanes_limit_angle(
				ik_lanes_euler_angle(q, t->order, axis),
				link->minimum[axis], link->maximum[axis], t->first_half);
}

static inline struct lanes_quat
ik_lanes_about(const struct ik_lanes_work *w, int axis)
{
	return lanes_quat_about(lanes_vec_all(kern_ik_unit(axis)), w->angle[axis]);
}

/* From these angles back to the link's IK rotation. */
static inline void
ik_lanes_compose(const struct pose_lanes *p, const struct ik_lanes_turn *t,
	struct ik_lanes_work *w)
{
	struct lanes_quat whole;
	if (t->freedom != KERN_IK_FREE)
		whole = ik_lanes_about(w, (int)t->freedom);
	else
		whole = lanes_quat_mul(ik_lanes_about(w, t->order.first),
			lanes_quat_mul(ik_lanes_about(w, t->order.middle),
				ik_lanes_about(w, t->order.last)));
	w->ik = lanes_quat_mul(
		whole, lanes_quat_conjugate(p->bones[t->links[t->place].bone].saved));
}

static inline void
ik_lanes_settle(const struct pose_lanes *p, const struct ik_lanes_turn *t,
	struct ik_lanes_work *w)
{
	uint32_t index = t->links[t->place].bone;
	struct pose_lanes_bone *bone = &p->bones[index];
	struct lanes_quat ik = lanes_quat_unit(w->ik);
	bone->ik = lanes_quat_select(w->mask, ik, bone->ik);
	bone->local =
		lanes_quat_select(w->mask, lanes_quat_mul(ik, bone->saved), bone->local);
	pose_lanes_place_rotation(p, index, w->mask);
}

typedef void ik_lanes_stage(const struct pose_lanes *p, const struct ik_lanes_turn *t,
	struct ik_lanes_work *w);

/* A stage in all groups that have lanes to turn. */
static inline __attribute__((always_inline)) void
ik_lanes_each(const struct pose_lanes groups[POSE_LANES_GROUPS],
	const struct ik_lanes_turn *t, struct ik_lanes_work work[POSE_LANES_GROUPS],
	ik_lanes_stage *stage)
{
	for (int g = 0; g < POSE_LANES_GROUPS; g++)
		if (lanes_any(work[g].mask))
			stage(&groups[g], t, &work[g]);
}

static inline void
ik_lanes_turn_link(const struct pose_lanes groups[POSE_LANES_GROUPS],
	const struct ik_lanes_turn *t, const lanes_mask masks[POSE_LANES_GROUPS])
{
	struct ik_lanes_work work[POSE_LANES_GROUPS];
	if (t->freedom == KERN_IK_LOCKED)
		return;
	for (int g = 0; g < POSE_LANES_GROUPS; g++)
		work[g].mask = masks[g];
	ik_lanes_each(groups, t, work, ik_lanes_aim);
	ik_lanes_each(groups, t, work, ik_lanes_turn);
	if (t->links[t->place].limited) {
		ik_lanes_each(groups, t, work, ik_lanes_limit);
		ik_lanes_each(groups, t, work, ik_lanes_compose);
	}
	ik_lanes_each(groups, t, work, ik_lanes_settle);
	for (uint32_t i = t->place; i-- > 0;)
		for (int g = 0; g < POSE_LANES_GROUPS; g++)
			if (lanes_any(work[g].mask))
				pose_lanes_place(
					&groups[g], t->links[i].bone, work[g].mask);
	for (int g = 0; g < POSE_LANES_GROUPS; g++)
		if (lanes_any(work[g].mask))
			pose_lanes_place_position(
				&groups[g], t->chain->target, work[g].mask);
}

static inline lanes_mask
ik_lanes_near(const struct pose_lanes *p, const struct kern_pose_chain *chain)
{
	struct lanes_vec gap = lanes_vec_sub(
		p->bones[chain->target].position, p->bones[chain->bone].position);
	return lanes_less(lanes_vec_dot(gap, gap), lanes_all(KERN_IK_NEAR));
}

/* Everything as it was before the chain was ever solved. */
static inline void
ik_lanes_begin(
	const struct pose_lanes *p, const struct kern_pose_chain *chain, lanes_mask mask)
{
	const struct kern_pose_link *links = p->skeleton->links + chain->first_link;
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
}

/* Solves the chain in each group's mask.  A turn is one long wait for roots, quotients and
 * arcs, so the groups go through it in step, stage by stage. */
static inline void
ik_lanes_solve(const struct pose_lanes groups[POSE_LANES_GROUPS],
	const struct kern_pose_chain *chain, const lanes_mask masks[POSE_LANES_GROUPS])
{
	lanes_mask active[POSE_LANES_GROUPS];
	uint32_t loops = kern_ik_link_loops(chain);
	if (chain->link_count == 0)
		return;
	for (int g = 0; g < POSE_LANES_GROUPS; g++) {
		active[g] = masks[g];
		if (lanes_any(masks[g]))
			ik_lanes_begin(&groups[g], chain, masks[g]);
	}
	for (uint32_t loop = 0; loop < loops; loop++) {
		lanes_mask left = lanes_first(0);
		for (int g = 0; g < POSE_LANES_GROUPS; g++) {
			if (lanes_any(active[g]))
				active[g] = active[g] & ~ik_lanes_near(&groups[g], chain);
			left = left | active[g];
		}
		if (!lanes_any(left))
			break;
		for (uint32_t i = 0; i < chain->link_count; i++) {
			struct ik_lanes_turn turn =
				ik_lanes_plan(groups, chain, i, loop < loops / 2);
			ik_lanes_turn_link(groups, &turn, active);
		}
	}
	for (int g = 0; g < POSE_LANES_GROUPS; g++)
		if (lanes_any(masks[g]))
			pose_lanes_place_rotation(&groups[g], chain->target, masks[g]);
}

#endif
