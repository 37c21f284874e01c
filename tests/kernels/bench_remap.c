/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_remap.c - what a view of 1920 x 1080 at 90 degrees costs, out of 7680 x 3840: one of
 * a ring of eight, made side by side as pano-views makes them.
 */
#include "kernels/caps.h"
#include "kernels/remap.h"
#include "kernels/view.h"
#include "tests/kernels/ck.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARGIN KERN_REMAP_MARGIN
#define WIDTH  1920
#define HEIGHT 1080
#define ROUNDS 5
#define STRIPE 16 /* rows of all views, one view after the other */

static const char *const filter_names[] = {"nearest", "bilinear", "bicubic", "lanczos3"};
static const char *const type_names[] = {"u8", "u16", "float"};

/* Rows of the panorama that such a view reads, and some more. */
#define FIRST 1280
#define ROWS  1280

struct view_map {
	int32_t u[WIDTH * HEIGHT], v[WIDTH * HEIGHT];
};

static double
median(double times[ROUNDS])
{
	for (int i = 1; i < ROUNDS; i++)
		for (int k = i; k > 0 && times[k] < times[k - 1]; k--) {
			double t = times[k];
			times[k] = times[k - 1];
			times[k - 1] = t;
		}
	return times[ROUNDS / 2];
}

static void
make_stripe(
	kern_remap_fn *fn, struct kern_remap *a, const struct view_map *map, size_t first)
{
	const size_t past = first + STRIPE < HEIGHT ? first + STRIPE : HEIGHT;
	for (size_t row = first; row < past; row++) {
		a->u = map->u + row * WIDTH;
		a->v = map->v + row * WIDTH;
		fn(a, NULL);
	}
}

static void
bench_filter(kern_remap_fn *fn, const char *variant, struct kern_remap *a,
	const struct view_map *map)
{
	const int views = fn == kern_remap_c ? 1 : 8;
	double times[ROUNDS];
	for (int round = 0; round < ROUNDS; round++) {
		double start = ck_now();
		for (size_t row = 0; row < HEIGHT; row += STRIPE)
			for (int view = 0; view < views; view++) {
				a->shift = kern_view_shift(7680, 45.0 * view);
				make_stripe(fn, a, map, row);
			}
		times[round] = (ck_now() - start) / views;
	}
	const double time = median(times);
	printf("remap %-5s %-9s %-7s %7.2f ms a view, %5.2f ns a pixel\n",
		type_names[a->picture->type], filter_names[a->filter], variant,
		1e3 * time, 1e9 * time / (WIDTH * HEIGHT));
}

static void
bench_type(enum kern_remap_type type, const struct view_map *map)
{
	const size_t pixel = kern_remap_pixel(type), stride = (7680 + 2 * MARGIN) * pixel;
	char *memory = calloc(ROWS + 2 * MARGIN, stride), *to = malloc(WIDTH * pixel);
	struct kern_remap_weights *weights = malloc(sizeof *weights);
	if (memory == NULL || to == NULL || weights == NULL)
		abort();
	/* Pages that were never written would all be one. */
	memset(memory, 63, stride * (ROWS + 2 * MARGIN));
	const struct kern_remap_picture picture = {memory + MARGIN * (stride + pixel),
		stride, 7680, 3840, FIRST, ROWS, type};
	for (int filter = 0; filter <= KERN_REMAP_LANCZOS3; filter++) {
		struct kern_remap a = {.picture = &picture,
			.filter = (enum kern_remap_filter)filter,
			.weights = weights,
			.count = WIDTH,
			.to = to};
		if (kern_remap_taps(a.filter) > 2)
			kern_remap_fill(a.filter, weights);
		bench_filter(kern_remap_c, "c", &a, map);
		for (size_t i = 0; i < CK_CAPS; i++) {
			kern_remap_fn *fn = kern_remap_pick(ck_caps[i].bit);
			if (fn != kern_remap_c && (kern_caps_machine() & ck_caps[i].bit))
				bench_filter(fn, ck_caps[i].name, &a, map);
		}
	}
	free(weights);
	free(to);
	free(memory);
}

void
bench_remap(void)
{
	struct view_map *map = malloc(sizeof *map);
	struct kern_view view = {.width = WIDTH,
		.height = HEIGHT,
		.focal = kern_view_focal(WIDTH, 90.0),
		.panorama_width = 7680,
		.panorama_height = 3840};
	if (map == NULL)
		abort();
	kern_view_rotation(0.0, 0.0, 0.0, view.rotation);
	for (uint32_t row = 0; row < HEIGHT; row++)
		kern_view_row(&view, row, map->u + row * WIDTH, map->v + row * WIDTH);
	for (int type = KERN_REMAP_U8; type <= KERN_REMAP_FLOAT; type++)
		bench_type((enum kern_remap_type)type, map);
	free(map);
}
