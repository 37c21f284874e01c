/* SPDX-License-Identifier: BSD-2-Clause */
/* pose_lanes_state.h - pose_state.h over again, for LANES frames: shared by pose_lanes.h and
 * ik_lanes.h. */
#ifndef KERN_POSE_LANES_STATE_H
#define KERN_POSE_LANES_STATE_H

#include "kernels/lanes_quat.h"
#include "kernels/pose_state.h"

/* As struct kern_pose_bone. */
struct pose_lanes_bone {
	struct lanes_quat saved, ik, local, world;
	struct lanes_vec saved_move, position;
	lanes_mask solved;
	uint32_t placed, early, moved;
	uint32_t awaited; /* read before its turn */
};

/* As many groups of frames are evaluated side by side: four of sixteen are as many frames
 * as vmd-fk takes at a time. */
#define POSE_LANES_GROUPS 4

_Static_assert(
	POSE_LANES_GROUPS * sizeof(struct pose_lanes_bone) <= KERN_POSE_LANES_BYTES,
	"kern_pose_scratch() must suffice");

/* One group of frames. */
struct pose_lanes {
	const struct kern_pose *a;
	const struct kern_pose_skeleton *skeleton;
	struct pose_lanes_bone *bones;
	size_t first;	 /* frame of the first lane */
	uint32_t count;	 /* of lanes that hold a frame; maybe none */
	lanes_mask mask; /* of these */
};

/* Places bones anew in the lanes of the mask: see kern_pose_place(). */
static inline void
pose_lanes_place_position(const struct pose_lanes *p, uint32_t bone, lanes_mask mask)
{
	struct pose_lanes_bone *b = &p->bones[bone];
	int32_t parent_index = p->skeleton->parent[bone];
	struct kern_vec rest = kern_pose_rest(p->skeleton, bone);
	struct lanes_vec at;
	if (parent_index < 0) {
		at = lanes_vec_add(lanes_vec_all(rest), b->saved_move);
	} else {
		const struct pose_lanes_bone *parent = &p->bones[parent_index];
		struct kern_vec from =
			kern_pose_rest(p->skeleton, (uint32_t)parent_index);
		struct lanes_vec offset = lanes_vec_add(
			lanes_vec_all(kern_vec_sub(rest, from)), b->saved_move);
		at = lanes_vec_add(
			parent->position, lanes_quat_rotate(parent->world, offset));
	}
	b->position = lanes_vec_select(mask, at, b->position);
}

static inline void
pose_lanes_place_rotation(const struct pose_lanes *p, uint32_t bone, lanes_mask mask)
{
	struct pose_lanes_bone *b = &p->bones[bone];
	int32_t parent = p->skeleton->parent[bone];
	struct lanes_quat world = parent < 0 ? b->local
					     : lanes_quat_unit(lanes_quat_mul(
						       p->bones[parent].world, b->local));
	b->world = lanes_quat_select(mask, world, b->world);
}

static inline void
pose_lanes_place(const struct pose_lanes *p, uint32_t bone, lanes_mask mask)
{
	pose_lanes_place_position(p, bone, mask);
	pose_lanes_place_rotation(p, bone, mask);
}

#endif
