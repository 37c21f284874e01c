/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remap_walk.h - a view's pixels one at a time, each for a thread of its own: the same
 * lines for CUDA and for the tests on the CPU.
 *
 * Where a pixel's samples lie comes from a map, as remap.h has it, or from the view's
 * geometry (view_place.h), which needs no memory.  With a plan (supersample.h) a pixel is
 * the mean of its samples.
 *
 * On CUDA all pointers are the device's.  The picture's pixels are aligned to their size,
 * and its stride is a multiple of it.
 *
 * Grade: EXACT, as kern_remap_c() and kern_supersample_mean_c() have it, by either.
 */
#ifndef KERN_REMAP_WALK_H
#define KERN_REMAP_WALK_H

#include "kernels/both.h"
#include "kernels/remap.h"
#include "kernels/supersample.h"
#include "kernels/view_place.h"

#include <string.h>

struct kern_remap_walk {
	struct kern_remap_picture picture;
	enum kern_remap_filter filter;
	const struct kern_remap_weights *weights; /* NULL for nearest and bilinear */
	struct kern_view view; /* of which only width and height count with a map */
	const int32_t *u, *v;  /* of all samples of the view; NULL: by its geometry */
	int32_t shift;	       /* kern_view_shift() */
	const uint8_t *plan;   /* [height][width]; NULL: one sample each */
	/* [height][width], with a plan and a map: where each pixel's samples begin. */
	const uint32_t *first;
	uint32_t first_row, row_count; /* of the view, that are made */
	void *to;		       /* [row_count][width] pixels */
};

typedef int kern_remap_walk_fn(const struct kern_remap_walk *a, void *queue);
/* Only where it was built with nvcc.  0, or -EIO when the launch failed. */
kern_remap_walk_fn kern_remap_walk_cuda;

/* A pixel's bits, one word, two or four, by a load of the whole pixel. */
KERN_BOTH void
kern_remap_walk_load(const char *from, enum kern_remap_type type, uint32_t *bits)
{
#ifdef __CUDA_ARCH__
	if (type == KERN_REMAP_U8) {
		bits[0] = *(const uint32_t *)from;
	} else if (type == KERN_REMAP_U16) {
		const uint2 two = *(const uint2 *)from;
		bits[0] = two.x;
		bits[1] = two.y;
	} else {
		const uint4 four = *(const uint4 *)from;
		bits[0] = four.x;
		bits[1] = four.y;
		bits[2] = four.z;
		bits[3] = four.w;
	}
#else
	memcpy(bits, from, kern_remap_pixel(type));
#endif
}

KERN_BOTH void
kern_remap_walk_store(
	void *to, size_t i, enum kern_remap_type type, const uint32_t bits[4])
{
#ifdef __CUDA_ARCH__
	if (type == KERN_REMAP_U8)
		((uint32_t *)to)[i] = bits[0];
	else if (type == KERN_REMAP_U16)
		((uint2 *)to)[i] = make_uint2(bits[0], bits[1]);
	else
		((uint4 *)to)[i] = make_uint4(bits[0], bits[1], bits[2], bits[3]);
#else
	const size_t pixel = kern_remap_pixel(type);
	memcpy((char *)to + i * pixel, bits, pixel);
#endif
}

/* Channel c of a pixel of 8 or 16 bits. */
KERN_BOTH uint32_t
kern_remap_walk_channel(const uint32_t bits[4], enum kern_remap_type type, int c)
{
	return type == KERN_REMAP_U8 ? bits[0] >> (8 * c) & 255u
				     : bits[c / 2] >> (16 * (c % 2)) & 65535u;
}

KERN_BOTH float
kern_remap_walk_value(const uint32_t bits[4], enum kern_remap_type type, int c)
{
	float value;
	if (type != KERN_REMAP_FLOAT)
		return (float)kern_remap_walk_channel(bits, type, c);
	memcpy(&value, &bits[c], sizeof value);
	return value;
}

/* Where a sample lies: the pixel before it and the fractions, of so many bits. */
struct kern_remap_walk_place {
	int32_t column, row;
	uint32_t x, y;
};

KERN_BOTH int32_t
kern_remap_walk_round(int32_t coordinate, int bits)
{
	return bits == KERN_VIEW_BITS
		       ? coordinate
		       : (coordinate + (1 << (KERN_VIEW_BITS - bits - 1))) >>
				 (KERN_VIEW_BITS - bits);
}

KERN_BOTH struct kern_remap_walk_place
kern_remap_walk_find(const struct kern_remap_walk *a, int32_t u, int32_t v, int bits)
{
	const int64_t past = (int64_t)a->picture.width * KERN_VIEW_ONE;
	const int64_t turned = (int64_t)u + a->shift;
	const int32_t across = kern_remap_walk_round(
		(int32_t)(turned >= past - KERN_VIEW_ONE / 2 ? turned - past : turned),
		bits);
	const int32_t along = kern_remap_walk_round(v, bits);
	struct kern_remap_walk_place place;
	place.column = across >> bits;
	place.row = along >> bits;
	place.x = (uint32_t)across & ((1u << bits) - 1);
	place.y = (uint32_t)along & ((1u << bits) - 1);
	return place;
}

