/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remap_place.h - how the variants of remap.h find pixels.
 *
 * The places of a whole block come first, then its pixels: a pixel's loads would otherwise
 * wait for the arithmetic of their own addresses and for its way through memory, which
 * takes longer than all else.
 */
#ifndef KERN_REMAP_PLACE_H
#define KERN_REMAP_PLACE_H

#include "kernels/quads.h"
#include "kernels/remap.h"
#include "kernels/view.h"

/* Pixels that are placed at once: few enough for the nearest cache. */
#define REMAP_BLOCK 256

/* What is the same for a whole row of a view. */
struct remap_frame {
	/* Where a filter's first tap lies for column 0 of the row in the band's middle: from
	 * there, offsets in the largest pictures stay within 32 bits. */
	const uint8_t *origin;
	ptrdiff_t stride;
	int32_t row;   /* the middle's */
	int32_t shift; /* less a whole turn, so that sums stay within 32 bits */
	int32_t seam;  /* likewise: before it a turn is missing */
	int32_t turn;
};

struct remap_places {
	_Alignas(64) int32_t offset[REMAP_BLOCK]; /* of the first tap, in bytes */
	/* Fractions, times what the filter wants. */
	_Alignas(64) int32_t across[REMAP_BLOCK], down[REMAP_BLOCK];
};

/* A block at work: as many pixels of a view's row as `a` has. */
struct remap_work {
	struct remap_frame frame;
	const struct kern_remap *a;
	struct remap_places places;
};

/* How a filter places: bits of its fractions, bytes of a pixel, bytes of a row of its
 * table (1: no table). */
struct remap_scale {
	int bits, pixel, row;
};

static inline struct remap_frame
remap_frame_of(const struct kern_remap *a)
{
	const struct kern_remap_picture *picture = a->picture;
	const int32_t turn = (int32_t)picture->width * KERN_VIEW_ONE;
	const int32_t half = (int32_t)(picture->row_count / 2);
	const int taps = (int)kern_remap_taps(a->filter);
	const int before = taps > 1 ? taps / 2 - 1 : 0;
	return (struct remap_frame){
		.origin = (const uint8_t *)picture->pixels +
			  (half - before) * (ptrdiff_t)picture->stride -
			  before * (ptrdiff_t)kern_remap_pixel(picture->type),
		.stride = (ptrdiff_t)picture->stride,
		.row = (int32_t)picture->first_row + half,
		.shift = a->shift - turn,
		.seam = -KERN_VIEW_ONE / 2,
		.turn = turn,
	};
}

/* As many 32 bits as a register holds. */
typedef int32_t remap_ints __attribute__((vector_size(16 * QUADS)));

/* The places of the block, whose count is a multiple of QUADS_PIXELS. */
static inline void
remap_find(struct remap_work *work, struct remap_scale scale)
{
	const struct remap_frame *frame = &work->frame;
	struct remap_places *to = &work->places;
	const int coarser = KERN_VIEW_BITS - scale.bits;
	const int32_t half = coarser > 0 ? 1 << (coarser - 1) : 0;
	const int32_t fraction = (1 << scale.bits) - 1;
	for (uint32_t i = 0; i < work->a->count; i += QUADS_PIXELS) {
		remap_ints x = (remap_ints)quads_from(work->a->u + i) + frame->shift;
		remap_ints y = (remap_ints)quads_from(work->a->v + i);
		x += (x < frame->seam) & frame->turn;
		x = (x + half) >> coarser;
		y = (y + half) >> coarser;
		quads_to(to->offset + i, (quads)(((y >> scale.bits) - frame->row) *
							 (int32_t)frame->stride +
						 (x >> scale.bits) * scale.pixel));
		quads_to(to->across + i, (quads)((x & fraction) * scale.row));
		quads_to(to->down + i, (quads)((y & fraction) * scale.row));
	}
}

/* Asks for what the next rows of the view will read: the two rows of the panorama below
 * the last tap's of a pixel.  Memory is far: unasked, twice the time goes into waiting. */
static inline void
remap_ask_below(const struct remap_work *work, uint32_t i, int taps)
{
	const uint8_t *below =
		work->frame.origin + taps * work->frame.stride + work->places.offset[i];
	__builtin_prefetch(below);
	__builtin_prefetch(below + work->frame.stride);
}

#endif
