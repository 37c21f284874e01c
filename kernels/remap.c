/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernels/remap.h"

#include "kernels/caps.h"
#include "kernels/view.h"

#include <math.h>
#include <string.h>

#define CHANNELS KERN_REMAP_CHANNELS
#define MARGIN	 KERN_REMAP_MARGIN

size_t
kern_remap_pixel(enum kern_remap_type type)
{
	return CHANNELS * (type == KERN_REMAP_U8	   ? sizeof(uint8_t)
				  : type == KERN_REMAP_U16 ? sizeof(uint16_t)
							   : sizeof(float));
}

unsigned
kern_remap_taps(enum kern_remap_filter filter)
{
	static const unsigned taps[] = {1, 2, 4, 6};
	return taps[filter];
}

/* --- weights ----------------------------------------------------------------- */

static double
cubic(double x)
{
	x = fabs(x);
	if (x < 1.0)
		return (1.5 * x - 2.5) * x * x + 1.0;
	return x < 2.0 ? ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0 : 0.0;
}

static double
lanczos(double x)
{
	if (fabs(x) < 1e-12)
		return 1.0;
	return fabs(x) < 3.0
		       ? 3.0 * sin(M_PI * x) * sin(M_PI * x / 3.0) / (M_PI * M_PI * x * x)
		       : 0.0;
}

/* Weights of the taps for a fraction, summing to 1. */
static void
weigh(enum kern_remap_filter filter, double fraction, double *weights)
{
	int taps = (int)kern_remap_taps(filter);
	double sum = 0.0;
	for (int tap = 0; tap < taps; tap++) {
		double distance = tap - (taps / 2 - 1) - fraction;
		weights[tap] = filter == KERN_REMAP_BICUBIC ? cubic(distance)
							    : lanczos(distance);
		sum += weights[tap];
	}
	for (int tap = 0; tap < taps; tap++)
		weights[tap] /= sum;
}

/* Rounding must not change the sum, or an even grey would change: what it leaves goes to
 * the greatest weight. */
static void
round_weights(const double *weights, unsigned taps, int16_t *to)
{
	int left = 1 << 14;
	unsigned greatest = 0;
	for (unsigned tap = 0; tap < taps; tap++) {
		to[tap] = (int16_t)lrint(weights[tap] * (1 << 14));
		left -= to[tap];
		if (weights[tap] > weights[greatest])
			greatest = tap;
	}
	to[greatest] = (int16_t)(to[greatest] + left);
}

void
kern_remap_fill(enum kern_remap_filter filter, struct kern_remap_weights *weights)
{
	unsigned taps = kern_remap_taps(filter);
	double exact[6];
	memset(weights, 0, sizeof *weights);
	for (int i = 0; i < 256; i++) {
		weigh(filter, i / 256.0, exact);
		round_weights(exact, taps, weights->fixed[i]);
	}
	for (int i = 0; i < 1024; i++) {
		weigh(filter, i / 1024.0, exact);
		for (unsigned tap = 0; tap < taps; tap++)
			weights->exact[i][tap] = (float)exact[tap];
	}
}

/* --- the margin -------------------------------------------------------------- */

static char *
row_of(const struct kern_remap_picture *picture, int64_t row)
{
	return (char *)picture->pixels +
	       (row - (int64_t)picture->first_row) * (int64_t)picture->stride;
}

/* The row of the band that stands for one beyond it; *turned: seen across a pole. */
static int64_t
stands_for(const struct kern_remap_picture *picture, int64_t row, int *turned)
{
	int64_t height = picture->height, first = picture->first_row;
	int64_t last = first + picture->row_count - 1;
	int64_t reflected = row < 0	    ? -1 - row
			    : row >= height ? 2 * height - 1 - row
					    : row;
	*turned = reflected != row;
	return reflected < first ? first : reflected > last ? last : reflected;
}

void
kern_remap_pad(const struct kern_remap_picture *picture)
{
	const size_t pixel = kern_remap_pixel(picture->type);
	const int64_t first = picture->first_row, past = first + picture->row_count;
	const uint32_t width = picture->width;
	for (int64_t row = first - MARGIN; row < past + MARGIN; row++) {
		char *to = row_of(picture, row);
		int turned;
		const char *from = row_of(picture, stands_for(picture, row, &turned));
		uint32_t half = turned ? width / 2 : 0;
		if (from != to) {
			memcpy(to, from + half * pixel, (width - half) * pixel);
			memcpy(to + (width - half) * pixel, from, half * pixel);
		}
		for (int32_t k = 1; k <= MARGIN; k++) {
			int32_t left =
				(int32_t)(width - (uint32_t)k % width) % (int32_t)width;
			memcpy(to - (ptrdiff_t)(k * pixel), to + (size_t)left * pixel,
				pixel);
			memcpy(to + (width + (size_t)k - 1) * pixel,
				to + ((size_t)k - 1) % width * pixel, pixel);
		}
	}
}

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
	int before = taps > 1 ? taps / 2 - 1 : 0;
	return row_of(a->picture, (int64_t)row - before) +
	       (ptrdiff_t)(column - before) *
		       (ptrdiff_t)kern_remap_pixel(a->picture->type);
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
