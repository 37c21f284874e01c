/* SPDX-License-Identifier: BSD-2-Clause */
/* The meaning of sampling: see remap.h.  A pixel at a time, a channel at a time. */
#include "kernels/remap.h"

#include "kernels/caps.h"
#include "kernels/view.h"

#include <string.h>

#define CHANNELS KERN_REMAP_CHANNELS

/* --- sampling ---------------------------------------------------------------- */

/* A coordinate, rounded to so many bits behind the point: the pixel and the rest. */
struct place {
	int32_t whole;
	uint32_t fraction;
};

static struct place
place(int32_t coordinate, unsigned bits)
{
	int32_t rounded = bits == KERN_VIEW_BITS
				  ? coordinate
				  : (coordinate + (1 << (KERN_VIEW_BITS - bits - 1))) >>
					    (KERN_VIEW_BITS - bits);
	return (struct place){rounded >> bits, (uint32_t)rounded & ((1u << bits) - 1)};
}

/* u after the turn, in [-ONE/2, W ONE - ONE/2). */
static int32_t
turned(const struct kern_remap *a, uint32_t i)
{
	int64_t width = (int64_t)a->picture->width * KERN_VIEW_ONE;
	int64_t u = (int64_t)a->u[i] + a->shift;
	return (int32_t)(u >= width - KERN_VIEW_ONE / 2 ? u - width : u);
}

/* Where the filter's first tap lies. */
static const void *
corner(const struct kern_remap *a, int32_t column, int32_t row, int taps)
{
	const struct kern_remap_picture *picture = a->picture;
	int before = taps > 1 ? taps / 2 - 1 : 0;
	int64_t down = (int64_t)row - before - (int64_t)picture->first_row;
	return (const char *)picture->pixels + down * (int64_t)picture->stride +
	       (ptrdiff_t)(column - before) * (ptrdiff_t)kern_remap_pixel(picture->type);
}

static void
nearest(const struct kern_remap *a)
{
	size_t pixel = kern_remap_pixel(a->picture->type);
	for (uint32_t i = 0; i < a->count; i++) {
		int32_t column = (turned(a, i) + KERN_VIEW_ONE / 2) >> KERN_VIEW_BITS;
		int32_t row = (a->v[i] + KERN_VIEW_ONE / 2) >> KERN_VIEW_BITS;
		memcpy((char *)a->to + i * pixel, corner(a, column, row, 1), pixel);
	}
}

static void
bilinear_u8(const struct kern_remap *a)
{
	uint8_t *to = a->to;
	for (uint32_t i = 0; i < a->count; i++, to += CHANNELS) {
		struct place x = place(turned(a, i), 8), y = place(a->v[i], 8);
		const uint8_t *top = corner(a, x.whole, y.whole, 2);
		const uint8_t *bottom = top + a->picture->stride;
		for (int c = 0; c < CHANNELS; c++) {
			uint32_t above = top[c] * (256 - x.fraction) +
					 top[CHANNELS + c] * x.fraction;
			uint32_t below = bottom[c] * (256 - x.fraction) +
					 bottom[CHANNELS + c] * x.fraction;
			to[c] = (uint8_t)((above * (256 - y.fraction) +
						  below * y.fraction + (1 << 15)) >>
					  16);
		}
	}
}

static void
wide_u8(const struct kern_remap *a, int taps)
{
	uint8_t *to = a->to;
	for (uint32_t i = 0; i < a->count; i++, to += CHANNELS) {
		struct place x = place(turned(a, i), 8), y = place(a->v[i], 8);
		const int16_t *across = a->weights->fixed[x.fraction];
		const int16_t *down = a->weights->fixed[y.fraction];
		const uint8_t *from = corner(a, x.whole, y.whole, taps);
		int32_t sum[CHANNELS] = {0};
		for (int row = 0; row < taps; row++, from += a->picture->stride)
			for (int c = 0; c < CHANNELS; c++) {
				int32_t h = 0;
				for (int tap = 0; tap < taps; tap++)
					h += across[tap] * from[tap * CHANNELS + c];
				sum[c] += down[row] * ((h + (1 << 7)) >> 8);
			}
		for (int c = 0; c < CHANNELS; c++) {
			int32_t value = (sum[c] + (1 << 19)) >> 20;
			to[c] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
		}
	}
}

