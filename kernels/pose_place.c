/* SPDX-License-Identifier: BSD-2-Clause */
/* The meaning of where a bone is: see pose_place.h. */
#include "kernels/pose_place.h"

#include "kernels/pose_bone.h"

void
kern_pose_place_position(const struct kern_pose_skeleton *skeleton,
	struct kern_pose_bone *bones, uint32_t bone)
{
	struct kern_pose_bone *b = &bones[bone];
	int32_t parent = skeleton->parent[bone];
	struct kern_vec rest = kern_pose_rest(skeleton, bone);
	if (parent < 0) {
		b->position = kern_vec_add(rest, b->saved_move);
		return;
	}
	const struct kern_pose_bone *p = &bones[parent];
	struct kern_vec offset = kern_pose_bone_offset(
		rest, kern_pose_rest(skeleton, (uint32_t)parent), b->saved_move);
	b->position = kern_pose_bone_position(p->position, p->world, offset);
}

void
kern_pose_place_rotation(const struct kern_pose_skeleton *skeleton,
	struct kern_pose_bone *bones, uint32_t bone)
{
	struct kern_pose_bone *b = &bones[bone];
	int32_t parent = skeleton->parent[bone];
	b->world = parent < 0 ? b->local
			      : kern_pose_bone_world(bones[parent].world, b->local);
}

void
kern_pose_place(const struct kern_pose_skeleton *skeleton, struct kern_pose_bone *bones,
	uint32_t bone)
{
	kern_pose_place_position(skeleton, bones, bone);
	kern_pose_place_rotation(skeleton, bones, bone);
}
