/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/light.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VALUES 65536

struct pv_light {
	uint16_t words[256];	 /* of 8 bits in linear light */
	float floats[VALUES];	 /* of 16 bits */
	uint8_t bytes[VALUES];	 /* back from 16 bits in linear light */
	float curve[VALUES + 1]; /* 16 bits in sRGB, by the square root of the light */
};

static double
to_linear(double x)
{
	return x <= 0.04045 ? x / 12.92 : pow((x + 0.055) / 1.055, 2.4);
}

static double
from_linear(double x)
{
	return x <= 0.0031308 ? 12.92 * x : 1.055 * pow(x, 1 / 2.4) - 0.055;
}

struct pv_light *
pv_light_new(void)
{
	struct pv_light *light = malloc(sizeof *light);
	if (light == NULL)
		return NULL;
	for (int i = 0; i < 256; i++)
		light->words[i] = (uint16_t)lrint(to_linear(i / 255.0) * 65535.0);
	for (int i = 0; i < VALUES; i++) {
		light->floats[i] = (float)to_linear(i / 65535.0);
		light->bytes[i] = (uint8_t)lrint(from_linear(i / 65535.0) * 255.0);
	}
	for (int i = 0; i <= VALUES; i++) {
		double root = (double)i / VALUES;
		light->curve[i] = (float)(from_linear(root * root) * 65535.0);
	}
	return light;
}

void
pv_light_free(struct pv_light *light)
{
	free(light);
}

enum fmt_image_type
pv_light_type(enum fmt_image_type type)
{
	return type == FMT_IMAGE_U8 ? FMT_IMAGE_U16 : FMT_IMAGE_FLOAT;
}

/* Pixels at a time: they are copied out and in, for the memory of one type becomes that of
 * another. */
#define BLOCK 64

void
pv_light_to_linear(const struct pv_light *light, enum fmt_image_type type,
	const void *from, void *to, size_t count)
{
	const size_t before = fmt_image_pixel(type);
	const size_t after = fmt_image_pixel(pv_light_type(type));
	uint8_t bytes[BLOCK * 4];
	uint16_t words[BLOCK * 4];
	float floats[BLOCK * 4];
	/* What is written never passes what is still to be read. */
	for (size_t done = 0; done < count; done += BLOCK) {
		const size_t left = count - done < BLOCK ? count - done : BLOCK;
		memcpy(type == FMT_IMAGE_U8 ? (void *)bytes : words,
			(const char *)from + done * before, left * before);
		for (size_t i = 0; i < 4 * left; i++) {
			const int is_alpha = i % 4 == 3;
			if (type == FMT_IMAGE_U8)
				words[i] = is_alpha ? (uint16_t)(bytes[i] * 257)
						    : light->words[bytes[i]];
			else
				floats[i] = is_alpha ? (float)words[i] / 65535.0f
						     : light->floats[words[i]];
		}
		memcpy((char *)to + done * after,
			type == FMT_IMAGE_U8 ? (void *)words : floats, left * after);
	}
}

/* Between two places of the curve it is straight to less than a thousandth of a level. */
static uint16_t
bend(const struct pv_light *light, float x)
{
	const float at = sqrtf(fminf(fmaxf(x, 0.0f), 1.0f)) * VALUES;
	const int before = at < VALUES - 1 ? (int)at : VALUES - 1;
	const float part = at - (float)before;
	return (uint16_t)(light->curve[before] +
			  part * (light->curve[before + 1] - light->curve[before]) +
			  0.5f);
}

static uint16_t
round_alpha(float alpha)
{
	return (uint16_t)(fminf(fmaxf(alpha, 0.0f), 1.0f) * 65535.0f + 0.5f);
}

void
pv_light_from_linear(const struct pv_light *light, enum fmt_image_type type, void *pixels,
	size_t count)
{
	const size_t before = fmt_image_pixel(pv_light_type(type));
	const size_t after = fmt_image_pixel(type);
	uint8_t bytes[BLOCK * 4];
	uint16_t words[BLOCK * 4];
	float floats[BLOCK * 4];
	for (size_t done = 0; done < count; done += BLOCK) {
		const size_t left = count - done < BLOCK ? count - done : BLOCK;
		memcpy(type == FMT_IMAGE_U8 ? (void *)words : floats,
			(char *)pixels + done * before, left * before);
		for (size_t i = 0; i < 4 * left; i++) {
			const int is_alpha = i % 4 == 3;
			if (type == FMT_IMAGE_U8)
				bytes[i] = is_alpha ? (uint8_t)((words[i] + 128) / 257)
						    : light->bytes[words[i]];
			else
				words[i] = is_alpha ? round_alpha(floats[i])
						    : bend(light, floats[i]);
		}
		memcpy((char *)pixels + done * after,
			type == FMT_IMAGE_U8 ? (void *)bytes : words, left * after);
	}
}
