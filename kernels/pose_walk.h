/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pose_walk.h - the pose of one frame by a plan, with all state in planes: what one thread
 * of a GPU does, and what a test does on the CPU by the very same lines.
 *
 * Neighbouring threads have neighbouring frames and take the same way through the plan,
 * so that they touch neighbouring floats: [plane * stride + frame].  The planes of
 * results are the state as well: a bone's position and world rotation are read from where
 * they were written, its local rotation too, as long as somebody may ask for it raw.
 * All are needed, then; planes of bones outside the order hold nothing of use afterwards.
 *
 * Grade: EXACT as pose.h has it; the arithmetic is that of pose_bone.h and ik_turn.h.
 */
#ifndef KERN_POSE_WALK_H
#define KERN_POSE_WALK_H

#include "kernels/ik_turn.h"
#include "kernels/pose_bone.h"
#include "kernels/pose_plan.h"

struct kern_pose_walk {
	const struct kern_pose_plan *plan;
	uint32_t frame_count;
	size_t stride;		    /* >= frame_count */
	const float *rotate, *move; /* each bone's own, as in pose.h */
	const uint8_t *ik_enabled;  /* a plane a chain; NULL: all enabled */
	float *position;	    /* 3 planes a bone */
	float *world_rotate;	    /* 4 planes a bone */
	float *local_rotate;	    /* likewise */
	float *scratch;		    /* plan->scratch_planes */
};

/* Walks all frames.  0 or -errno; queue as with any kernel, see caps.h. */
typedef int kern_pose_walk_fn(const struct kern_pose_walk *a, void *queue);
kern_pose_walk_fn kern_pose_walk_cuda;

/* One frame on its way. */
struct kern_pose_walker {
	struct kern_pose_walk a;
	uint32_t frame;
	const struct kern_pose_plan_bone *bones;
	/* The bone placed last, which is often the next one's parent. */
	int32_t last;
	struct kern_vec last_position;
	struct kern_quat last_world;
};

KERN_BOTH struct kern_vec
kern_pose_walk_load_vec(
	const struct kern_pose_walker *w, const float *planes, size_t first)
{
	const float *from = planes + first * w->a.stride + w->frame;
	return (struct kern_vec){from[0], from[w->a.stride], from[2 * w->a.stride]};
}

KERN_BOTH struct kern_quat
kern_pose_walk_load_quat(
	const struct kern_pose_walker *w, const float *planes, size_t first)
{
	const float *from = planes + first * w->a.stride + w->frame;
	return (struct kern_quat){
		from[0], from[w->a.stride], from[2 * w->a.stride], from[3 * w->a.stride]};
}

KERN_BOTH void
kern_pose_walk_store_vec(
	const struct kern_pose_walker *w, float *planes, size_t first, struct kern_vec v)
{
	float *to = planes + first * w->a.stride + w->frame;
	to[0] = v.x;
	to[w->a.stride] = v.y;
	to[2 * w->a.stride] = v.z;
}

KERN_BOTH void
kern_pose_walk_store_quat(
	const struct kern_pose_walker *w, float *planes, size_t first, struct kern_quat q)
{
	float *to = planes + first * w->a.stride + w->frame;
	to[0] = q.x;
	to[w->a.stride] = q.y;
	to[2 * w->a.stride] = q.z;
	to[3 * w->a.stride] = q.w;
}

KERN_BOTH struct kern_vec
kern_pose_walk_position(const struct kern_pose_walker *w, uint32_t bone)
{
	return kern_pose_walk_load_vec(w, w->a.position, (size_t)bone * 3);
}

KERN_BOTH struct kern_quat
kern_pose_walk_world(const struct kern_pose_walker *w, uint32_t bone)
{
	return kern_pose_walk_load_quat(w, w->a.world_rotate, (size_t)bone * 4);
}

KERN_BOTH struct kern_quat
kern_pose_walk_local(const struct kern_pose_walker *w, uint32_t bone)
{
	return kern_pose_walk_load_quat(w, w->a.local_rotate, (size_t)bone * 4);
}