/* What is common to 16 bits and float: weights of both directions and the corner. */
struct taps {
	float bilinear[2][2];
	const float *across, *down;
	const void *from;
};

static void
find_taps(const struct kern_remap *a, uint32_t i, int taps, struct taps *t)
{
	unsigned bits = taps == 2 ? KERN_VIEW_BITS : 10;
	struct place x = place(turned(a, i), bits), y = place(a->v[i], bits);
	t->from = corner(a, x.whole, y.whole, taps);
	if (taps > 2) {
		t->across = a->weights->exact[x.fraction];
		t->down = a->weights->exact[y.fraction];
		return;
	}
	t->bilinear[0][1] = (float)x.fraction * 0x1p-16f;
	t->bilinear[1][1] = (float)y.fraction * 0x1p-16f;
	for (int k = 0; k < 2; k++)
		t->bilinear[k][0] = 1.0f - t->bilinear[k][1];
	t->across = t->bilinear[0];
	t->down = t->bilinear[1];
}

static void
wide_u16(const struct kern_remap *a, int taps)
{
	uint16_t *to = a->to;
	struct taps t;
	for (uint32_t i = 0; i < a->count; i++, to += CHANNELS) {
		find_taps(a, i, taps, &t);
		for (int c = 0; c < CHANNELS; c++) {
			const char *from = t.from;
			float sum = 0.0f;
			for (int row = 0; row < taps; row++, from += a->picture->stride) {
				const uint16_t *pixel =
					(const uint16_t *)(const void *)from;
				float h = 0.0f;
				for (int tap = 0; tap < taps; tap++)
					h += t.across[tap] *
					     (float)pixel[tap * CHANNELS + c];
				sum += t.down[row] * h;
			}
			sum += 0.5f;
			to[c] = (uint16_t)(sum < 0.0f	    ? 0.0f
					   : sum > 65535.0f ? 65535.0f
							    : sum);
		}
	}
}

static void
wide_float(const struct kern_remap *a, int taps)
{
	float *to = a->to;
	struct taps t;
	for (uint32_t i = 0; i < a->count; i++, to += CHANNELS) {
		find_taps(a, i, taps, &t);
		for (int c = 0; c < CHANNELS; c++) {
			const char *from = t.from;
			float sum = 0.0f;
			for (int row = 0; row < taps; row++, from += a->picture->stride) {
				const float *pixel = (const float *)(const void *)from;
				float h = 0.0f;
				for (int tap = 0; tap < taps; tap++)
					h += t.across[tap] * pixel[tap * CHANNELS + c];
				sum += t.down[row] * h;
			}
			to[c] = sum;
		}
	}
}

int
kern_remap_c(const struct kern_remap *a, void *queue)
{
	int taps = (int)kern_remap_taps(a->filter);
	(void)queue;
	if (a->filter == KERN_REMAP_NEAREST)
		nearest(a);
	else if (a->picture->type == KERN_REMAP_U16)
		wide_u16(a, taps);
	else if (a->picture->type == KERN_REMAP_FLOAT)
		wide_float(a, taps);
	else if (a->filter == KERN_REMAP_BILINEAR)
		bilinear_u8(a);
	else
		wide_u8(a, taps);
	return 0;
}

kern_remap_fn *
kern_remap_pick(unsigned caps)
{
#if defined(__x86_64__)
	if (caps & KERN_CAP_AVX512)
		return kern_remap_avx512;
	if (caps & KERN_CAP_AVX2)
		return kern_remap_avx2;
#endif
	(void)caps;
	return kern_remap_c;
}
