/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jpeg_rows.h - from a JPEG's coefficients to rows of pixels: the inverse DCT of Loeffler,
 * Ligtenberg and Moschytz (Practical fast 1-D DCT algorithms with 11 multiplications,
 * 1989) in integers, chroma spread by a triangle, YCbCr to RGB (JFIF 1.02).
 *
 * Grade: EXACT; all variants give the same bytes, and those are libjpeg's for what an
 * encoder can have written.  At the end of every row that is written there is room for
 * FMT_JPEG_ROWS_SLACK values, which may be overwritten; as much may be read beyond what
 * is asked for.  Any thread.
 */
#ifndef FMT_JPEG_ROWS_H
#define FMT_JPEG_ROWS_H

#include <stddef.h>
#include <stdint.h>

#define FMT_JPEG_ROWS_SLACK 64

struct fmt_jpeg_rows {
	const char *name;
	/* 64 coefficients and what they are multiplied by, row by row and both aligned to
	 * 32 bytes, to 8 x 8 samples. */
	void (*idct)(
		const int16_t *block, const int16_t *quantum, uint8_t *to, size_t stride);
	/* 3 near + far, count of them. */
	void (*blend)(
		const uint8_t *near, const uint8_t *far, uint32_t count, uint16_t *to);
	/* count values, with one more before and behind, become 2 count samples:
	 * (3 value + neighbour + bias) >> 4, of its left one with bias[0], of its right one
	 * with bias[1]. */
	void (*spread)(const uint16_t *from, uint32_t count, const uint16_t bias[2],
		uint8_t *to);
	/* count pixels R G B 255. */
	void (*color)(const uint8_t *y, const uint8_t *cb, const uint8_t *cr,
		uint32_t count, uint8_t *to);
};

extern const struct fmt_jpeg_rows fmt_jpeg_rows_c; /* the meaning */

/* The variants this machine can run, the fastest first, the plain C last; NULL ends. */
const struct fmt_jpeg_rows *fmt_jpeg_rows_variant(unsigned number);

#endif
