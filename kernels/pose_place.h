/* SPDX-License-Identifier: BSD-2-Clause */
/* pose_place.h - one bone placed in one frame, for pose.c in its turn and for ik.c again. */
#ifndef KERN_POSE_PLACE_H
#define KERN_POSE_PLACE_H

#include "kernels/pose_state.h"

/* Where a bone stands, from its parent's world and its move; how it is turned there,
 * from its parent's and its own local rotation; both. */
void kern_pose_place_position(const struct kern_pose_skeleton *skeleton,
	struct kern_pose_bone *bones, uint32_t bone);
void kern_pose_place_rotation(const struct kern_pose_skeleton *skeleton,
	struct kern_pose_bone *bones, uint32_t bone);
void kern_pose_place(const struct kern_pose_skeleton *skeleton,
	struct kern_pose_bone *bones, uint32_t bone);

#endif
