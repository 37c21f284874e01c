/* SPDX-License-Identifier: BSD-2-Clause */
/* Poses, one thread a frame; the arithmetic and the way through the plan are in
 * pose_walk.h, which the plain C's tests run as well. */
#include "kernels/launch_cuda.h"

extern "C" {
#include "kernels/pose_walk.h"
}

static __global__ void
__launch_bounds__(KERN_LAUNCH_BLOCK) pose_walk(struct kern_pose_walk a)
{
	uint32_t frame = kern_launch_frame();
	if (frame < a.frame_count)
		kern_pose_walk_frame(&a, frame);
}

extern "C" int
kern_pose_walk_cuda(const struct kern_pose_walk *a, void *queue)
{
	if (a->frame_count == 0)
		return 0;
	pose_walk<<<kern_launch_grid(a->frame_count, 1), KERN_LAUNCH_BLOCK, 0,
		(cudaStream_t)queue>>>(*a);
	return kern_launch_status();
}
