/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remap_deep.h - 16 bits and float for remap_quads.h.  A register holds four channels of
 * QUADS pixels, and every channel's sums are those of the plain C in its order, from a
 * zero on: a sum that begins with its first product would keep that one's minus.
 */
#ifndef KERN_REMAP_DEEP_H
#define KERN_REMAP_DEEP_H

#include "kernels/remap_place.h"

#define REMAP_INLINE static inline __attribute__((always_inline))

/* Of QUADS pixels, each weight in all of a pixel's channels. */
struct remap_deep_weights {
	quads_float across[6], down[6];
};

REMAP_INLINE void
remap_deep_row(const void *table, const int32_t *offset, quads_float weights[6], int taps)
{
	quads_float row = (quads_float)quads_load(table, offset);
	weights[0] = QUADS_OP(permute_ps)(row, 0x00);
	weights[1] = QUADS_OP(permute_ps)(row, 0x55);
	weights[2] = QUADS_OP(permute_ps)(row, 0xaa);
	weights[3] = QUADS_OP(permute_ps)(row, 0xff);
	if (taps == 4)
		return;
	row = (quads_float)quads_load((const uint8_t *)table + 8, offset);
	weights[4] = QUADS_OP(permute_ps)(row, 0xaa);
	weights[5] = QUADS_OP(permute_ps)(row, 0xff);
}

REMAP_INLINE void
remap_deep_bilinear(const int32_t *fractions, uint32_t quad, quads_float weights[2])
{
	quads spread = quads_spread(quads_from(fractions), (int)(quad * QUADS));
	weights[1] = QUADS_OP(cvtepi32_ps)(spread) * 0x1p-16f;
	weights[0] = 1.0f - weights[1];
}

/* Of the pixels of a quad: the quad-th of those from i on. */
REMAP_INLINE void
remap_deep_weigh(const struct remap_work *work, uint32_t i, uint32_t quad, int taps,
	struct remap_deep_weights *to)
{
	const int32_t *across = work->places.across + i, *down = work->places.down + i;
	if (taps == 2) {
		remap_deep_bilinear(across, quad, to->across);
		remap_deep_bilinear(down, quad, to->down);
		return;
	}
	const void *table = work->a->weights->exact;
	remap_deep_row(table, across + quad * QUADS, to->across, taps);
	remap_deep_row(table, down + quad * QUADS, to->down, taps);
}

/* Two neighbours of each pixel. */
REMAP_INLINE void
remap_deep_load(const uint8_t *from, const int32_t *offset, enum kern_remap_type type,
	quads_float neighbours[2])
{
	if (type == KERN_REMAP_FLOAT) {
		neighbours[0] = (quads_float)quads_load(from, offset);
		neighbours[1] = (quads_float)quads_load(from + 16, offset);
		return;
	}
	const quads both = quads_load(from, offset), zero = {0};
	neighbours[0] = QUADS_OP(cvtepi32_ps)(QUADS_OP(unpacklo_epi16)(both, zero));
	neighbours[1] = QUADS_OP(cvtepi32_ps)(QUADS_OP(unpackhi_epi16)(both, zero));
}

REMAP_INLINE quads_float
remap_deep_quad(const struct remap_work *work, uint32_t i, uint32_t quad, int taps,
	enum kern_remap_type type)
{
	const int32_t *offset = work->places.offset + i + quad * QUADS;
	const uint8_t *row = work->frame.origin;
	const int bytes = type == KERN_REMAP_FLOAT ? 16 : 8;
	struct remap_deep_weights weights;
	quads_float sum = {0}, pair[2];
	remap_deep_weigh(work, i, quad, taps, &weights);
#pragma GCC unroll 6
	for (int y = 0; y < taps; y++, row += work->frame.stride) {
		quads_float h = {0};
#pragma GCC unroll 3
		for (int x = 0; x < taps; x += 2) {
			remap_deep_load(row + x * bytes, offset, type, pair);
			h += weights.across[x] * pair[0];
			h += weights.across[x + 1] * pair[1];
		}
		sum += weights.down[y] * h;
	}
	return sum;
}

/* Rounded half up, held within 0..65535. */
REMAP_INLINE quads
remap_deep_word(quads_float sum)
{
	const quads_float most = (quads_float){0} + 65535.0f;
	return QUADS_OP(cvttps_epi32)(
		QUADS_OP(min_ps)(QUADS_OP(max_ps)(sum + 0.5f, (quads_float){0}), most));
}

REMAP_INLINE void
remap_deep_u16(const struct remap_work *work, int taps)
{
	for (uint32_t i = 0; i < work->a->count; i += QUADS_PIXELS) {
		uint16_t *to = (uint16_t *)work->a->to + (size_t)i * KERN_REMAP_CHANNELS;
		for (uint32_t quad = 0; quad < 4; quad += 2) {
			remap_ask_below(work, i + quad * QUADS, taps);
			quads first = remap_deep_word(
				remap_deep_quad(work, i, quad, taps, KERN_REMAP_U16));
			quads second = remap_deep_word(
				remap_deep_quad(work, i, quad + 1, taps, KERN_REMAP_U16));
			quads_to(to + quad * QUADS * KERN_REMAP_CHANNELS,
				quads_pack_words(first, second));
		}
	}
}

REMAP_INLINE void
remap_deep_float(const struct remap_work *work, int taps)
{
	for (uint32_t i = 0; i < work->a->count; i += QUADS_PIXELS) {
		float *to = (float *)work->a->to + (size_t)i * KERN_REMAP_CHANNELS;
		for (uint32_t quad = 0; quad < 4; quad++) {
			remap_ask_below(work, i + quad * QUADS, taps);
			quads_to(to + quad * QUADS * KERN_REMAP_CHANNELS,
				(quads)remap_deep_quad(
					work, i, quad, taps, KERN_REMAP_FLOAT));
		}
	}
}

static inline void
remap_deep(const struct remap_work *work, int taps)
{
	const int is_float = work->a->picture->type == KERN_REMAP_FLOAT;
	if (taps == 2)
		is_float ? remap_deep_float(work, 2) : remap_deep_u16(work, 2);
	else if (taps == 4)
		is_float ? remap_deep_float(work, 4) : remap_deep_u16(work, 4);
	else
		is_float ? remap_deep_float(work, 6) : remap_deep_u16(work, 6);
}

#endif
