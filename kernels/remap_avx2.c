/* SPDX-License-Identifier: BSD-2-Clause */
/* Remapping eight pixels at a time. */
#include "kernels/remap.h"

#if defined(__x86_64__)
#define QUADS 2
#include "kernels/remap_quads.h"

int
kern_remap_avx2(const struct kern_remap *a, void *queue)
{
	(void)queue;
	return remap_quads_run(a);
}
#endif
