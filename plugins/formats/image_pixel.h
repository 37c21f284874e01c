/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image_pixel.h - a pixel in memory: always four channels, R G B A, of one type; a grey
 * picture has its value three times, one without alpha is opaque (255, 65535, 1).
 */
#ifndef FMT_IMAGE_PIXEL_H
#define FMT_IMAGE_PIXEL_H

#include <stddef.h>
#include <stdint.h>

#define FMT_IMAGE_CHANNELS 4

enum fmt_image_type { FMT_IMAGE_U8, FMT_IMAGE_U16, FMT_IMAGE_FLOAT };

/* Its bytes. */
static inline size_t
fmt_image_pixel(enum fmt_image_type type)
{
	return FMT_IMAGE_CHANNELS * (type == FMT_IMAGE_U8	    ? sizeof(uint8_t)
					    : type == FMT_IMAGE_U16 ? sizeof(uint16_t)
								    : sizeof(float));
}

#endif
