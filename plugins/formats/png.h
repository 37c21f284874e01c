/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * png.h - writes an 8-bit PNG in sRGB, for drawings: flat areas and lines.  What the
 * pictures' own writer has besides (image.h) would load their libraries.
 */
#ifndef FMT_PNG_H
#define FMT_PNG_H

#include "plugins/formats/err.h"

#include <stddef.h>
#include <stdint.h>

/* It is made in memory, and is one chunk: at most this many. */
#define FMT_PNG_PIXELS (UINT64_C(1) << 28)

struct fmt_png {
	const uint8_t *pixels; /* [height][width][channels], top row first */
	size_t stride;	       /* bytes from row to row, at least width * channels */
	uint32_t width, height;
	unsigned channels; /* 3: RGB, 4: RGBA, alpha not premultiplied */
};

/* Writes to fd, which stays the caller's.  0 or a negative errno with *err. */
int fmt_png_write(int fd, const struct fmt_png *png, struct fmt_err *err);

#endif
