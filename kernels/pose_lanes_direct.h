/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pose_lanes_direct.h - pose.c over again for skeletons without IK.
 *
 * Bone after bone, each for a block of frames: the groups of LANES frames in a block do
 * not wait for each other, so one computes while another's root and quotient are under
 * way.  A bone's world is what its children read; it is kept in the planes of results
 * where these are wanted, and elsewhere in the scratch.  Who is read before its turn, and
 * who has to be placed again after the last, is known from the skeleton alone.
 */
#ifndef KERN_POSE_LANES_DIRECT_H
#define KERN_POSE_LANES_DIRECT_H

#include "kernels/pose_lanes_state.h"

#define POSE_DIRECT_BLOCK 64 /* frames */

/* What of a bone others read, if it is not among the results. */
struct pose_direct_bone {
	float world[4 * POSE_DIRECT_BLOCK], position[3 * POSE_DIRECT_BLOCK];
	float local[4 * POSE_DIRECT_BLOCK], saved_move[3 * POSE_DIRECT_BLOCK];
};

/* What the skeleton says of a bone; close together, since it is asked of all. */
struct pose_direct_mark {
	uint8_t kept;	 /* local and saved_move are read again */
	uint8_t awaited; /* read before its turn */
	uint8_t early;	 /* placed before its parent, or below such a bone */
	uint8_t placed;	 /* while the order is looked through */
};

_Static_assert(sizeof(struct pose_direct_bone) + sizeof(struct pose_direct_mark) <=
		       KERN_POSE_LANES_BYTES,
	"kern_pose_scratch() must suffice");

/* Component c of the block's frame f is at [c * stride + f]. */
struct pose_direct_planes {
	float *at;
	size_t stride;
};

/* One block of frames. */
struct pose_direct {
	const struct kern_pose *a;
	const struct kern_pose_skeleton *skeleton;
	struct pose_direct_bone *bones;
	struct pose_direct_mark *marks;
	size_t first;
	int any_awaited, any_early;
};

/* Where a bone's planes lie; `kept` where the results are not wanted. */
static inline struct pose_direct_planes
pose_direct_result(const struct pose_direct *d, float *results, size_t components,
	uint32_t bone, float *kept)
{
	size_t stride = d->a->stride;
	if (results == NULL)
		return (struct pose_direct_planes){kept, POSE_DIRECT_BLOCK};
	return (struct pose_direct_planes){
		results + bone * components * stride + d->first, stride};
}

static inline struct pose_direct_planes
pose_direct_world(const struct pose_direct *d, uint32_t bone)
{
	return pose_direct_result(d, d->a->world_rotate, 4, bone, d->bones[bone].world);
}

static inline struct pose_direct_planes
pose_direct_position(const struct pose_direct *d, uint32_t bone)
{
	return pose_direct_result(d, d->a->position, 3, bone, d->bones[bone].position);
}

/* A bone with whatever is the same in all frames. */
struct pose_direct_turn {
	const float *own, *own_move;
	size_t stride; /* of these */
	struct pose_direct_planes world, position;
	/* NULL: no parent. */
	struct pose_direct_planes parent_world, parent_position;
	struct kern_vec offset;
	uint32_t flags;
	float ratio;
	uint32_t source;
	struct kern_vec source_rest;
	struct pose_direct_bone *bone;
	int kept;
	float *local; /* the result; NULL: not wanted */
};

static inline struct pose_direct_turn
pose_direct_begin(const struct pose_direct *d, uint32_t index)
{
	const struct kern_pose_skeleton *skeleton = d->skeleton;
	size_t stride = d->a->stride;
	int32_t parent = skeleton->parent[index];
	struct kern_vec rest = kern_pose_rest(skeleton, index);
	struct pose_direct_turn t = {
		.own = d->a->rotate + (size_t)index * 4 * stride + d->first,
		.own_move = d->a->move + (size_t)index * 3 * stride + d->first,
		.stride = stride,
		.world = pose_direct_world(d, index),
		.position = pose_direct_position(d, index),
		.offset = rest,
		.flags = skeleton->flags[index],
		.bone = &d->bones[index],
		.kept = d->marks[index].kept,
	};
	if (parent >= 0) {
		t.parent_world = pose_direct_world(d, (uint32_t)parent);
		t.parent_position = pose_direct_position(d, (uint32_t)parent);
		t.offset = kern_vec_sub(rest, kern_pose_rest(skeleton, (uint32_t)parent));
	}
	if (t.flags & (KERN_POSE_APPEND_ROTATE | KERN_POSE_APPEND_MOVE)) {
		t.source = skeleton->source[index];
		t.ratio = skeleton->ratio[index];
		t.source_rest = kern_pose_rest(skeleton, t.source);
	}
	if (d->a->local_rotate != NULL)
		t.local = d->a->local_rotate + (size_t)index * 4 * stride + d->first;
	return t;
}

