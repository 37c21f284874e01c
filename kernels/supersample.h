/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * supersample.h - several samples of a view's pixel become one: where a view shows a
 * panorama smaller than it is, one sample a pixel would see every second detail only.
 *
 * How many a pixel takes follows from how many of the panorama's pixels it spans, as an
 * angle (near the poles there are more columns, but no more detail): one where it spans
 * little more than one, so that nothing is softened that is not made smaller.
 */
#ifndef KERN_SUPERSAMPLE_H
#define KERN_SUPERSAMPLE_H

#include "kernels/remap.h"
#include "kernels/view.h"

/* Samples of a pixel, in either direction. */
#define KERN_SUPERSAMPLE_MOST 8

/* How many samples each pixel of a row takes across (low four bits) and down (high four):
 * width values.  Returns their sum of products. */
size_t kern_supersample_plan(const struct kern_view *view, uint32_t row, uint8_t *plan);

/* The coordinates of all samples of a row in the order of the pixels, each pixel's from
 * left to right and top to bottom. */
void kern_supersample_places(const struct kern_view *view, uint32_t row,
	const uint8_t *plan, int32_t *u, int32_t *v);

struct kern_supersample {
	enum kern_remap_type type;
	const uint8_t *plan; /* count of them */
	uint32_t count;
	const void *samples; /* four channels each */
	void *to;	     /* count pixels */
};

/* Means, rounded half up; float as it comes, from the first sample to the last.  Grade:
 * EXACT; of a NaN only that it is one.  See caps.h. */
typedef int kern_supersample_fn(const struct kern_supersample *a, void *queue);
kern_supersample_fn kern_supersample_mean_c, kern_supersample_mean_avx2;
kern_supersample_fn *kern_supersample_mean_pick(unsigned caps);

#endif
