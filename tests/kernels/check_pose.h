/* SPDX-License-Identifier: BSD-2-Clause */
/* check_pose.h - what the checks of poses share: each judges one variant and says so. */
#ifndef CHECK_POSE_H
#define CHECK_POSE_H

#include "kernels/pose.h"

#include <math.h>

/* A leg and its goal. */
void check_pose_ik(kern_pose_fn *fn, const char *name);
/* Against the plain C, on any skeleton and any numbers. */
void check_pose_bits(kern_pose_fn *fn, const char *name);

static inline double
check_pose_distance(const double a[3], const double b[3])
{
	return sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) +
		    (a[2] - b[2]) * (a[2] - b[2]));
}

#endif
