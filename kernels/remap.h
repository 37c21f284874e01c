/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remap.h - samples a panorama at the places that a map (view.h) names.
 *
 * Pictures have four channels of 8 bits, 16 bits or float; what the fourth means is the
 * caller's matter: alpha must come premultiplied.
 *
 * The panorama carries a margin of KERN_REMAP_MARGIN pixels on all sides, so that no
 * sample looks for the seam or the poles: columns go round, and beyond a pole lies the
 * row reflected and moved by half the width, for the meridian beyond the pole is the
 * opposite one.  Only a band of rows need be there.
 *
 * 8 bits: coordinates are rounded to 1/256 of a pixel, and all is integers.
 *   bilinear: ((a (256 - x) + b x) (256 - y) + (c (256 - x) + d x) y + 2^15) >> 16
 *   bicubic, lanczos3: horizontally (sum of w p + 2^7) >> 8 with weights of 2^14 in all,
 *   vertically (sum of w h + 2^19) >> 20, held within 0..255.
 * 16 bits, float: weights in float for coordinates rounded to 1/1024, bilinear to 1/65536;
 * rows first, from left to right, then the columns from top to bottom; 16 bits are rounded
 * half up and held within 0..65535, float stays as it comes.
 *
 * Bicubic is Keys' with a = -1/2 (Cubic Convolution Interpolation for Digital Image
 * Processing, 1981, equation 15); Lanczos has three lobes, its weights made to sum to 1.
 *
 * Grade: EXACT for 8 and 16 bits and float: nothing is fused, sums go in the order above.
 * Of a NaN only that it is one.
 */
#ifndef KERN_REMAP_H
#define KERN_REMAP_H

#include <stddef.h>
#include <stdint.h>

#define KERN_REMAP_MARGIN   3
#define KERN_REMAP_CHANNELS 4

enum kern_remap_filter {
	KERN_REMAP_NEAREST,
	KERN_REMAP_BILINEAR,
	KERN_REMAP_BICUBIC,
	KERN_REMAP_LANCZOS3,
};

enum kern_remap_type { KERN_REMAP_U8, KERN_REMAP_U16, KERN_REMAP_FLOAT };

/* Weights of the filters that have more than two taps, by fraction. */
struct kern_remap_weights {
	int16_t fixed[256][6]; /* sums of 2^14 */
	float exact[1024][6];  /* sums of 1 */
};

struct kern_remap_picture {
	void *pixels; /* of column 0 of row first_row; the margin lies around it */
	size_t stride;
	uint32_t width, height;	       /* of the whole panorama, even width */
	uint32_t first_row, row_count; /* that are there, without the margin */
	enum kern_remap_type type;
};

struct kern_remap {
	const struct kern_remap_picture *picture;
	enum kern_remap_filter filter;
	const struct kern_remap_weights *weights; /* NULL for nearest and bilinear */
	const int32_t *u, *v;			  /* count of each, as kern_view_row() */
	int32_t shift;				  /* added to u: kern_view_shift() */
	uint32_t count;
	void *to; /* count pixels of the picture's type */
};

/* See caps.h. */
typedef int kern_remap_fn(const struct kern_remap *a, void *queue);
kern_remap_fn kern_remap_c, kern_remap_avx2, kern_remap_avx512;
kern_remap_fn *kern_remap_pick(unsigned caps);

/* Bytes of a pixel. */
size_t kern_remap_pixel(enum kern_remap_type type);

/* 2, 4 or 6; 1 for nearest. */
unsigned kern_remap_taps(enum kern_remap_filter filter);

/* Fills the table for bicubic or Lanczos. */
void kern_remap_fill(enum kern_remap_filter filter, struct kern_remap_weights *weights);

/* Fills the margin from the rows that are there: the columns, and beyond a pole the rows
 * where the band reaches it.  At the band's other edges the last row is repeated; no view
 * that the band was made for looks there. */
void kern_remap_pad(const struct kern_remap_picture *picture);

#endif
