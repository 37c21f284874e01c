/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remap_quads.h - remap.c over again for QUADS pixels in a register.  Included by one file
 * a variant, which says how many QUADS are.
 */
#ifndef KERN_REMAP_QUADS_H
#define KERN_REMAP_QUADS_H

#include "kernels/remap_deep.h"

#include <string.h>

/* --- 8 bits ------------------------------------------------------------------- */

/* Columns first, since those are 16 bits still: at most 65280, moved into the range of
 * signed products, and back in `rounding`. */
static inline quads
remap_blend(quads top, quads bottom, quads across, quads down)
{
	const quads neighbours = quads_all(
		_mm_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15));
	const quads rounding = QUADS_OP(set1_epi32)((32768 << 8) + (1 << 15));
	quads column = QUADS_OP(add_epi16)(QUADS_OP(slli_epi16)(top, 8),
		QUADS_OP(mullo_epi16)(QUADS_OP(sub_epi16)(bottom, top), down));
	column = (quads)((remap_ints)column ^ (int32_t)0x80008000);
	quads sum =
		QUADS_OP(madd_epi16)(QUADS_OP(shuffle_epi8)(column, neighbours), across);
	return QUADS_OP(srli_epi32)(QUADS_OP(add_epi32)(sum, rounding), 16);
}

static inline void
remap_bilinear_u8(const struct remap_work *work)
{
	const uint8_t *row = work->frame.origin, *below = row + work->frame.stride;
	uint8_t *to = work->a->to;
	for (uint32_t i = 0; i < work->a->count; i += QUADS_PIXELS) {
		const int32_t *offset = work->places.offset + i;
		const remap_ints x = (remap_ints)quads_from(work->places.across + i);
		const remap_ints y = (remap_ints)quads_from(work->places.down + i);
		const quads across = (quads)((256 - x) | x << 16);
		const quads down = (quads)(y | y << 16);
		quads made[4];
		for (uint32_t k = 0; k < QUADS_PIXELS; k += 8)
			remap_ask_below(work, i + k, 2);
#pragma GCC unroll 4
		for (int k = 0; k < 4; k++)
			made[k] = remap_blend(quads_load_widened(row, offset + QUADS * k),
				quads_load_widened(below, offset + QUADS * k),
				quads_spread(across, QUADS * k),
				quads_spread(down, QUADS * k));
		quads_to(to + (size_t)i * KERN_REMAP_CHANNELS, quads_pack_bytes(made));
	}
}

/* The products of two taps with two neighbours, whose first stands at byte 0 or 8. */
REMAP_INLINE quads
remap_two_taps(quads row, int first, quads weights)
{
	const char z = -1;
	const quads pairs =
		quads_all(_mm_setr_epi8(0, z, 4, z, 1, z, 5, z, 2, z, 6, z, 3, z, 7, z));
	const quads later = quads_all(
		_mm_setr_epi8(8, z, 12, z, 9, z, 13, z, 10, z, 14, z, 11, z, 15, z));
	return QUADS_OP(madd_epi16)(
		QUADS_OP(shuffle_epi8)(row, first == 0 ? pairs : later), weights);
}

/* A row's sums, 8 bits behind the point still.  The last two of six neighbours are read
 * as the later half of the last four. */
REMAP_INLINE quads
remap_across(const uint8_t *row, const int32_t *offset, const quads weights[3], int taps)
{
	quads four = quads_load(row, offset);
	quads sum = QUADS_OP(add_epi32)(
		remap_two_taps(four, 0, weights[0]), remap_two_taps(four, 8, weights[1]));
	if (taps == 6)
		sum = QUADS_OP(add_epi32)(
			sum, remap_two_taps(quads_load(row + 8, offset), 8, weights[2]));
	return QUADS_OP(add_epi32)(sum, QUADS_OP(set1_epi32)(1 << 7));
}

/* The weights of each pixel in pairs of taps: one 32 bits a pixel, for all channels. */
REMAP_INLINE void
remap_pairs(const void *table, const int32_t *offset, quads pairs[3], int taps)
{
	quads row = quads_load(table, offset);
	pairs[0] = QUADS_OP(shuffle_epi32)(row, 0x00);
	pairs[1] = QUADS_OP(shuffle_epi32)(row, 0x55);
	if (taps == 6)
		pairs[2] = QUADS_OP(shuffle_epi32)(row, 0xaa);
}

