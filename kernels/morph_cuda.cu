/* SPDX-License-Identifier: BSD-2-Clause */
/* Morphs, one thread a frame; the arithmetic is in morph_walk.h. */
#include "kernels/launch_cuda.h"

extern "C" {
#include "kernels/morph_walk.h"
}

static __global__ void
__launch_bounds__(KERN_LAUNCH_BLOCK) morph_walk(struct kern_morph_walk a)
{
	uint32_t frame = kern_launch_frame();
	if (frame < a.frame_count)
		kern_morph_walk_frame(&a, frame);
}

extern "C" int
kern_morph_walk_cuda(const struct kern_morph_walk *a, void *queue)
{
	if (a->frame_count == 0)
		return 0;
	morph_walk<<<kern_launch_grid(a->frame_count, 1), KERN_LAUNCH_BLOCK, 0,
		(cudaStream_t)queue>>>(*a);
	return kern_launch_status();
}
