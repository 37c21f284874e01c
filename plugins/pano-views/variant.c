/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/variant.h"

#include "kernels/caps.h"
#include "kernels/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A small panorama, and more pixels than any variant takes at once. */
#define WIDTH  64
#define HEIGHT 32
#define STRIDE ((WIDTH + 2 * KERN_REMAP_MARGIN) * KERN_REMAP_CHANNELS)
#define PIXELS 37

struct trial {
	uint8_t panorama[(HEIGHT + 2 * KERN_REMAP_MARGIN) * STRIDE];
	uint8_t wanted[PIXELS * KERN_REMAP_CHANNELS], got[PIXELS * KERN_REMAP_CHANNELS];
	int32_t u[PIXELS], v[PIXELS];
};

/* Noise from a fixed start, and a row that crosses seam and pole. */
static void
prepare(struct trial *trial)
{
	uint32_t noise = 1;
	for (size_t i = 0; i < sizeof trial->panorama; i++) {
		noise = noise * UINT32_C(1664525) + UINT32_C(1013904223);
		trial->panorama[i] = (uint8_t)(noise >> 24);
	}
	for (int32_t i = 0; i < PIXELS; i++) {
		trial->u[i] =
			(i * WIDTH * KERN_VIEW_ONE - 1) / PIXELS - KERN_VIEW_ONE / 2;
		trial->v[i] = (PIXELS - 1 - i) * (HEIGHT * KERN_VIEW_ONE / (PIXELS - 1)) -
			      KERN_VIEW_ONE / 2;
	}
}

static int
proven(kern_remap_fn *fn, enum kern_remap_filter filter,
	const struct kern_remap_weights *weights)
{
	struct trial *trial = malloc(sizeof *trial);
	if (trial == NULL)
		return 0;
	prepare(trial);
	const struct kern_remap_picture picture = {
		.pixels = trial->panorama +
			  KERN_REMAP_MARGIN * (STRIDE + KERN_REMAP_CHANNELS),
		.stride = STRIDE,
		.width = WIDTH,
		.height = HEIGHT,
		.row_count = HEIGHT,
		.type = KERN_REMAP_U8,
	};
	kern_remap_pad(&picture);
	struct kern_remap a = {
		.picture = &picture,
		.filter = filter,
		.weights = weights,
		.u = trial->u,
		.v = trial->v,
		.shift = kern_view_shift(WIDTH, 100.0),
		.count = PIXELS,
		.to = trial->wanted,
	};
	kern_remap_c(&a, NULL);
	a.to = trial->got;
	int same = fn(&a, NULL) == 0 &&
		   memcmp(trial->wanted, trial->got, sizeof trial->got) == 0;
	free(trial);
	return same;
}

kern_remap_fn *
pv_variant_choose(const struct kiln_host *host, enum kern_remap_filter filter,
	const struct kern_remap_weights *weights)
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
			host->variant(host, ladder[i].name);
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
	host->variant(host, "c");
	return kern_remap_c;
}
