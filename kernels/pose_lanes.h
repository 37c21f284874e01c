/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pose_lanes.h - pose.c over again for LANES frames at a time: the same program of bones
 * for all of them, and a mask for what only some frames do.  Included by one file a
 * variant, which says how many LANES are.
 *
 * What a bone that stands later in the order is read for before its turn is known from
 * the skeleton alone; only such bones are filled in when a group of frames begins.
 */
#ifndef KERN_POSE_LANES_H
#define KERN_POSE_LANES_H

#include "kernels/ik_lanes.h"
#include "kernels/pose_lanes_direct.h"

static inline void
pose_lanes_await(struct pose_lanes_bone *bones, int32_t bone)
{
	if (bone >= 0 && !bones[bone].placed)
		bones[bone].awaited = 1;
}

/* Walks the order once to find who is read before its turn. */
static inline void
pose_lanes_look_ahead(struct pose_lanes *p)
{
	const struct kern_pose_skeleton *skeleton = p->skeleton;
	struct pose_lanes_bone *bones = p->bones;
	for (uint32_t i = 0; i < skeleton->bone_count; i++)
		bones[i].placed = bones[i].awaited = 0;
	for (uint32_t i = 0; i < skeleton->order_count; i++) {
		uint32_t index = skeleton->order[i];
		if (skeleton->flags[index] != 0)
			pose_lanes_await(bones, (int32_t)skeleton->source[index]);
		pose_lanes_await(bones, skeleton->parent[index]);
		bones[index].placed = 1;
		if (skeleton->chain[index] < 0)
			continue;
		const struct kern_pose_chain *chain =
			&skeleton->chains[skeleton->chain[index]];
		const struct kern_pose_link *links = skeleton->links + chain->first_link;
		pose_lanes_await(bones, (int32_t)chain->bone);
		pose_lanes_await(bones, (int32_t)chain->target);
		pose_lanes_await(bones, skeleton->parent[chain->target]);
		for (uint32_t k = 0; k < chain->link_count; k++) {
			pose_lanes_await(bones, (int32_t)links[k].bone);
			pose_lanes_await(bones, skeleton->parent[links[k].bone]);
		}
	}
}

static inline struct lanes_quat
pose_lanes_load_quat(const struct pose_lanes *p, uint32_t bone)
{
	size_t stride = p->a->stride;
	const float *from = p->a->rotate + (size_t)bone * 4 * stride + p->first;
	return (struct lanes_quat){lanes_load(from, p->mask),
		lanes_load(from + stride, p->mask),
		lanes_load(from + 2 * stride, p->mask),
		lanes_load(from + 3 * stride, p->mask)};
}

static inline struct lanes_vec
pose_lanes_load_move(const struct pose_lanes *p, uint32_t bone)
{
	size_t stride = p->a->stride;
	const float *from = p->a->move + (size_t)bone * 3 * stride + p->first;
	return (struct lanes_vec){lanes_load(from, p->mask),
		lanes_load(from + stride, p->mask),
		lanes_load(from + 2 * stride, p->mask)};
}

static inline void
pose_lanes_begin(const struct pose_lanes *p)
{
	for (uint32_t i = 0; i < p->skeleton->bone_count; i++) {
		struct pose_lanes_bone *bone = &p->bones[i];
		bone->placed = bone->early = 0;
		bone->solved = lanes_first(0);
		if (!bone->awaited)
			continue;
		bone->saved = bone->local = pose_lanes_load_quat(p, i);
		bone->saved_move = pose_lanes_load_move(p, i);
		bone->world = lanes_quat_all(KERN_QUAT_IDENTITY);
		bone->position = lanes_vec_all(kern_pose_rest(p->skeleton, i));
	}
}

/* What the bone has of its own, and of its append source. */
static inline void
pose_lanes_append(const struct pose_lanes *p, uint32_t index)
{
	const struct kern_pose_skeleton *skeleton = p->skeleton;
	struct pose_lanes_bone *bone = &p->bones[index];
	struct lanes_quat own = pose_lanes_load_quat(p, index);
	struct lanes_vec own_move = pose_lanes_load_move(p, index);
	uint32_t flags = skeleton->flags[index];
	const struct pose_lanes_bone *source = NULL;
	float ratio = 0.0f;

	if (flags & (KERN_POSE_APPEND_ROTATE | KERN_POSE_APPEND_MOVE)) {
		source = &p->bones[skeleton->source[index]];
		ratio = skeleton->ratio[index];
	}
	if (flags & KERN_POSE_APPEND_ROTATE) {
		struct lanes_quat q =
			flags & KERN_POSE_APPEND_LOCAL ? source->world : source->local;
		if (ratio != 1.0f)
			q = lanes_quat_power(q, ratio);
		own = lanes_quat_mul(own, q);
	}
	if (flags & KERN_POSE_APPEND_MOVE) {
		struct lanes_vec move =
			flags & KERN_POSE_APPEND_LOCAL
				? lanes_vec_sub(source->position,
					  lanes_vec_all(kern_pose_rest(
						  skeleton, skeleton->source[index])))
				: source->saved_move;
		own_move =
			lanes_vec_add(lanes_vec_scale(move, lanes_all(ratio)), own_move);
	}
	bone->saved = own;
	bone->saved_move = own_move;
}

