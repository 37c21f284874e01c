/* SPDX-License-Identifier: BSD-2-Clause */
/* Poses of eight frames at a time. */
#include "kernels/pose.h"

#if defined(__x86_64__)
#define LANES 8
#include "kernels/pose_lanes.h"

int
kern_pose_avx2(const struct kern_pose *a, void *queue)
{
	(void)queue;
	return pose_lanes_run(a);
}
#endif
