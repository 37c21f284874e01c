/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/thumbnail.h"

#include <math.h>
#include <string.h>

/* A view's columns whose sums stay near while its rows are added. */
#define SPAN 64

void
pv_thumbnail_tones(uint8_t tones[PV_THUMBNAIL_TONES + 1])
{
	for (int i = 0; i <= PV_THUMBNAIL_TONES; i++) {
		const double x = (double)i / PV_THUMBNAIL_TONES;
		tones[i] = (uint8_t)lrint(
			255.0 *
			(x <= 0.0031308 ? 12.92 * x : 1.055 * pow(x, 1 / 2.4) - 0.055));
	}
}

/* 0..1 in so many steps; what is no number is 0. */
static uint32_t
steps(float value, uint32_t count)
{
	return value > 0 ? (uint32_t)(fminf(value, 1) * (float)count + 0.5f) : 0;
}

/* A pixel as it looks on a screen, its alpha apart.  Light has to be whole before it is
 * made a tone, so an associated alpha is taken out of it. */
static void
shown(const struct pv_thumbnail *small, const void *pixels, size_t at,
	uint32_t to[FMT_IMAGE_CHANNELS])
{
	if (small->type == FMT_IMAGE_U8) {
		for (size_t c = 0; c < FMT_IMAGE_CHANNELS; c++)
			to[c] = ((const uint8_t *)pixels)[at + c];
	} else if (small->type == FMT_IMAGE_U16) {
		for (size_t c = 0; c < FMT_IMAGE_CHANNELS; c++)
			to[c] = (((const uint16_t *)pixels)[at + c] * 255u + 32767) /
				65535;
	} else {
		const float *light = (const float *)pixels + at;
		const float part = small->is_associated ? light[3] : 1;
		for (size_t c = 0; c < 3; c++)
			to[c] = small->tones[steps(light[c] / part, PV_THUMBNAIL_TONES)];
		to[3] = steps(light[3], 255);
	}
}

/* Some pixels of 8 bits over the paper: as they are, or made in room. */
static const uint8_t *
over_paper(const struct pv_thumbnail *small, const void *pixels, size_t count,
	uint8_t room[SPAN * FMT_IMAGE_CHANNELS])
{
	if (small->type == FMT_IMAGE_U8 && small->is_opaque)
		return pixels;
	const int is_multiplied = small->is_associated && small->type != FMT_IMAGE_FLOAT;
	for (size_t i = 0; i < count * FMT_IMAGE_CHANNELS; i += FMT_IMAGE_CHANNELS) {
		uint32_t pixel[FMT_IMAGE_CHANNELS];
		shown(small, pixels, i, pixel);
		const uint32_t share = is_multiplied ? 255 : pixel[3];
		for (size_t c = 0; c < 3; c++) {
			const uint32_t sum = pixel[c] * share +
					     small->paper[c] * (255 - pixel[3]) + 127;
			room[i + c] = (uint8_t)(sum < 255 * 255 ? sum / 255 : 255);
		}
		room[i + 3] = 255;
	}
	return room;
}

/* Each column's sum over the stripe's rows first..past-1. */
static void
add_up(const struct pv_thumbnail *small, const struct fmt_image_stripe *stripe,
	const uint32_t rows[2], const uint32_t columns[2],
	uint16_t sums[SPAN * FMT_IMAGE_CHANNELS])
{
	const size_t count = columns[1] - columns[0];
	const char *from =
		(const char *)stripe->pixels + columns[0] * fmt_image_pixel(small->type);
	uint8_t room[SPAN * FMT_IMAGE_CHANNELS];
	memset(sums, 0, SPAN * FMT_IMAGE_CHANNELS * sizeof *sums);
	for (uint32_t row = rows[0]; row < rows[1]; row++) {
		const uint8_t *pixels =
			over_paper(small, from + row * stripe->stride, count, room);
		/* The usual count is one that compilers know. */
		if (count == SPAN)
			for (size_t i = 0; i < SPAN * FMT_IMAGE_CHANNELS; i++)
				sums[i] = (uint16_t)(sums[i] + pixels[i]);
		else
			for (size_t i = 0; i < count * FMT_IMAGE_CHANNELS; i++)
				sums[i] = (uint16_t)(sums[i] + pixels[i]);
	}
}

/* Where a pixel of the small picture begins in the view, and the one before it ends. */
static uint32_t
edge(uint32_t at, uint32_t size, uint32_t view_size)
{
	return at * view_size / size;
}

static void
add_rows(struct pv_thumbnail *small, const struct fmt_image_stripe *stripe,
	const uint32_t rows[2])
{
	const uint32_t width = small->view_width;
	uint16_t sums[SPAN * FMT_IMAGE_CHANNELS];
	uint32_t x = 0, right = edge(1, small->width, width), past;
	for (uint32_t left = 0; left < width; left = past) {
		past = width - left < SPAN ? width : left + SPAN;
		add_up(small, stripe, rows, (const uint32_t[]){left, past}, sums);
		const uint16_t *sum = sums;
		for (uint32_t column = left; column < past; column++) {
			if (column == right)
				right = edge(++x + 1, small->width, width);
			for (size_t c = 0; c < FMT_IMAGE_CHANNELS; c++)
				small->sums[x][c] += *sum++;
		}
	}
}

/* Alpha stays as the paper's is. */
static void
draw_row(struct pv_thumbnail *small, uint32_t row_count)
{
	uint8_t *to = small->to + small->row * small->stride;
	uint32_t left = 0;
	for (uint32_t x = 0; x < small->width; x++) {
		const uint32_t right = edge(x + 1, small->width, small->view_width);
		const uint32_t count = (right - left) * row_count;
		for (size_t c = 0; c < 3; c++)
			to[c] = (uint8_t)((small->sums[x][c] + count / 2) / count);
		to += FMT_IMAGE_CHANNELS;
		left = right;
	}
	memset(small->sums, 0, sizeof small->sums);
	small->row++;
}

void
pv_thumbnail_add(struct pv_thumbnail *small, const struct fmt_image_stripe *stripe)
{
	uint32_t past;
	for (uint32_t at = 0; at < stripe->count; at = past) {
		const uint32_t height = small->view_height;
		const uint32_t top = edge(small->row, small->height, height);
		const uint32_t bottom = edge(small->row + 1, small->height, height);
		const uint32_t left = bottom - small->next;
		past = stripe->count - at < left ? stripe->count : at + left;
		add_rows(small, stripe, (const uint32_t[]){at, past});
		small->next += past - at;
		if (small->next == bottom)
			draw_row(small, bottom - top);
	}
}