/* Where the filter's first tap lies. */
KERN_BOTH const char *
kern_remap_walk_corner(const struct kern_remap_walk *a,
	const struct kern_remap_walk_place *place, int taps, size_t pixel)
{
	const int before = taps > 1 ? taps / 2 - 1 : 0;
	return (const char *)a->picture.pixels +
	       ((int64_t)place->row - before - (int64_t)a->picture.first_row) *
		       (int64_t)a->picture.stride +
	       ((int64_t)place->column - before) * (int64_t)pixel;
}

KERN_BOTH void
kern_remap_walk_bilinear_u8(
	const struct kern_remap_walk *a, int32_t u, int32_t v, uint32_t to[4])
{
	const struct kern_remap_walk_place place = kern_remap_walk_find(a, u, v, 8);
	const char *top = kern_remap_walk_corner(a, &place, 2, KERN_REMAP_CHANNELS);
	uint32_t p[4];
	for (int k = 0; k < 4; k++)
		kern_remap_walk_load(
			top + (k / 2) * a->picture.stride + (k % 2) * KERN_REMAP_CHANNELS,
			KERN_REMAP_U8, &p[k]);
	to[0] = 0;
	for (int c = 0; c < KERN_REMAP_CHANNELS; c++) {
		const uint32_t above = (p[0] >> (8 * c) & 255u) * (256 - place.x) +
				       (p[1] >> (8 * c) & 255u) * place.x;
		const uint32_t below = (p[2] >> (8 * c) & 255u) * (256 - place.x) +
				       (p[3] >> (8 * c) & 255u) * place.x;
		to[0] |= (above * (256 - place.y) + below * place.y + (1 << 15)) >>
			 16 << (8 * c);
	}
}

KERN_BOTH void
kern_remap_walk_wide_u8(
	const struct kern_remap_walk *a, int32_t u, int32_t v, int taps, uint32_t to[4])
{
	const struct kern_remap_walk_place place = kern_remap_walk_find(a, u, v, 8);
	const int16_t *across = a->weights->fixed[place.x];
	const int16_t *down = a->weights->fixed[place.y];
	const char *from = kern_remap_walk_corner(a, &place, taps, KERN_REMAP_CHANNELS);
	int32_t sum[KERN_REMAP_CHANNELS] = {0, 0, 0, 0};
	for (int row = 0; row < taps; row++, from += a->picture.stride) {
		int32_t h[KERN_REMAP_CHANNELS] = {0, 0, 0, 0};
		for (int tap = 0; tap < taps; tap++) {
			uint32_t p;
			kern_remap_walk_load(
				from + tap * KERN_REMAP_CHANNELS, KERN_REMAP_U8, &p);
			for (int c = 0; c < KERN_REMAP_CHANNELS; c++)
				h[c] += across[tap] * (int32_t)(p >> (8 * c) & 255u);
		}
		for (int c = 0; c < KERN_REMAP_CHANNELS; c++)
			sum[c] += down[row] * ((h[c] + (1 << 7)) >> 8);
	}
	to[0] = 0;
	for (int c = 0; c < KERN_REMAP_CHANNELS; c++) {
		const int32_t value = (sum[c] + (1 << 19)) >> 20;
		to[0] |= (uint32_t)(value < 0 ? 0 : value > 255 ? 255 : value) << (8 * c);
	}
}

/* 16 bits and float: weights in float, rows first. */
KERN_BOTH void
kern_remap_walk_exact(const struct kern_remap_walk *a, int32_t u, int32_t v,
	enum kern_remap_type type, int taps, uint32_t to[4])
{
	const struct kern_remap_walk_place place =
		kern_remap_walk_find(a, u, v, taps == 2 ? KERN_VIEW_BITS : 10);
	const size_t pixel = type == KERN_REMAP_U16 ? 8 : 16;
	const char *from = kern_remap_walk_corner(a, &place, taps, pixel);
	const float x = (float)place.x * 0x1p-16f, y = (float)place.y * 0x1p-16f;
	float sum[KERN_REMAP_CHANNELS] = {0.0f, 0.0f, 0.0f, 0.0f};
	for (int row = 0; row < taps; row++, from += a->picture.stride) {
		const float down = taps == 2 ? (row == 0 ? 1.0f - y : y)
					     : a->weights->exact[place.y][row];
		float h[KERN_REMAP_CHANNELS] = {0.0f, 0.0f, 0.0f, 0.0f};
		for (int tap = 0; tap < taps; tap++) {
			const float across = taps == 2 ? (tap == 0 ? 1.0f - x : x)
						       : a->weights->exact[place.x][tap];
			uint32_t bits[4];
			kern_remap_walk_load(from + (size_t)tap * pixel, type, bits);
			for (int c = 0; c < KERN_REMAP_CHANNELS; c++)
				h[c] += across * kern_remap_walk_value(bits, type, c);
		}
		for (int c = 0; c < KERN_REMAP_CHANNELS; c++)
			sum[c] += down * h[c];
	}
	if (type == KERN_REMAP_FLOAT) {
		memcpy(to, sum, sizeof sum);
		return;
	}
	to[0] = to[1] = 0;
	for (int c = 0; c < KERN_REMAP_CHANNELS; c++) {
		const float value = sum[c] + 0.5f;
		const uint32_t whole = (uint32_t)(value < 0.0f	     ? 0.0f
						  : value > 65535.0f ? 65535.0f
								     : value);
		to[c / 2] |= whole << (16 * (c % 2));
	}
}

