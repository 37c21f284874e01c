/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/alpha.h"

void
pv_alpha_multiply(enum fmt_image_type type, void *pixels, size_t count)
{
	uint8_t *bytes = pixels;
	uint16_t *words = pixels;
	float *floats = pixels;
	for (size_t i = 0; i < 4 * count; i += 4)
		for (size_t c = i; c < i + 3; c++)
			if (type == FMT_IMAGE_U8)
				bytes[c] =
					(uint8_t)((bytes[c] * bytes[i + 3] + 127) / 255);
			else if (type == FMT_IMAGE_U16)
				words[c] = (uint16_t)(((uint32_t)words[c] * words[i + 3] +
							      32767) /
						      65535);
			else
				floats[c] *= floats[i + 3];
}

static uint32_t
divide(uint32_t value, uint32_t alpha, uint32_t most)
{
	/* Filters may overshoot: no colour is above its alpha. */
	if (alpha == 0)
		return 0;
	return value >= alpha ? most : (value * most + alpha / 2) / alpha;
}

void
pv_alpha_divide(enum fmt_image_type type, void *pixels, size_t count)
{
	uint8_t *bytes = pixels;
	uint16_t *words = pixels;
	float *floats = pixels;
	for (size_t i = 0; i < 4 * count; i += 4)
		for (size_t c = i; c < i + 3; c++)
			if (type == FMT_IMAGE_U8)
				bytes[c] = (uint8_t)divide(bytes[c], bytes[i + 3], 255);
			else if (type == FMT_IMAGE_U16)
				words[c] =
					(uint16_t)divide(words[c], words[i + 3], 65535);
			else
				floats[c] =
					floats[i + 3] > 0 ? floats[c] / floats[i + 3] : 0;
}
