/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pose_arrays.h - forward kinematics on plain arrays, frame by frame as numpy programs
 * hold them: the door to pose.h for other plugins and for C programs that have a
 * hierarchy and rotations, and no MMD model.  tests/kernels/example_pose.c shows it.
 *
 * World rotation = parent's world rotation * own; world position = parent's world
 * position + parent's world rotation applied to (offset + translation).  Axes and lengths
 * are the caller's; quaternions are x y z w, of unit length, and turn column vectors.
 *
 * Grade: that of pose.h for bones free of IK.  NaN in, NaN out, for the bones it reaches.
 */
#ifndef KERN_POSE_ARRAYS_H
#define KERN_POSE_ARRAYS_H

#include "kernels/pose.h"

struct kern_pose_arrays {
	kern_pose_fn *pose; /* the variant that does the work: kern_pose_pick() */
	uint32_t bone_count, frame_count;
	/* [bone]: from the parent, at rest; a root's is its place. */
	const float (*offset)[3];
	const int32_t *parent;	   /* [bone]: -1: none.  In any order, without a cycle */
	const float *quaternions;  /* [frame][bone][4], local */
	const float *translations; /* [frame][bone][3], to add to offsets; NULL: none */
	const uint32_t *filter;	   /* the bones wanted, in the order wanted; NULL: all */
	uint32_t filter_count;	   /* of filter */
	/* Results, [frame][wanted bone].  NULL: not wanted. */
	float (*positions)[3];
	float (*world_quaternions)[4];
	void *scratch; /* kern_pose_arrays_scratch() bytes, aligned for float */
};

/* 0; -EINVAL for a parent or filter out of range, or parents in a circle.  Any thread;
 * no two at once with one scratch. */
int kern_pose_arrays(const struct kern_pose_arrays *a);
size_t kern_pose_arrays_scratch(const struct kern_pose_arrays *a);

#endif