/* One sample's bits. */
KERN_BOTH void
kern_remap_walk_sample(const struct kern_remap_walk *a, int32_t u, int32_t v,
	enum kern_remap_type type, int taps, uint32_t to[4])
{
	if (taps == 1) {
		/* Rounded to the nearest pixel, after the turn. */
		struct kern_remap_walk_place place =
			kern_remap_walk_find(a, u, v, KERN_VIEW_BITS);
		place.column += place.x >= KERN_VIEW_ONE / 2;
		place.row += place.y >= KERN_VIEW_ONE / 2;
		kern_remap_walk_load(kern_remap_walk_corner(a, &place, 1,
					     type == KERN_REMAP_U8    ? 4
					     : type == KERN_REMAP_U16 ? 8
								      : 16),
			type, to);
	} else if (type != KERN_REMAP_U8) {
		kern_remap_walk_exact(a, u, v, type, taps, to);
	} else if (taps == 2) {
		kern_remap_walk_bilinear_u8(a, u, v, to);
	} else {
		kern_remap_walk_wide_u8(a, u, v, taps, to);
	}
}

/* Sample k of the n across a pixel, by the geometry. */
KERN_BOTH void
kern_remap_walk_by_view(const struct kern_remap_walk *a, const uint32_t at[2],
	const uint32_t n[2], uint32_t k, int32_t place[2])
{
	kern_view_place(&a->view, at[0] + (k % n[0] + 0.5) / n[0],
		at[1] + (k / n[0] + 0.5) / n[1], &place[0], &place[1]);
}

/* The mean of a pixel's samples, rounded half up. */
KERN_BOTH void
kern_remap_walk_mean(const struct kern_remap_walk *a, const uint32_t at[2],
	enum kern_remap_type type, int taps, uint32_t to[4])
{
	const size_t i = (size_t)at[1] * a->view.width + at[0];
	const uint32_t n[2] = {a->plan[i] & 15u, (uint32_t)a->plan[i] >> 4};
	const uint32_t count = n[0] * n[1];
	uint32_t sum[KERN_REMAP_CHANNELS] = {count / 2, count / 2, count / 2, count / 2};
	float total[KERN_REMAP_CHANNELS] = {0.0f, 0.0f, 0.0f, 0.0f};
	for (uint32_t k = 0; k < count; k++) {
		int32_t place[2];
		uint32_t bits[4];
		if (a->u == NULL) {
			kern_remap_walk_by_view(a, at, n, k, place);
		} else {
			place[0] = a->u[a->first[i] + k];
			place[1] = a->v[a->first[i] + k];
		}
		kern_remap_walk_sample(a, place[0], place[1], type, taps, bits);
		for (int c = 0; c < KERN_REMAP_CHANNELS; c++)
			if (type == KERN_REMAP_FLOAT)
				total[c] += kern_remap_walk_value(bits, type, c);
			else
				sum[c] += kern_remap_walk_channel(bits, type, c);
	}
	to[0] = to[1] = 0;
	for (int c = 0; c < KERN_REMAP_CHANNELS; c++) {
		const float mean = total[c] / (float)count;
		if (type == KERN_REMAP_FLOAT)
			memcpy(&to[c], &mean, sizeof mean);
		else if (type == KERN_REMAP_U8)
			to[0] |= sum[c] / count << (8 * c);
		else
			to[c / 2] |= sum[c] / count << (16 * (c % 2));
	}
}

/* Column and row of the view; type and taps are the picture's and the filter's, as
 * constants where that helps. */
KERN_BOTH void
kern_remap_walk_pixel(const struct kern_remap_walk *a, uint32_t column, uint32_t row,
	enum kern_remap_type type, int taps)
{
	const uint32_t at[2] = {column, a->first_row + row};
	const uint32_t one[2] = {1, 1};
	const size_t i = (size_t)at[1] * a->view.width + column;
	int32_t place[2];
	uint32_t bits[4];
	if (a->plan != NULL) {
		kern_remap_walk_mean(a, at, type, taps, bits);
	} else {
		if (a->u == NULL) {
			kern_remap_walk_by_view(a, at, one, 0, place);
		} else {
			place[0] = a->u[i];
			place[1] = a->v[i];
		}
		kern_remap_walk_sample(a, place[0], place[1], type, taps, bits);
	}
	kern_remap_walk_store(a->to, (size_t)row * a->view.width + column, type, bits);
}

#endif