/* Everything that was placed before and hangs below a link follows it. */
static inline void
pose_lanes_follow_links(
	const struct pose_lanes *p, const struct kern_pose_chain *chain, lanes_mask mask)
{
	const struct kern_pose_skeleton *skeleton = p->skeleton;
	const struct kern_pose_link *links = skeleton->links + chain->first_link;
	struct pose_lanes_bone *bones = p->bones;
	for (uint32_t i = 0; i < skeleton->bone_count; i++)
		bones[i].moved = 0;
	for (uint32_t i = 0; i < chain->link_count; i++)
		bones[links[i].bone].moved = 1;
	for (uint32_t i = 0; i < skeleton->bone_count; i++) {
		uint32_t index = skeleton->hierarchy[i];
		int32_t parent = skeleton->parent[index];
		if (parent < 0 || !bones[parent].moved)
			continue;
		if (bones[index].placed)
			pose_lanes_place(p, index, mask);
		bones[index].moved = 1;
	}
}

static inline void
pose_lanes_solve(const struct pose_lanes *p, int32_t chain_index)
{
	const struct kern_pose_chain *chain = &p->skeleton->chains[chain_index];
	lanes_mask mask = p->mask;
	if (p->a->ik_enabled != NULL)
		mask = lanes_of_bytes(
			p->a->ik_enabled + (size_t)chain_index * p->a->stride + p->first,
			p->count);
	if (!lanes_any(mask))
		return;
	ik_lanes_solve(p, chain, mask);
	pose_lanes_follow_links(p, chain, mask);
}

static inline void
pose_lanes_store_quat(
	const struct pose_lanes *p, float *planes, uint32_t bone, struct lanes_quat q)
{
	size_t stride = p->a->stride;
	float *to = planes + (size_t)bone * 4 * stride + p->first;
	lanes_store(to, p->mask, q.x);
	lanes_store(to + stride, p->mask, q.y);
	lanes_store(to + 2 * stride, p->mask, q.z);
	lanes_store(to + 3 * stride, p->mask, q.w);
}

static inline void
pose_lanes_store(const struct pose_lanes *p, uint32_t index)
{
	const struct kern_pose *a = p->a;
	const struct pose_lanes_bone *bone = &p->bones[index];
	if (a->position != NULL) {
		float *to = a->position + (size_t)index * 3 * a->stride + p->first;
		lanes_store(to, p->mask, bone->position.x);
		lanes_store(to + a->stride, p->mask, bone->position.y);
		lanes_store(to + 2 * a->stride, p->mask, bone->position.z);
	}
	if (a->world_rotate != NULL)
		pose_lanes_store_quat(p, a->world_rotate, index, bone->world);
	if (a->local_rotate != NULL)
		pose_lanes_store_quat(p, a->local_rotate, index,
			lanes_quat_short_way(lanes_quat_unit(bone->local)));
}

static inline void
pose_lanes_evaluate(const struct pose_lanes *p)
{
	const struct kern_pose_skeleton *skeleton = p->skeleton;
	struct pose_lanes_bone *bones = p->bones;
	for (uint32_t i = 0; i < skeleton->order_count; i++) {
		uint32_t index = skeleton->order[i];
		int32_t parent = skeleton->parent[index];
		struct pose_lanes_bone *bone = &bones[index];
		pose_lanes_append(p, index);
		bone->local = bone->saved;
		if (lanes_any(bone->solved))
			bone->local = lanes_quat_select(bone->solved,
				lanes_quat_mul(bone->ik, bone->saved), bone->saved);
		bone->early =
			parent >= 0 && (!bones[parent].placed || bones[parent].early);
		pose_lanes_place(p, index, lanes_first(LANES));
		bone->placed = 1;
		if (skeleton->chain[index] >= 0)
			pose_lanes_solve(p, skeleton->chain[index]);
	}
	for (uint32_t i = 0; i < skeleton->bone_count; i++)
		if (bones[skeleton->hierarchy[i]].early)
			pose_lanes_place(p, skeleton->hierarchy[i], lanes_first(LANES));
	for (uint32_t i = 0; i < skeleton->order_count; i++)
		pose_lanes_store(p, skeleton->order[i]);
}

static inline int
pose_lanes_has_chains(const struct kern_pose_skeleton *skeleton)
{
	for (uint32_t i = 0; i < skeleton->order_count; i++)
		if (skeleton->chain[skeleton->order[i]] >= 0)
			return 1;
	return 0;
}

static inline int
pose_lanes_run(const struct kern_pose *a)
{
	uintptr_t aligned = ((uintptr_t)a->scratch + 63) & ~(uintptr_t)63;
	struct pose_lanes p = {
		.a = a,
		.skeleton = a->skeleton,
		.bones = (struct pose_lanes_bone *)aligned,
	};
	if (!pose_lanes_has_chains(a->skeleton)) {
		pose_direct_run(a, p.bones);
		return 0;
	}
	pose_lanes_look_ahead(&p);
	for (p.first = 0; p.first < a->frame_count; p.first += LANES) {
		size_t left = a->frame_count - p.first;
		p.count = left < LANES ? (uint32_t)left : LANES;
		p.mask = lanes_first(p.count);
		pose_lanes_begin(&p);
		pose_lanes_evaluate(&p);
	}
	return 0;
}

#endif
