/* SPDX-License-Identifier: BSD-2-Clause */
/* What is readied before a picture is remapped, by whichever variant: sizes, the weights
 * of the taps, the margin. */
#include "kernels/remap.h"

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
