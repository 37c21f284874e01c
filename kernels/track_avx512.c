/* SPDX-License-Identifier: BSD-2-Clause */
/* Tracks, sixteen frames at a time. */
#include "kernels/track.h"

#if defined(__x86_64__)
#define LANES 16
#include "kernels/track_lanes.h"
#include "kernels/track_lanes_weights.h"

int
kern_track_avx512(const struct kern_track *a, void *queue)
{
	(void)queue;
	return track_lanes_run(a);
}

int
kern_track_weights_avx512(const struct kern_track_weights *a, void *queue)
{
	(void)queue;
	return track_weights_run(a);
}
#endif
