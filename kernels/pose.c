/* SPDX-License-Identifier: BSD-2-Clause */
/* The meaning of an MMD pose: see pose.h.  One frame after the other, one bone after the
 * other, as the specification tells it. */
#include "kernels/pose.h"

#include "kernels/caps.h"
#include "kernels/ik.h"
#include "kernels/pose_bone.h"
#include "kernels/pose_place.h"

static void
begin_frame(const struct kern_pose *a, struct kern_pose_bone *bones, uint32_t frame)
{
	size_t stride = a->stride;
	for (uint32_t i = 0; i < a->skeleton->bone_count; i++) {
		const float *r = a->rotate + (size_t)i * 4 * stride + frame;
		const float *m = a->move + (size_t)i * 3 * stride + frame;
		struct kern_pose_bone *bone = &bones[i];
		bone->own =
			(struct kern_quat){r[0], r[stride], r[2 * stride], r[3 * stride]};
		bone->own_move = (struct kern_vec){m[0], m[stride], m[2 * stride]};
		bone->saved = bone->own;
		bone->saved_move = bone->own_move;
		bone->ik = KERN_QUAT_IDENTITY;
		bone->local = bone->own;
		bone->world = KERN_QUAT_IDENTITY;
		bone->position = kern_pose_rest(a->skeleton, i);
		bone->placed = 0;
		bone->early = 0;
		bone->solved = 0;
		bone->moved = 0;
	}
}

static void
append(const struct kern_pose_skeleton *skeleton, struct kern_pose_bone *bones,
	uint32_t index)
{
	uint32_t flags = skeleton->flags[index];
	struct kern_pose_bone *bone = &bones[index];
	if ((flags & (KERN_POSE_APPEND_ROTATE | KERN_POSE_APPEND_MOVE)) == 0)
		return;
	uint32_t source_index = skeleton->source[index];
	const struct kern_pose_bone *source = &bones[source_index];
	float ratio = skeleton->ratio[index];

	if (flags & KERN_POSE_APPEND_ROTATE) {
		/* local begins as the source's own rotation. */
		struct kern_quat q =
			flags & KERN_POSE_APPEND_LOCAL ? source->world : source->local;
		bone->saved = kern_pose_bone_turned(bone->own, q, ratio);
	}
	if (flags & KERN_POSE_APPEND_MOVE) {
		struct kern_vec move =
			flags & KERN_POSE_APPEND_LOCAL
				? kern_vec_sub(source->position,
					  kern_pose_rest(skeleton, source_index))
				: source->saved_move;
		bone->saved_move = kern_pose_bone_moved(bone->own_move, move, ratio);
	}
}

/* Everything that was placed before and hangs below a link follows it. */
static void
follow_links(const struct kern_pose_skeleton *skeleton,
	const struct kern_pose_chain *chain, struct kern_pose_bone *bones)
{
	const struct kern_pose_link *links = skeleton->links + chain->first_link;
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
			kern_pose_place(skeleton, bones, index);
		bones[index].moved = 1;
	}
}

static void
evaluate_frame(const struct kern_pose *a, struct kern_pose_bone *bones, uint32_t frame)
{
	const struct kern_pose_skeleton *skeleton = a->skeleton;
	for (uint32_t i = 0; i < skeleton->order_count; i++) {
		uint32_t index = skeleton->order[i];
		int32_t parent = skeleton->parent[index];
		struct kern_pose_bone *bone = &bones[index];
		append(skeleton, bones, index);
		bone->local =
			bone->solved ? kern_quat_mul(bone->ik, bone->saved) : bone->saved;
		bone->early =
			parent >= 0 && (!bones[parent].placed || bones[parent].early);
		kern_pose_place(skeleton, bones, index);
		bone->placed = 1;

		int32_t chain = skeleton->chain[index];
		if (chain < 0)
			continue;
		if (a->ik_enabled != NULL &&
			!a->ik_enabled[(size_t)chain * a->stride + frame])
			continue;
		kern_ik_solve(skeleton, &skeleton->chains[chain], bones);
		follow_links(skeleton, &skeleton->chains[chain], bones);
	}
	for (uint32_t i = 0; i < skeleton->bone_count; i++)
		if (bones[skeleton->hierarchy[i]].early)
			kern_pose_place(skeleton, bones, skeleton->hierarchy[i]);
}

static void
store_quat(
	float *planes, size_t stride, uint32_t bone, uint32_t frame, struct kern_quat q)
{
	float *to = planes + (size_t)bone * 4 * stride + frame;
	to[0] = q.x;
	to[stride] = q.y;
	to[2 * stride] = q.z;
	to[3 * stride] = q.w;
}

static void
store_frame(const struct kern_pose *a, const struct kern_pose_bone *bones, uint32_t frame)
{
	for (uint32_t i = 0; i < a->skeleton->order_count; i++) {
		uint32_t index = a->skeleton->order[i];
		const struct kern_pose_bone *bone = &bones[index];
		if (a->position != NULL) {
			float *to = a->position + (size_t)index * 3 * a->stride + frame;
			to[0] = bone->position.x;
			to[a->stride] = bone->position.y;
			to[2 * a->stride] = bone->position.z;
		}
		if (a->world_rotate != NULL)
			store_quat(a->world_rotate, a->stride, index, frame, bone->world);
		if (a->local_rotate != NULL) {
			store_quat(a->local_rotate, a->stride, index, frame,
				kern_pose_bone_result(bone->local));
		}
	}
}

int
kern_pose_c(const struct kern_pose *a, void *queue)
{
	struct kern_pose_bone *bones = a->scratch;
	(void)queue;
	for (uint32_t frame = 0; frame < a->frame_count; frame++) {
		begin_frame(a, bones, frame);
		evaluate_frame(a, bones, frame);
		store_frame(a, bones, frame);
	}
	return 0;
}

kern_pose_fn *
kern_pose_pick(unsigned caps)
{
#if defined(__x86_64__)
	if (caps & KERN_CAP_AVX512)
		return kern_pose_avx512;
	if (caps & KERN_CAP_AVX2)
		return kern_pose_avx2;
#endif
	(void)caps;
	return kern_pose_c;
}

/* Lanes want to be aligned. */
size_t
kern_pose_scratch(const struct kern_pose *a)
{
	_Static_assert(sizeof(struct kern_pose_bone) <= KERN_POSE_LANES_BYTES,
		"a bone in lanes takes more");
	return (size_t)a->skeleton->bone_count * KERN_POSE_LANES_BYTES + 64;
}
