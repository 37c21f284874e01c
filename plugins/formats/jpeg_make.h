/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jpeg_make.h - from rows of pixels to the quantized coefficients of a JPEG whose chroma is
 * halved both ways: RGB to YCbCr (JFIF 1.02), means of four, the forward DCT of Loeffler,
 * Ligtenberg and Moschytz (1989) in integers, division by the quantization table.
 *
 * Grade: EXACT; all variants give the same numbers, and those are libjpeg's.  At the end
 * of every row that is read or written there is room for FMT_JPEG_MAKE_SLACK samples.
 * Any thread.
 */
#ifndef FMT_JPEG_MAKE_H
#define FMT_JPEG_MAKE_H

#include <stddef.h>
#include <stdint.h>

#define FMT_JPEG_MAKE_SLACK 64

/* A quantization table as what divides by it: (x + half) reciprocal >> 16, shift >> 16. */
struct fmt_jpeg_divisors {
	_Alignas(32) uint16_t half[64], reciprocal[64], shift[64];
};

struct fmt_jpeg_make {
	const char *name;
	/* count pixels R G B x to samples. */
	void (*color)(const uint8_t *pixels, uint32_t count, uint8_t *y, uint8_t *cb,
		uint8_t *cr);
	/* Two rows of each chroma, 16 units to a unit: to its 8 means of Cb, then of Cr. */
	void (*halve)(const uint8_t *const cb[2], const uint8_t *const cr[2],
		uint32_t units, uint8_t *to);
	/* Two blocks side by side, 16 x 8 samples, to 2 x 64 coefficients by row, aligned to
	 * 32 bytes. */
	void (*transform)(const uint8_t *samples, size_t stride,
		const struct fmt_jpeg_divisors *by, int16_t *to);
	/* A block in the order in which it is written, as fmt_jpeg_put_item()s aligned to
	 * 64 bytes; bit k: number k is not 0. */
	uint64_t (*order)(const int16_t *block, uint32_t *to);
};

/* quantum: 1..255 each. */
void fmt_jpeg_make_divisors(const uint16_t quantum[64], struct fmt_jpeg_divisors *to);

extern const struct fmt_jpeg_make fmt_jpeg_make_c; /* the meaning */

/* The variants this machine can run, the fastest first, the plain C last; NULL ends. */
const struct fmt_jpeg_make *fmt_jpeg_make_variant(unsigned number);

#endif