/* QUADS pixels from i on, in 32 bits. */
REMAP_INLINE quads
remap_wide_quad(const struct remap_work *work, uint32_t i, int taps)
{
	const void *table = work->a->weights->fixed;
	const ptrdiff_t stride = work->frame.stride;
	const uint8_t *row = work->frame.origin;
	const int32_t *offset = work->places.offset + i;
	quads across[3], down[3], sum = QUADS_OP(set1_epi32)(1 << 19);
	remap_pairs(table, work->places.across + i, across, taps);
	remap_pairs(table, work->places.down + i, down, taps);
#pragma GCC unroll 3
	for (int pair = 0; pair < taps / 2; pair++, row += 2 * stride) {
		quads upper = remap_across(row, offset, across, taps);
		quads lower = remap_across(row + stride, offset, across, taps);
		/* Two rows side by side; what is behind the point goes only now. */
		quads both = quads_blend_halves(
			QUADS_OP(srli_epi32)(upper, 8), QUADS_OP(slli_epi32)(lower, 8));
		sum = QUADS_OP(add_epi32)(sum, QUADS_OP(madd_epi16)(both, down[pair]));
	}
	return QUADS_OP(srai_epi32)(sum, 20);
}

REMAP_INLINE void
remap_wide_u8(const struct remap_work *work, int taps)
{
	uint8_t *to = work->a->to;
	for (uint32_t i = 0; i < work->a->count; i += QUADS_PIXELS) {
		quads made[4];
		for (uint32_t k = 0; k < QUADS_PIXELS; k += 8)
			remap_ask_below(work, i + k, taps);
		for (uint32_t k = 0; k < 4; k++)
			made[k] = remap_wide_quad(work, i + QUADS * k, taps);
		quads_to(to + (size_t)i * KERN_REMAP_CHANNELS, quads_pack_bytes(made));
	}
}

/* --- all types ---------------------------------------------------------------- */

REMAP_INLINE void
remap_copy(const struct remap_work *work, size_t pixel)
{
	char *to = work->a->to;
	for (uint32_t i = 0; i < work->a->count; i++) {
		if (i * pixel % 32 == 0)
			remap_ask_below(work, i, 1);
		memcpy(to + i * pixel, work->frame.origin + work->places.offset[i],
			pixel);
	}
}

static inline void
remap_nearest(const struct remap_work *work)
{
	if (work->a->picture->type == KERN_REMAP_U8)
		remap_copy(work, 4);
	else if (work->a->picture->type == KERN_REMAP_U16)
		remap_copy(work, 8);
	else
		remap_copy(work, 16);
}

/* How the filter places, as remap.h says. */
static inline struct remap_scale
remap_scale_of(const struct kern_remap *a, int taps)
{
	const int pixel = (int)kern_remap_pixel(a->picture->type);
	if (taps == 1)
		return (struct remap_scale){0, pixel, 1};
	if (a->picture->type == KERN_REMAP_U8)
		return (struct remap_scale){
			8, pixel, taps == 2 ? 1 : (int)sizeof a->weights->fixed[0]};
	return taps == 2 ? (struct remap_scale){KERN_VIEW_BITS, pixel, 1}
			 : (struct remap_scale){
				   10, pixel, (int)sizeof a->weights->exact[0]};
}

/* A block, whose count is a multiple of QUADS_PIXELS and at most REMAP_BLOCK. */
static inline void
remap_block(struct remap_work *work)
{
	const int taps = (int)kern_remap_taps(work->a->filter);
	remap_find(work, remap_scale_of(work->a, taps));
	if (taps == 1)
		remap_nearest(work);
	else if (work->a->picture->type != KERN_REMAP_U8)
		remap_deep(work, taps);
	else if (taps == 2)
		remap_bilinear_u8(work);
	else if (taps == 4)
		remap_wide_u8(work, 4);
	else
		remap_wide_u8(work, 6);
}

/* What is less than QUADS_PIXELS: its last pixel is made more than once. */
static inline void
remap_rest(struct remap_work *work, const struct kern_remap *a)
{
	float made[QUADS_PIXELS * KERN_REMAP_CHANNELS];
	int32_t u[QUADS_PIXELS], v[QUADS_PIXELS];
	struct kern_remap whole = *a;
	for (uint32_t i = 0; i < QUADS_PIXELS; i++) {
		const uint32_t from = i < a->count ? i : a->count - 1;
		u[i] = a->u[from];
		v[i] = a->v[from];
	}
	whole.u = u;
	whole.v = v;
	whole.count = QUADS_PIXELS;
	whole.to = made;
	work->a = &whole;
	remap_block(work);
	memcpy(a->to, made, a->count * kern_remap_pixel(a->picture->type));
}

static inline int
remap_quads_run(const struct kern_remap *a)
{
	const size_t pixel = kern_remap_pixel(a->picture->type);
	struct remap_work work;
	struct kern_remap part = *a;
	work.frame = remap_frame_of(a);
	for (uint32_t done = 0; done < a->count; done += part.count) {
		const uint32_t left = a->count - done;
		const uint32_t whole = left / QUADS_PIXELS * QUADS_PIXELS;
		part.u = a->u + done;
		part.v = a->v + done;
		part.to = (char *)a->to + done * pixel;
		part.count = whole == 0		   ? left
			     : whole < REMAP_BLOCK ? whole
						   : REMAP_BLOCK;
		work.a = &part;
		if (whole == 0)
			remap_rest(&work, &part);
		else
			remap_block(&work);
	}
	return 0;
}

#endif
