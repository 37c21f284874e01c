/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * png_rows.h - rows of pixels as PNG has them: samples side by side with the high byte
 * first, and then each byte less what its neighbours foretell (Paeth's predictor, PNG
 * specification 9.4).
 *
 * Packed rows are preceded by FMT_PNG_ROWS_BEFORE zeros, the pixels left of the first; at
 * the end of every row that is written there is room for FMT_PNG_ROWS_SLACK bytes, which
 * may be overwritten.  Grade: EXACT, all variants give the same bytes.  Any thread.
 */
#ifndef FMT_PNG_ROWS_H
#define FMT_PNG_ROWS_H

#include <stddef.h>
#include <stdint.h>

#define FMT_PNG_ROWS_BEFORE 8
#define FMT_PNG_ROWS_SLACK  64

struct fmt_png_rows {
	const char *name;
	/* R G B of pixels R G B A of 8 bits. */
	void (*pack_rgb)(const uint8_t *pixels, uint32_t width, uint8_t *to);
	/* The first `channels` of pixels of 8 or of 16 bits. */
	void (*pack_u8)(
		const uint8_t *pixels, uint32_t width, unsigned channels, uint8_t *to);
	void (*pack_u16)(
		const uint16_t *pixels, uint32_t width, unsigned channels, uint8_t *to);
	/* Filter 4 on packed rows; step: bytes of a pixel, at most 8. */
	void (*paeth)(const uint8_t *row, const uint8_t *above, size_t length,
		unsigned step, uint8_t *to);
};

extern const struct fmt_png_rows fmt_png_rows_c; /* the meaning */

/* The variants this machine can run, the fastest first, the plain C last; NULL ends. */
const struct fmt_png_rows *fmt_png_rows_variant(unsigned number);

#endif
