/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/variant.h"

#include "kernels/caps.h"
#include "kernels/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A small panorama, and more pixels than any variant takes at once. */
#define WIDTH	 64
#define HEIGHT	 32
#define CHANNELS KERN_REMAP_CHANNELS
#define STRIDE	 (WIDTH + 2 * KERN_REMAP_MARGIN)
#define VALUES	 ((HEIGHT + 2 * KERN_REMAP_MARGIN) * STRIDE * CHANNELS)
#define PIXELS	 37

struct trial {
	float panorama[VALUES]; /* room for any type */
	float wanted[PIXELS * CHANNELS], got[PIXELS * CHANNELS];
	int32_t u[PIXELS], v[PIXELS];
};

/* Noise from a fixed start, and a row that crosses seam and pole. */
static void
prepare(struct trial *trial, enum kern_remap_type type)
{
	uint32_t noise = 1;
	for (size_t i = 0; i < VALUES; i++) {
		noise = noise * UINT32_C(1664525) + UINT32_C(1013904223);
		if (type == KERN_REMAP_U8)
			((uint8_t *)trial->panorama)[i] = (uint8_t)(noise >> 24);
		else if (type == KERN_REMAP_U16)
			((uint16_t *)trial->panorama)[i] = (uint16_t)(noise >> 16);
		else
			trial->panorama[i] = (float)(noise >> 8) * 0x1p-24f;
	}
	for (int32_t i = 0; i < PIXELS; i++) {
		trial->u[i] =
			(i * WIDTH * KERN_VIEW_ONE - 1) / PIXELS - KERN_VIEW_ONE / 2;
		trial->v[i] = (PIXELS - 1 - i) * (HEIGHT * KERN_VIEW_ONE / (PIXELS - 1)) -
			      KERN_VIEW_ONE / 2;
	}
}

static int
agrees(kern_remap_fn *fn, struct trial *trial, enum kern_remap_type type,
	struct kern_remap *a)
{
	const size_t pixel = kern_remap_pixel(type);
	prepare(trial, type);
	const struct kern_remap_picture picture = {
		.pixels = (char *)trial->panorama +
			  KERN_REMAP_MARGIN * (STRIDE + 1) * pixel,
		.stride = STRIDE * pixel,
		.width = WIDTH,
		.height = HEIGHT,
		.row_count = HEIGHT,
		.type = type,
	};
	kern_remap_pad(&picture);
	a->picture = &picture;
	a->to = trial->wanted;
	kern_remap_c(a, NULL);
	a->to = trial->got;
	return fn(a, NULL) == 0 && memcmp(trial->wanted, trial->got, PIXELS * pixel) == 0;
}

static int
proven(kern_remap_fn *fn, enum kern_remap_filter filter,
	const struct kern_remap_weights *weights)
{
	struct trial *trial = malloc(sizeof *trial);
	if (trial == NULL)
		return 0;
	struct kern_remap a = {
		.filter = filter,
		.weights = weights,
		.u = trial->u,
		.v = trial->v,
		.shift = kern_view_shift(WIDTH, 100.0),
		.count = PIXELS,
	};
	int same = agrees(fn, trial, KERN_REMAP_U8, &a) &&
		   agrees(fn, trial, KERN_REMAP_U16, &a) &&
		   agrees(fn, trial, KERN_REMAP_FLOAT, &a);
	free(trial);
	return same;
}

kern_remap_fn *
pv_variant_choose(const struct kiln_host *host, enum kern_remap_filter filter,
	const struct kern_remap_weights *weights, const char **name)
{
	static const struct {
		unsigned caps;
		const char *name;
	} ladder[] = {{KERN_CAP_AVX512, "avx512"}, {KERN_CAP_AVX2, "avx2"}};
	const unsigned caps = kern_caps_machine();
	for (size_t i = 0; i < sizeof ladder / sizeof ladder[0]; i++) {
		kern_remap_fn *fn = kern_remap_pick(caps & ladder[i].caps);
		if (fn == kern_remap_c)
			continue;
		if (proven(fn, filter, weights)) {
			*name = ladder[i].name;
			host->variant(host, *name);
			return fn;
		}
		char text[120];
		snprintf(text, sizeof text,
			"the variant %s disagrees with the plain C on this machine, "
			"doing "
			"without it",
			ladder[i].name);
		host->log(host, KILN_WARNING, text);
	}
	*name = "c";
	host->variant(host, *name);
	return kern_remap_c;
}