KERN_BOTH struct kern_quat
kern_pose_walk_saved(const struct kern_pose_walker *w, uint32_t bone)
{
	uint32_t plane = w->bones[bone].saved;
	return plane == KERN_POSE_PLAN_NONE
		       ? kern_pose_walk_load_quat(w, w->a.rotate, (size_t)bone * 4)
		       : kern_pose_walk_load_quat(w, w->a.scratch, plane);
}

KERN_BOTH struct kern_vec
kern_pose_walk_saved_move(const struct kern_pose_walker *w, uint32_t bone)
{
	uint32_t plane = w->bones[bone].saved;
	return plane == KERN_POSE_PLAN_NONE
		       ? kern_pose_walk_load_vec(w, w->a.move, (size_t)bone * 3)
		       : kern_pose_walk_load_vec(w, w->a.scratch, (size_t)plane + 4);
}

KERN_BOTH struct kern_vec
kern_pose_walk_vec(const float v[3])
{
	return (struct kern_vec){v[0], v[1], v[2]};
}

/* Whatever is read before its turn is as pose.h has every bone begin. */
KERN_BOTH void
kern_pose_walk_begin(const struct kern_pose_walker *w)
{
	const struct kern_pose_plan *plan = w->a.plan;
	const uint32_t *await = (const uint32_t *)kern_pose_plan_at(plan, plan->await);
	const struct kern_pose_plan_link *links =
		(const struct kern_pose_plan_link *)kern_pose_plan_at(plan, plan->links);
	for (uint32_t i = 0; i < plan->await.count; i++) {
		uint32_t index = await[i];
		const struct kern_pose_plan_bone *bone = &w->bones[index];
		struct kern_quat own =
			kern_pose_walk_load_quat(w, w->a.rotate, (size_t)index * 4);
		kern_pose_walk_store_quat(w, w->a.local_rotate, (size_t)index * 4, own);
		kern_pose_walk_store_quat(
			w, w->a.world_rotate, (size_t)index * 4, KERN_QUAT_IDENTITY);
		kern_pose_walk_store_vec(w, w->a.position, (size_t)index * 3,
			kern_pose_walk_vec(bone->rest));
		if (bone->saved == KERN_POSE_PLAN_NONE)
			continue;
		kern_pose_walk_store_quat(w, w->a.scratch, bone->saved, own);
		kern_pose_walk_store_vec(w, w->a.scratch, (size_t)bone->saved + 4,
			kern_pose_walk_load_vec(w, w->a.move, (size_t)index * 3));
	}
	for (uint32_t i = 0; i < plan->links.count; i++) {
		size_t plane = w->bones[links[i].link.bone].ik;
		w->a.scratch[(plane + 4) * w->a.stride + w->frame] = 0.0f;
	}
}

/* As kern_pose_place_position() and kern_pose_place_rotation(), from what is in planes. */
KERN_BOTH void
kern_pose_walk_place_position(const struct kern_pose_walker *w, uint32_t index)
{
	const struct kern_pose_plan_bone *bone = &w->bones[index];
	struct kern_vec move = kern_pose_walk_saved_move(w, index), position;
	if (bone->parent < 0)
		position = kern_vec_add(kern_pose_walk_vec(bone->rest), move);
	else
		position = kern_pose_bone_position(
			kern_pose_walk_position(w, (uint32_t)bone->parent),
			kern_pose_walk_world(w, (uint32_t)bone->parent),
			kern_vec_add(kern_pose_walk_vec(bone->away), move));
	kern_pose_walk_store_vec(w, w->a.position, (size_t)index * 3, position);
}

KERN_BOTH void
kern_pose_walk_place_rotation(const struct kern_pose_walker *w, uint32_t index)
{
	int32_t parent = w->bones[index].parent;
	struct kern_quat world = kern_pose_walk_local(w, index);
	if (parent >= 0)
		world = kern_pose_bone_world(
			kern_pose_walk_world(w, (uint32_t)parent), world);
	kern_pose_walk_store_quat(w, w->a.world_rotate, (size_t)index * 4, world);
}

KERN_BOTH void
kern_pose_walk_place(const struct kern_pose_walker *w, uint32_t index)
{
	kern_pose_walk_place_position(w, index);
	kern_pose_walk_place_rotation(w, index);
}

