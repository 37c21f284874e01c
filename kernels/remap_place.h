/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remap_place.h - how the variants of remap.h, 8 bits, find a pixel: offsets from the
 * picture's first byte, and the two fractions.
 */
#ifndef KERN_REMAP_PLACE_H
#define KERN_REMAP_PLACE_H

#include "kernels/remap.h"
#include "kernels/view.h"

/* What is the same for a whole row of a view. */
struct remap_frame {
	const uint8_t *corner; /* of column 0, row 0, where that is or would be */
	int32_t stride;
	int32_t shift;
	int32_t seam; /* beyond it lies what is left of the first column */
	int32_t past; /* a whole turn */
};

static inline struct remap_frame
remap_frame_of(const struct kern_remap *a, int before)
{
	const struct kern_remap_picture *picture = a->picture;
	const int32_t past = (int32_t)picture->width * KERN_VIEW_ONE;
	const intptr_t up =
		((intptr_t)picture->first_row + before) * (intptr_t)picture->stride;
	return (struct remap_frame){
		/* The corner may lie before the memory; what is read never does. */
		.corner = (const uint8_t *)((intptr_t)picture->pixels - up -
					    before * KERN_REMAP_CHANNELS),
		.stride = (int32_t)picture->stride,
		.shift = a->shift,
		.seam = past - KERN_VIEW_ONE / 2,
		.past = past,
	};
}

/* Asks for what the next rows of the view will read: the two rows of the panorama below the
 * last tap's.  Memory is far: unasked, twice the time goes into waiting. */
static inline void
remap_ask_below(const struct remap_frame *frame, int32_t offset, int taps)
{
	const uint8_t *below = frame->corner + taps * (ptrdiff_t)frame->stride + offset;
	__builtin_prefetch(below);
	__builtin_prefetch(below + frame->stride);
}

/* What a variant that takes `lanes` pixels at a time leaves of a row: the plain C's. */
static inline int
remap_rest(const struct kern_remap *a, uint32_t lanes, void *queue)
{
	const uint32_t done = a->count / lanes * lanes;
	struct kern_remap rest = *a;
	rest.u += done;
	rest.v += done;
	rest.count -= done;
	rest.to = (uint8_t *)a->to + (size_t)done * KERN_REMAP_CHANNELS;
	return rest.count > 0 ? kern_remap_c(&rest, queue) : 0;
}

#endif