static inline struct lanes_quat
pose_direct_append_rotate(const struct pose_direct *d, const struct pose_direct_turn *t,
	struct lanes_quat own, uint32_t f, lanes_mask mask)
{
	struct pose_direct_planes from = {d->bones[t->source].local, POSE_DIRECT_BLOCK};
	if (t->flags & KERN_POSE_APPEND_LOCAL)
		from = pose_direct_world(d, t->source);
	struct lanes_quat q = lanes_quat_load(from.at + f, from.stride, mask);
	if (t->ratio != 1.0f)
		q = lanes_quat_power(q, t->ratio);
	return lanes_quat_mul(own, q);
}

static inline struct lanes_vec
pose_direct_append_move(const struct pose_direct *d, const struct pose_direct_turn *t,
	struct lanes_vec own, uint32_t f, lanes_mask mask)
{
	struct lanes_vec move;
	if (t->flags & KERN_POSE_APPEND_LOCAL) {
		struct pose_direct_planes from = pose_direct_position(d, t->source);
		move = lanes_vec_sub(lanes_vec_load(from.at + f, from.stride, mask),
			lanes_vec_all(t->source_rest));
	} else {
		move = lanes_vec_load(
			d->bones[t->source].saved_move + f, POSE_DIRECT_BLOCK, mask);
	}
	return lanes_vec_add(lanes_vec_scale(move, lanes_all(t->ratio)), own);
}

/* Where the bone stands and how it is turned there. */
static inline __attribute__((always_inline)) void
pose_direct_place(const struct pose_direct_turn *t, uint32_t f, lanes_mask mask,
	struct lanes_quat local, struct lanes_vec move)
{
	struct lanes_quat world = local;
	struct lanes_vec at = lanes_vec_add(lanes_vec_all(t->offset), move);
	if (t->parent_world.at != NULL) {
		struct lanes_quat turned = lanes_quat_load(
			t->parent_world.at + f, t->parent_world.stride, mask);
		struct lanes_vec from = lanes_vec_load(
			t->parent_position.at + f, t->parent_position.stride, mask);
		world = lanes_quat_unit(lanes_quat_mul(turned, local));
		at = lanes_vec_add(from, lanes_quat_rotate(turned, at));
	}
	lanes_quat_store(t->world.at + f, t->world.stride, mask, world);
	lanes_vec_store(t->position.at + f, t->position.stride, mask, at);
}

/* The bone in its turn, in frames f .. f + LANES - 1 of the block as far as the mask goes. */
static inline __attribute__((always_inline)) void
pose_direct_evaluate(const struct pose_direct *d, const struct pose_direct_turn *t,
	uint32_t f, lanes_mask mask)
{
	struct lanes_quat local = lanes_quat_load(t->own + f, t->stride, mask);
	struct lanes_vec move = lanes_vec_load(t->own_move + f, t->stride, mask);
	if (t->flags & KERN_POSE_APPEND_ROTATE)
		local = pose_direct_append_rotate(d, t, local, f, mask);
	if (t->flags & KERN_POSE_APPEND_MOVE)
		move = pose_direct_append_move(d, t, move, f, mask);
	if (t->kept) {
		lanes_quat_store(t->bone->local + f, POSE_DIRECT_BLOCK, mask, local);
		lanes_vec_store(t->bone->saved_move + f, POSE_DIRECT_BLOCK, mask, move);
	}
	pose_direct_place(t, f, mask, local, move);
	if (t->local != NULL)
		lanes_quat_store(t->local + f, t->stride, mask,
			lanes_quat_short_way(lanes_quat_unit(local)));
}

/* An early bone once more, after the last. */
static inline void
pose_direct_place_again(const struct pose_direct_turn *t, uint32_t f, lanes_mask mask)
{
	pose_direct_place(t, f, mask,
		lanes_quat_load(t->bone->local + f, POSE_DIRECT_BLOCK, mask),
		lanes_vec_load(t->bone->saved_move + f, POSE_DIRECT_BLOCK, mask));
}

