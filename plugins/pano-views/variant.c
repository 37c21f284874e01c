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
type_agrees(kern_remap_fn *fn, struct trial *trial, enum kern_remap_type type,
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
remap_agrees(kern_remap_fn *fn, enum kern_remap_filter filter,
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
	int same = type_agrees(fn, trial, KERN_REMAP_U8, &a) &&
		   type_agrees(fn, trial, KERN_REMAP_U16, &a) &&
		   type_agrees(fn, trial, KERN_REMAP_FLOAT, &a);
	free(trial);
	return same;
}

/* A view with the seam and a pole in it. */
static int
places_agree(kern_view_fn *fn)
{
	struct kern_view view = {.width = PIXELS,
		.height = PIXELS,
		.focal = kern_view_focal(PIXELS, 120.0),
		.panorama_width = 8192,
		.panorama_height = 4096};
	int32_t wanted[2][PIXELS], got[2][PIXELS];
	int same = 1;
	kern_view_rotation(170.0, 60.0, 20.0, view.rotation);
	for (uint32_t row = 0; same && row < PIXELS; row++) {
		view.by = NULL;
		kern_view_row(&view, row, wanted[0], wanted[1]);
		view.by = fn;
		kern_view_row(&view, row, got[0], got[1]);
		same = memcmp(wanted, got, sizeof got) == 0;
	}
	return same;
}

static int
means_agree(kern_supersample_fn *fn)
{
	uint8_t plan[PIXELS];
	float samples[PIXELS * 16 * CHANNELS]; /* room for any type */
	float wanted[PIXELS * CHANNELS], got[PIXELS * CHANNELS];
	int same = 1;
	for (uint32_t i = 0; i < PIXELS; i++)
		plan[i] = (uint8_t)((1 + i % 4) | (1 + i / 4 % 4) << 4);
	for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
		samples[i] = (float)(i % 1001);
	for (int type = KERN_REMAP_U8; type <= KERN_REMAP_FLOAT; type++) {
		struct kern_supersample a = {
			(enum kern_remap_type)type, plan, PIXELS, samples, wanted};
		kern_supersample_mean_c(&a, NULL);
		a.to = got;
		same = same && fn(&a, NULL) == 0 &&
		       memcmp(wanted, got, PIXELS * kern_remap_pixel(a.type)) == 0;
	}
	return same;
}

static struct pv_variant
pick(unsigned caps, const char *name)
{
	return (struct pv_variant){name, kern_remap_pick(caps), kern_view_pick(caps),
		kern_supersample_mean_pick(caps)};
}

struct pv_variant
pv_variant_choose(const struct kiln_host *host, enum kern_remap_filter filter,
	const struct kern_remap_weights *weights)
{
	static const struct {
		unsigned caps;
		const char *name;
	} ladder[] = {{KERN_CAP_AVX512, "avx512"}, {KERN_CAP_AVX2, "avx2"}};
	const unsigned caps = kern_caps_machine();
	for (size_t i = 0; i < sizeof ladder / sizeof ladder[0]; i++) {
		const struct pv_variant variant =
			pick(caps & ladder[i].caps, ladder[i].name);
		if (variant.remap == kern_remap_c)
			continue;
		if (remap_agrees(variant.remap, filter, weights) &&
			places_agree(variant.places) && means_agree(variant.mean)) {
			host->variant(host, variant.name);
			return variant;
		}
		char text[120];
		snprintf(text, sizeof text,
			"the variant %s disagrees with the plain C on this machine, "
			"doing "
			"without it",
			ladder[i].name);
		host->log(host, KILN_WARNING, text);
	}
	host->variant(host, "c");
	return pick(0, "c");
}