/* What the bone has of its own, and of its append source. */
KERN_BOTH void
kern_pose_walk_append(const struct kern_pose_walker *w, uint32_t index,
	struct kern_quat *saved, struct kern_vec *saved_move)
{
	const struct kern_pose_plan_bone *bone = &w->bones[index];
	int local = (bone->flags & KERN_POSE_APPEND_LOCAL) != 0;
	if (bone->flags & KERN_POSE_APPEND_ROTATE)
		*saved = kern_pose_bone_turned(*saved,
			local ? kern_pose_walk_world(w, bone->source)
			      : kern_pose_walk_local(w, bone->source),
			bone->ratio);
	if (bone->flags & KERN_POSE_APPEND_MOVE)
		*saved_move = kern_pose_bone_moved(*saved_move,
			local ? kern_vec_sub(kern_pose_walk_position(w, bone->source),
					kern_pose_walk_vec(w->bones[bone->source].rest))
			      : kern_pose_walk_saved_move(w, bone->source),
			bone->ratio);
	kern_pose_walk_store_quat(w, w->a.scratch, bone->saved, *saved);
	kern_pose_walk_store_vec(w, w->a.scratch, (size_t)bone->saved + 4, *saved_move);
}

/* A bone in its turn. */
KERN_BOTH void
kern_pose_walk_turn(struct kern_pose_walker *w, uint32_t index)
{
	const struct kern_pose_plan_bone *bone = &w->bones[index];
	struct kern_quat saved =
		kern_pose_walk_load_quat(w, w->a.rotate, (size_t)index * 4);
	struct kern_vec move = kern_pose_walk_load_vec(w, w->a.move, (size_t)index * 3);
	if (bone->saved != KERN_POSE_PLAN_NONE)
		kern_pose_walk_append(w, index, &saved, &move);
	struct kern_quat local = saved;
	if (bone->ik != KERN_POSE_PLAN_NONE &&
		w->a.scratch[((size_t)bone->ik + 4) * w->a.stride + w->frame] != 0.0f)
		local = kern_quat_mul(
			kern_pose_walk_load_quat(w, w->a.scratch, bone->ik), saved);

	struct kern_quat world = local;
	struct kern_vec position;
	if (bone->parent < 0) {
		position = kern_vec_add(kern_pose_walk_vec(bone->rest), move);
	} else {
		if (bone->parent != w->last) {
			w->last_position =
				kern_pose_walk_position(w, (uint32_t)bone->parent);
			w->last_world = kern_pose_walk_world(w, (uint32_t)bone->parent);
		}
		position = kern_pose_bone_position(w->last_position, w->last_world,
			kern_vec_add(kern_pose_walk_vec(bone->away), move));
		world = kern_pose_bone_world(w->last_world, local);
	}
	w->last = (int32_t)index;
	w->last_position = position;
	w->last_world = world;
	kern_pose_walk_store_vec(w, w->a.position, (size_t)index * 3, position);
	kern_pose_walk_store_quat(w, w->a.world_rotate, (size_t)index * 4, world);
	kern_pose_walk_store_quat(w, w->a.local_rotate, (size_t)index * 4,
		bone->marks & KERN_POSE_PLAN_RAW ? local : kern_pose_bone_result(local));
}

/* Link number `place` is turned once: see ik.c's turn_link() and follow_turn(). */
KERN_BOTH void
kern_pose_walk_turn_link(const struct kern_pose_walker *w,
	const struct kern_pose_plan_chain *chain, const struct kern_pose_plan_link *links,
	uint32_t place, int first_half)
{
	uint32_t index = links[place].link.bone;
	const struct kern_pose_plan_bone *bone = &w->bones[index];
	struct kern_quat ik = kern_pose_walk_load_quat(w, w->a.scratch, bone->ik), local;
	struct kern_ik_turn step;
	step.link = kern_pose_walk_position(w, index);
	step.target = kern_pose_walk_position(w, chain->target);
	step.goal = kern_pose_walk_position(w, chain->bone);
	step.parent = KERN_QUAT_IDENTITY;
	if (bone->parent >= 0)
		step.parent = kern_pose_walk_world(w, (uint32_t)bone->parent);
	step.saved = kern_pose_walk_saved(w, index);
	step.most = links[place].most;
	step.first_half = first_half;
	if (!kern_ik_turn(&links[place].link, &step, &ik, &local))
		return;
	kern_pose_walk_store_quat(w, w->a.scratch, bone->ik, ik);
	kern_pose_walk_store_quat(w, w->a.local_rotate, (size_t)index * 4, local);
	kern_pose_walk_place_rotation(w, index);
	for (uint32_t i = place; i-- > 0;)
		kern_pose_walk_place(w, links[i].link.bone);
	kern_pose_walk_place_position(w, chain->target);
}

