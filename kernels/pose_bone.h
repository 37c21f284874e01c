/* SPDX-License-Identifier: BSD-2-Clause */
/* pose_bone.h - one bone of one frame from what its neighbours are (see pose.h), for plain
 * C and CUDA. */
#ifndef KERN_POSE_BONE_H
#define KERN_POSE_BONE_H

#include "kernels/pose.h"
#include "kernels/quat.h"

/* Its place from its parent's, and its rest from the parent's rest. */
KERN_BOTH struct kern_vec
kern_pose_bone_offset(
	struct kern_vec rest, struct kern_vec parent_rest, struct kern_vec saved_move)
{
	return kern_vec_add(kern_vec_sub(rest, parent_rest), saved_move);
}

KERN_BOTH struct kern_vec
kern_pose_bone_position(
	struct kern_vec parent, struct kern_quat parent_world, struct kern_vec offset)
{
	return kern_vec_add(parent, kern_quat_rotate(parent_world, offset));
}

KERN_BOTH struct kern_quat
kern_pose_bone_world(struct kern_quat parent_world, struct kern_quat local)
{
	return kern_quat_unit(kern_quat_mul(parent_world, local));
}

/* With the append's rotation, taken ratio times. */
KERN_BOTH struct kern_quat
kern_pose_bone_turned(struct kern_quat own, struct kern_quat appended, float ratio)
{
	if (ratio != 1.0f)
		appended = kern_quat_power(appended, ratio);
	return kern_quat_mul(own, appended);
}

KERN_BOTH struct kern_vec
kern_pose_bone_moved(struct kern_vec own, struct kern_vec appended, float ratio)
{
	return kern_vec_add(kern_vec_scale(appended, ratio), own);
}

/* As it goes out. */
KERN_BOTH struct kern_quat
kern_pose_bone_result(struct kern_quat local)
{
	struct kern_quat q = kern_quat_unit(local);
	return q.w < 0.0f ? kern_quat_negate(q) : q;
}

#endif
