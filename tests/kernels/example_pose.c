/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * example_pose.c - forward kinematics from a C program of one's own: an arm of three bones
 * whose elbow bends by a right angle over five frames.  Build it against libkern.a:
 *
 *	cc -I. example_pose.c libkern.a -lm
 */
#include "kernels/caps.h"
#include "kernels/pose_arrays.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SHOULDER, ELBOW, HAND, BONES, FRAMES = 5 };

int
main(void)
{
	static const float offset[BONES][3] = {{0, 10, 0}, {3, 0, 0}, {2, 0, 0}};
	static const int32_t parent[BONES] = {-1, SHOULDER, ELBOW};
	static const uint32_t wanted[] = {HAND};
	float quaternions[FRAMES][BONES][4] = {0}, hand[FRAMES][3];
	for (int f = 0; f < FRAMES; f++) {
		float half = (float)f / (FRAMES - 1) * 3.14159265f / 4;
		for (int b = 0; b < BONES; b++)
			quaternions[f][b][3] = 1;
		quaternions[f][ELBOW][2] = sinf(half);
		quaternions[f][ELBOW][3] = cosf(half);
	}
	struct kern_pose_arrays arm = {
		.pose = kern_pose_pick(0),
		.bone_count = BONES,
		.frame_count = FRAMES,
		.offset = offset,
		.parent = parent,
		.quaternions = &quaternions[0][0][0],
		.filter = wanted,
		.filter_count = 1,
		.positions = hand,
	};
	arm.scratch = malloc(kern_pose_arrays_scratch(&arm));
	if (arm.scratch == NULL || kern_pose_arrays(&arm) < 0)
		return 1;
	for (int f = 0; f < FRAMES; f++)
		printf("frame %d: hand at %.3f %.3f %.3f\n", f, hand[f][0], hand[f][1],
			hand[f][2]);
	free(arm.scratch);
	return 0;
}
