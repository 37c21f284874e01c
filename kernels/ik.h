/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ik.h - one IK chain in one frame, as MMD solves it: cyclic coordinate descent.
 *
 * Every round turns the links one after the other, nearest the target first, each so
 * that the target swings towards the IK bone, by at most step * (place in the list + 1).
 * In the first half of the rounds a link that may bend about one axis only is turned
 * about just that axis, and an angle beyond a limit is reflected at it rather than cut
 * off, which is what makes a straight knee bend at all.  Limits hold for the Euler angles
 * of the link's local rotation (with its own and appended rotation).
 */
#ifndef KERN_IK_H
#define KERN_IK_H

#include "kernels/pose_state.h"

/* On return links and target are placed anew; whatever else hangs below a link is not. */
void kern_ik_solve(const struct kern_pose_skeleton *skeleton,
	const struct kern_pose_chain *chain, struct kern_pose_bone *bones);

#endif