/* What is read of a bone before its turn: itself at rest, but with its own rotation and
 * move. */
static inline void
pose_direct_await(
	const struct pose_direct *d, uint32_t index, uint32_t f, lanes_mask mask)
{
	struct pose_direct_turn t = pose_direct_begin(d, index);
	lanes_quat_store(
		t.world.at + f, t.world.stride, mask, lanes_quat_all(KERN_QUAT_IDENTITY));
	lanes_vec_store(t.position.at + f, t.position.stride, mask,
		lanes_vec_all(kern_pose_rest(d->skeleton, index)));
	lanes_quat_store(t.bone->local + f, POSE_DIRECT_BLOCK, mask,
		lanes_quat_load(t.own + f, t.stride, mask));
	lanes_vec_store(t.bone->saved_move + f, POSE_DIRECT_BLOCK, mask,
		lanes_vec_load(t.own_move + f, t.stride, mask));
}

/* Those that are read before their turn. */
static inline void
pose_direct_await_all(const struct pose_direct *d, uint32_t count)
{
	for (uint32_t i = 0; d->any_awaited && i < d->skeleton->bone_count; i++)
		for (uint32_t f = 0; d->marks[i].awaited && f < count; f += LANES)
			pose_direct_await(d, i, f, lanes_first(count - f));
}

/* Parents first. */
static inline void
pose_direct_place_early(const struct pose_direct *d, uint32_t count)
{
	for (uint32_t i = 0; d->any_early && i < d->skeleton->bone_count; i++) {
		uint32_t index = d->skeleton->hierarchy[i];
		if (!d->marks[index].early)
			continue;
		struct pose_direct_turn t = pose_direct_begin(d, index);
		for (uint32_t f = 0; f < count; f += LANES)
			pose_direct_place_again(&t, f, lanes_first(count - f));
	}
}

static inline void
pose_direct_block(const struct pose_direct *d, uint32_t count)
{
	pose_direct_await_all(d, count);
	for (uint32_t i = 0; i < d->skeleton->order_count; i++) {
		struct pose_direct_turn t = pose_direct_begin(d, d->skeleton->order[i]);
		uint32_t f = 0;
		/* A mask known here and now costs nothing. */
		for (; f + LANES <= count; f += LANES)
			pose_direct_evaluate(d, &t, f, lanes_first(LANES));
		if (f < count)
			pose_direct_evaluate(d, &t, f, lanes_first(count - f));
	}
	pose_direct_place_early(d, count);
}

/* Walks the order once to find who is read again, before its turn, or placed again. */
static inline void
pose_direct_look_ahead(struct pose_direct *d)
{
	const struct kern_pose_skeleton *skeleton = d->skeleton;
	struct pose_direct_mark *marks = d->marks;
	memset(marks, 0, skeleton->bone_count * sizeof *marks);
	for (uint32_t i = 0; i < skeleton->order_count; i++) {
		uint32_t index = skeleton->order[i];
		struct pose_direct_mark *mark = &marks[index];
		if (skeleton->flags[index] != 0) {
			struct pose_direct_mark *source = &marks[skeleton->source[index]];
			source->kept = 1;
			source->awaited |= !source->placed;
			d->any_awaited |= !source->placed;
		}
		if (skeleton->parent[index] >= 0) {
			struct pose_direct_mark *parent = &marks[skeleton->parent[index]];
			parent->awaited |= !parent->placed;
			d->any_awaited |= !parent->placed;
			mark->early = !parent->placed || parent->early;
			mark->kept |= mark->early;
			d->any_early |= mark->early;
		}
		mark->placed = 1;
	}
}

static inline void
pose_direct_run(const struct kern_pose *a, void *scratch)
{
	struct pose_direct d = {.a = a, .skeleton = a->skeleton, .bones = scratch};
	d.marks = (struct pose_direct_mark *)(d.bones + a->skeleton->bone_count);
	pose_direct_look_ahead(&d);
	for (; d.first < a->frame_count; d.first += POSE_DIRECT_BLOCK) {
		size_t left = a->frame_count - d.first;
		pose_direct_block(&d,
			left < POSE_DIRECT_BLOCK ? (uint32_t)left : POSE_DIRECT_BLOCK);
	}
}

#endif
