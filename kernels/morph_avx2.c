/* SPDX-License-Identifier: BSD-2-Clause */
/* Morphs, eight frames at a time. */
#include "kernels/morph.h"

#if defined(__x86_64__)
#define LANES 8
#include "kernels/morph_lanes.h"

int
kern_morph_avx2(const struct kern_morph *a, void *queue)
{
	(void)queue;
	return morph_lanes_run(a);
}
#endif
