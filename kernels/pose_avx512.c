/* SPDX-License-Identifier: BSD-2-Clause */
/* Poses of sixteen frames at a time. */
#include "kernels/pose.h"

#if defined(__x86_64__)
#define LANES 16
#include "kernels/pose_lanes.h"

int
kern_pose_avx512(const struct kern_pose *a, void *queue)
{
	(void)queue;
	return pose_lanes_run(a);
}
#endif
