/* SPDX-License-Identifier: BSD-2-Clause */
/* Morphs, sixteen frames at a time. */
#include "kernels/morph.h"

#if defined(__x86_64__)
#define LANES 16
#include "kernels/morph_lanes.h"

int
kern_morph_avx512(const struct kern_morph *a, void *queue)
{
	(void)queue;
	return morph_lanes_run(a);
}
#endif
