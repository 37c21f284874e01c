/* SPDX-License-Identifier: BSD-2-Clause */
/* Views, one thread a pixel; the arithmetic is in remap_walk.h, which the plain C's tests
 * run as well.  Neighbours in a row of the view are neighbours in the panorama, nearly: a
 * warp's taps lie in few lines of the caches. */
#include "kernels/launch_cuda.h"

extern "C" {
#include "kernels/remap_walk.h"
}

/* Type and taps are constants, so that loops unroll and what is not taken is not there. */
template <int type, int taps>
static __global__ void
__launch_bounds__(KERN_LAUNCH_BLOCK) remap_walk(struct kern_remap_walk a)
{
	uint32_t column = kern_launch_frame();
	for (uint32_t row = blockIdx.y; column < a.view.width && row < a.row_count;
		row += gridDim.y)
		kern_remap_walk_pixel(&a, column, row, (enum kern_remap_type)type, taps);
}

template <int type>
static int
launch(const struct kern_remap_walk *a, cudaStream_t stream)
{
	const dim3 grid = kern_launch_grid(a->view.width, a->row_count);
	switch (a->filter) {
	case KERN_REMAP_NEAREST:
		remap_walk<type, 1><<<grid, KERN_LAUNCH_BLOCK, 0, stream>>>(*a);
		break;
	case KERN_REMAP_BILINEAR:
		remap_walk<type, 2><<<grid, KERN_LAUNCH_BLOCK, 0, stream>>>(*a);
		break;
	case KERN_REMAP_BICUBIC:
		remap_walk<type, 4><<<grid, KERN_LAUNCH_BLOCK, 0, stream>>>(*a);
		break;
	case KERN_REMAP_LANCZOS3:
		remap_walk<type, 6><<<grid, KERN_LAUNCH_BLOCK, 0, stream>>>(*a);
		break;
	}
	return kern_launch_status();
}

extern "C" int
kern_remap_walk_cuda(const struct kern_remap_walk *a, void *queue)
{
	const cudaStream_t stream = (cudaStream_t)queue;
	if (a->view.width == 0 || a->row_count == 0)
		return 0;
	switch (a->picture.type) {
	case KERN_REMAP_U8:
		return launch<KERN_REMAP_U8>(a, stream);
	case KERN_REMAP_U16:
		return launch<KERN_REMAP_U16>(a, stream);
	default:
		return launch<KERN_REMAP_FLOAT>(a, stream);
	}
}
