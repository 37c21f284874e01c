/* SPDX-License-Identifier: BSD-2-Clause */
/* What pano-views asks of a GPU, by the imitation. */
#include "tests/kernels/imitation.h"

/* From the last pixel to the first: threads have no order. */
static int
imitation_remap(const struct kern_remap_walk *a, void *stream)
{
	(void)stream;
	for (uint32_t row = a->row_count; row-- > 0;)
		for (uint32_t column = a->view.width; column-- > 0;)
			kern_remap_walk_pixel(a, column, row, a->picture.type,
				(int)kern_remap_taps(a->filter));
	if (imitation.wrong && a->row_count > 0)
		*(uint8_t *)a->to ^= 1;
	return imitation_launch();
}

const struct pv_device imitation_pano = {
	.calls = &imitation_gpu,
	.remap = imitation_remap,
};
