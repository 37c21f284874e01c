/* SPDX-License-Identifier: BSD-2-Clause */
/* Where four pixels of a view lie at a time. */
#include "kernels/view.h"

#if defined(__x86_64__)
#define LANES 8
#include "kernels/view_lanes.h"

int
kern_view_avx2(const struct kern_view_places *a, void *queue)
{
	(void)queue;
	return view_lanes_run(a);
}
#endif
