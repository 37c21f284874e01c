/* SPDX-License-Identifier: BSD-2-Clause */
/* pose_state.h - one frame's state, shared by pose.c and ik.c, and what the variants share
 * with them. */
#ifndef KERN_POSE_STATE_H
#define KERN_POSE_STATE_H

#include "kernels/pose.h"
#include "kernels/quat.h"

static inline struct kern_vec
kern_pose_rest(const struct kern_pose_skeleton *skeleton, uint32_t bone)
{
	const float *rest = skeleton->rest[bone];
	return (struct kern_vec){rest[0], rest[1], rest[2]};
}

/* What a bone's state may take in lanes: see pose_lanes_state.h and pose_lanes_direct.h. */
#define KERN_POSE_LANES_BYTES 5952

struct kern_pose_bone {
	struct kern_quat own;	/* of the motion */
	struct kern_quat saved; /* own * append; own until the bone is evaluated */
	struct kern_quat ik;	/* identity but for links of solved chains */
	struct kern_quat local; /* saved, or ik * saved of a link that was solved */
	struct kern_quat world;
	struct kern_vec own_move, saved_move;
	struct kern_vec position; /* model space */
	uint32_t placed;	  /* evaluated in its turn */
	uint32_t early;		  /* placed before its parent, or below such a bone */
	uint32_t solved;	  /* as a link, so that ik says something */
	uint32_t moved; /* by the chain that was solved last, or below such a bone */
};

#endif
