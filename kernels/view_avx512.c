/* SPDX-License-Identifier: BSD-2-Clause */
/* Where eight pixels of a view lie at a time. */
#include "kernels/view.h"

#if defined(__x86_64__)
#define LANES 16
#include "kernels/view_lanes.h"

int
kern_view_avx512(const struct kern_view_places *a, void *queue)
{
	(void)queue;
	return view_lanes_run(a);
}
#endif
