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
pose_lanes_own(const struct pose_lanes *p, uint32_t bone)
{
	size_t stride = p->a->stride;
	return lanes_quat_load(
		p->a->rotate + (size_t)bone * 4 * stride + p->first, stride, p->mask);
}

static inline struct lanes_vec
pose_lanes_own_move(const struct pose_lanes *p, uint32_t bone)
{
	size_t stride = p->a->stride;
	return lanes_vec_load(
		p->a->move + (size_t)bone * 3 * stride + p->first, stride, p->mask);
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
		bone->saved = bone->local = pose_lanes_own(p, i);
		bone->saved_move = pose_lanes_own_move(p, i);
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
	struct lanes_quat own = pose_lanes_own(p, index);
	struct lanes_vec own_move = pose_lanes_own_move(p, index);
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

/* The lanes in which the chain is to be solved. */
static inline lanes_mask
pose_lanes_enabled(const struct pose_lanes *p, int32_t chain)
{
	if (p->a->ik_enabled == NULL || p->count == 0)
		return p->mask;
	return lanes_of_bytes(
		p->a->ik_enabled + (size_t)chain * p->a->stride + p->first, p->count);
}

static inline void
pose_lanes_solve(const struct pose_lanes groups[POSE_LANES_GROUPS], int32_t chain_index)
{
	const struct kern_pose_chain *chain = &groups->skeleton->chains[chain_index];
	lanes_mask masks[POSE_LANES_GROUPS];
	for (int g = 0; g < POSE_LANES_GROUPS; g++)
		masks[g] = pose_lanes_enabled(&groups[g], chain_index);
	ik_lanes_solve(groups, chain, masks);
	for (int g = 0; g < POSE_LANES_GROUPS; g++)
		if (lanes_any(masks[g]))
			pose_lanes_follow_links(&groups[g], chain, masks[g]);
}

static inline void
pose_lanes_store(const struct pose_lanes *p, uint32_t index)
{
	const struct kern_pose *a = p->a;
	const struct pose_lanes_bone *bone = &p->bones[index];
	size_t threes = (size_t)index * 3 * a->stride + p->first;
	size_t fours = (size_t)index * 4 * a->stride + p->first;
	if (a->position != NULL)
		lanes_vec_store(a->position + threes, a->stride, p->mask, bone->position);
	if (a->world_rotate != NULL)
		lanes_quat_store(
			a->world_rotate + fours, a->stride, p->mask, bone->world);
	if (a->local_rotate != NULL)
		lanes_quat_store(a->local_rotate + fours, a->stride, p->mask,
			lanes_quat_short_way(lanes_quat_unit(bone->local)));
}

/* One bone in its turn, but for its chain. */
static inline void
pose_lanes_turn(const struct pose_lanes *p, uint32_t index)
{
	int32_t parent = p->skeleton->parent[index];
	struct pose_lanes_bone *bones = p->bones, *bone = &bones[index];
	pose_lanes_append(p, index);
	bone->local = bone->saved;
	if (lanes_any(bone->solved))
		bone->local = lanes_quat_select(
			bone->solved, lanes_quat_mul(bone->ik, bone->saved), bone->saved);
	bone->early = parent >= 0 && (!bones[parent].placed || bones[parent].early);
	pose_lanes_place(p, index, lanes_first(LANES));
	bone->placed = 1;
}

static inline void
pose_lanes_finish(const struct pose_lanes *p)
{
	const struct kern_pose_skeleton *skeleton = p->skeleton;
	for (uint32_t i = 0; i < skeleton->bone_count; i++)
		if (p->bones[skeleton->hierarchy[i]].early)
			pose_lanes_place(p, skeleton->hierarchy[i], lanes_first(LANES));
	for (uint32_t i = 0; i < skeleton->order_count; i++)
		pose_lanes_store(p, skeleton->order[i]);
}

static inline void
pose_lanes_evaluate(const struct pose_lanes groups[POSE_LANES_GROUPS])
{
	const struct kern_pose_skeleton *skeleton = groups->skeleton;
	for (int g = 0; g < POSE_LANES_GROUPS; g++)
		pose_lanes_begin(&groups[g]);
	for (uint32_t i = 0; i < skeleton->order_count; i++) {
		uint32_t index = skeleton->order[i];
		for (int g = 0; g < POSE_LANES_GROUPS; g++)
			if (groups[g].count > 0)
				pose_lanes_turn(&groups[g], index);
		if (skeleton->chain[index] >= 0)
			pose_lanes_solve(groups, skeleton->chain[index]);
	}
	for (int g = 0; g < POSE_LANES_GROUPS; g++)
		if (groups[g].count > 0)
			pose_lanes_finish(&groups[g]);
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
	struct pose_lanes_bone *bones = (struct pose_lanes_bone *)aligned;
	struct pose_lanes groups[POSE_LANES_GROUPS];
	if (!pose_lanes_has_chains(a->skeleton)) {
		pose_direct_run(a, bones);
		return 0;
	}
	for (size_t first = 0; first < a->frame_count;) {
		for (size_t g = 0; g < POSE_LANES_GROUPS; g++, first += LANES) {
			size_t left = first < a->frame_count ? a->frame_count - first : 0;
			uint32_t count = left < LANES ? (uint32_t)left : LANES;
			groups[g] = (struct pose_lanes){a, a->skeleton,
				bones + g * a->skeleton->bone_count, first, count,
				lanes_first(count)};
			if (first == g * LANES)
				pose_lanes_look_ahead(&groups[g]);
		}
		pose_lanes_evaluate(groups);
	}
	return 0;
}

#endif
