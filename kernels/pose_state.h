/* SPDX-License-Identifier: BSD-2-Clause */
/* pose_state.h - one frame's state, shared by pose.c and ik.c and by nobody else. */
#ifndef KERN_POSE_STATE_H
#define KERN_POSE_STATE_H

#include "kernels/pose.h"
#include "kernels/quat.h"

struct kern_pose_bone {
	struct kern_quat own;	/* of the motion */
	struct kern_quat saved; /* own * append; own until the bone is evaluated */
	struct kern_quat ik;	/* identity but for links of solved chains */
	struct kern_quat local; /* ik * saved */
	struct kern_quat world;
	struct kern_vec own_move, saved_move;
	struct kern_vec position; /* model space */
	uint32_t placed;	  /* evaluated in its turn */
	uint32_t early;		  /* placed before its parent, or below such a bone */
	uint32_t moved; /* by the chain that was solved last, or below such a bone */
};

/* Places a bone from its parent's world and its own local rotation and move. */
void kern_pose_place(const struct kern_pose_skeleton *skeleton,
	struct kern_pose_bone *bones, uint32_t bone);

#endif
