/* SPDX-License-Identifier: BSD-2-Clause */
/* Tracks and morphs' weights, one thread a frame and bone or morph; the arithmetic is in
 * track_sample.h, which is the plain C's. */
#include "kernels/launch_cuda.h"

extern "C" {
#include "kernels/track_table.h"
}

static __global__ void
__launch_bounds__(KERN_LAUNCH_BLOCK) track_table(struct kern_track_table a)
{
	uint32_t frame = kern_launch_frame();
	for (uint32_t b = blockIdx.y; frame < a.frame_count && b < a.bone_count;
		b += gridDim.y)
		kern_track_table_sample(&a, b, frame);
}

extern "C" int
kern_track_table_cuda(const struct kern_track_table *a, void *queue)
{
	if (a->frame_count == 0 || a->bone_count == 0)
		return 0;
	track_table<<<kern_launch_grid(a->frame_count, a->bone_count), KERN_LAUNCH_BLOCK,
		0, (cudaStream_t)queue>>>(*a);
	return kern_launch_status();
}

static __global__ void
__launch_bounds__(KERN_LAUNCH_BLOCK) weight_table(struct kern_track_weight_table a)
{
	uint32_t frame = kern_launch_frame();
	for (uint32_t m = blockIdx.y; frame < a.frame_count && m < a.morph_count;
		m += gridDim.y)
		kern_track_table_weigh(&a, m, frame);
}

extern "C" int
kern_track_weight_table_cuda(const struct kern_track_weight_table *a, void *queue)
{
	if (a->frame_count == 0 || a->morph_count == 0)
		return 0;
	weight_table<<<kern_launch_grid(a->frame_count, a->morph_count),
		KERN_LAUNCH_BLOCK, 0, (cudaStream_t)queue>>>(*a);
	return kern_launch_status();
}