/* As kern_ik_solve(). */
KERN_BOTH void
kern_pose_walk_solve(
	const struct kern_pose_walker *w, const struct kern_pose_plan_chain *chain)
{
	const struct kern_pose_plan *plan = w->a.plan;
	const struct kern_pose_plan_link *links =
		(const struct kern_pose_plan_link *)kern_pose_plan_at(plan, plan->links) +
		chain->first_link;
	for (uint32_t i = 0; i < chain->link_count; i++) {
		uint32_t index = links[i].link.bone;
		size_t plane = w->bones[index].ik;
		kern_pose_walk_store_quat(w, w->a.scratch, plane, KERN_QUAT_IDENTITY);
		w->a.scratch[(plane + 4) * w->a.stride + w->frame] = 1.0f;
		kern_pose_walk_store_quat(w, w->a.local_rotate, (size_t)index * 4,
			kern_pose_walk_saved(w, index));
	}
	for (uint32_t i = chain->link_count; i-- > 0;)
		kern_pose_walk_place(w, links[i].link.bone);
	kern_pose_walk_place_position(w, chain->target);
	for (uint32_t loop = 0; loop < chain->loops; loop++) {
		if (kern_ik_turn_is_near(kern_pose_walk_position(w, chain->target),
			    kern_pose_walk_position(w, chain->bone)))
			break;
		for (uint32_t i = 0; i < chain->link_count; i++)
			kern_pose_walk_turn_link(
				w, chain, links, i, loop < chain->loops / 2);
	}
	kern_pose_walk_place_rotation(w, chain->target);
}

KERN_BOTH void
kern_pose_walk_chain(struct kern_pose_walker *w, const struct kern_pose_plan_bone *solver)
{
	const struct kern_pose_plan *plan = w->a.plan;
	const struct kern_pose_plan_chain *chain =
		(const struct kern_pose_plan_chain *)kern_pose_plan_at(
			plan, plan->chains) +
		solver->chain;
	const uint32_t *follow = (const uint32_t *)kern_pose_plan_at(plan, plan->follow) +
				 solver->first_follow;
	if (chain->link_count == 0 ||
		(w->a.ik_enabled != NULL &&
			!w->a.ik_enabled[(size_t)solver->chain * w->a.stride + w->frame]))
		return;
	kern_pose_walk_solve(w, chain);
	for (uint32_t i = 0; i < solver->follow_count; i++)
		kern_pose_walk_place(w, follow[i]);
	w->last = -1;
}

/* The whole frame. */
KERN_BOTH void
kern_pose_walk_frame(const struct kern_pose_walk *a, uint32_t frame)
{
	const struct kern_pose_plan *plan = a->plan;
	const uint32_t *order = (const uint32_t *)kern_pose_plan_at(plan, plan->order);
	const uint32_t *early = (const uint32_t *)kern_pose_plan_at(plan, plan->early);
	struct kern_pose_walker w;
	w.a = *a;
	w.frame = frame;
	w.bones =
		(const struct kern_pose_plan_bone *)kern_pose_plan_at(plan, plan->bones);
	w.last = -1;
	kern_pose_walk_begin(&w);
	for (uint32_t i = 0; i < plan->order.count; i++) {
		kern_pose_walk_turn(&w, order[i]);
		if (w.bones[order[i]].chain >= 0)
			kern_pose_walk_chain(&w, &w.bones[order[i]]);
	}
	for (uint32_t i = 0; i < plan->early.count; i++)
		kern_pose_walk_place(&w, early[i]);
	for (uint32_t i = 0; i < plan->order.count; i++)
		if (w.bones[order[i]].marks & KERN_POSE_PLAN_RAW)
			kern_pose_walk_store_quat(&w, a->local_rotate,
				(size_t)order[i] * 4,
				kern_pose_bone_result(
					kern_pose_walk_local(&w, order[i])));
}

#endif
