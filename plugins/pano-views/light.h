/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * light.h - sRGB values to linear light and back (IEC 61966-2-1): means of light are what
 * an eye sees from afar, means of sRGB values are too dark.  Pixels have four channels;
 * alpha is no light and only changes its range.
 *
 * 8 bits are 16 in linear light, 16 bits are float, so that every value comes back as it
 * went; float pictures are linear already and stay.  Safe for several threads at once.
 */
#ifndef PV_LIGHT_H
#define PV_LIGHT_H

#include "plugins/formats/image.h"

struct pv_light;

/* The tables; NULL when memory is out. */
struct pv_light *pv_light_new(void);
void pv_light_free(struct pv_light *light);

/* What pixels of this type become. */
enum fmt_image_type pv_light_type(enum fmt_image_type type);

/* count pixels of type, 8 or 16 bits, become pv_light_type(type); from may be the end of to's memory. */
void pv_light_to_linear(const struct pv_light *light, enum fmt_image_type type,
	const void *from, void *to, size_t count);

/* And back to type, in place. */
void pv_light_from_linear(const struct pv_light *light, enum fmt_image_type type,
	void *pixels, size_t count);

#endif
