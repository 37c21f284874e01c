/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/offload.h"

#include "kernels/supersample.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef KILN_CUDA
const struct pv_device *pv_offload_device = &pv_device_cuda;
#else
const struct pv_device *pv_offload_device = NULL;
#endif

/* More frames at once would wait for the bus. */
#define FRAMES_MOST 64

/* The small case: seam and both poles are in sight, and pixels that span several of the
 * panorama's. */
enum { WIDTH = 64, HEIGHT = 32, VIEWS = 3, SIDE = 37, PIXELS = SIDE * SIDE };
static const struct pv_view views[VIEWS] = {
	{"a", 170, 80, 20, 110, SIDE, 9},
	{"b", -100, -70, -33, 90, 11, 11},
	{"c", 200, 80, 20, 110, SIDE, 9},
};

struct trial {
	struct pv_views views;
	struct pv_maps_cache *cache;
	const struct pv_maps *maps;
	struct kern_remap_picture picture;
	void *panorama;
	size_t stride;
	/* Of the largest type; samples: of one row. */
	char wanted[PIXELS * 16], got[PIXELS * 16];
	char samples[SIDE * KERN_SUPERSAMPLE_MOST * KERN_SUPERSAMPLE_MOST * 16];
};

static void
trial_free(struct trial *trial)
{
	if (trial == NULL)
		return;
	if (trial->maps != NULL)
		pv_maps_put(trial->cache, trial->maps);
	pv_maps_cache_free(trial->cache);
	free(trial->panorama);
	free(trial);
}

static struct trial *
trial_new(int supersample)
{
	const struct pv_place place = {.width = WIDTH, .height = HEIGHT};
	struct trial *trial = calloc(1, sizeof *trial);
	if (trial == NULL)
		return NULL;
	trial->views.count = VIEWS;
	trial->views.views = (struct pv_view *)(uintptr_t)views;
	trial->stride = (WIDTH + 2 * KERN_REMAP_MARGIN) * 16;
	trial->panorama =
		aligned_alloc(64, trial->stride * (HEIGHT + 2 * KERN_REMAP_MARGIN));
	trial->cache = pv_maps_cache_new(&trial->views, supersample);
	if (trial->cache != NULL)
		trial->maps = pv_maps_get(trial->cache, &place);
	if (trial->panorama == NULL || trial->maps == NULL) {
		trial_free(trial);
		return NULL;
	}
	return trial;
}

/* Noise from a fixed start, in a band of the rows that the views look at. */
static void
fill(struct trial *trial, enum kern_remap_type type)
{
	const size_t pixel = kern_remap_pixel(type);
	const size_t values = trial->stride * (HEIGHT + 2 * KERN_REMAP_MARGIN) /
			      (pixel / KERN_REMAP_CHANNELS);
	uint32_t noise = 1;
	for (size_t i = 0; i < values; i++) {
		noise = noise * UINT32_C(1664525) + UINT32_C(1013904223);
		if (type == KERN_REMAP_U8)
			((uint8_t *)trial->panorama)[i] = (uint8_t)(noise >> 24);
		else if (type == KERN_REMAP_U16)
			((uint16_t *)trial->panorama)[i] = (uint16_t)(noise >> 16);
		else
			((float *)trial->panorama)[i] = (float)(noise >> 8) * 0x1p-23f;
	}
	trial->picture = (struct kern_remap_picture){
		.pixels = (char *)trial->panorama +
			  KERN_REMAP_MARGIN * (trial->stride + pixel),
		.stride = trial->stride,
		.width = WIDTH,
		.height = HEIGHT,
		.first_row = trial->maps->first_row,
		.row_count = trial->maps->row_count,
		.type = type,
	};
	kern_remap_pad(&trial->picture);
}

/* By the plain C. */
static void
make_here(struct trial *trial, const struct pv_state *state, uint32_t view)
{
	const struct pv_map *map = &trial->maps->maps[trial->maps->views[view].map];
	const size_t row_bytes = map->width * kern_remap_pixel(trial->picture.type);
	struct kern_remap a = {
		.picture = &trial->picture,
		.filter = state->filter,
		.weights = state->weights,
		.shift = trial->maps->views[view].shift,
	};
	for (uint32_t row = 0; row < map->height; row++) {
		struct kern_supersample mean = {
			.type = trial->picture.type,
			.count = map->width,
			.samples = trial->samples,
			.to = trial->wanted + row * row_bytes,
		};
		a.u = map->u + map->starts[row];
		a.v = map->v + map->starts[row];
		a.count = (uint32_t)(map->starts[row + 1] - map->starts[row]);
		a.to = map->plan == NULL ? mean.to : trial->samples;
		kern_remap_c(&a, NULL);
		if (map->plan == NULL)
			continue;
		mean.plan = map->plan + (size_t)row * map->width;
		kern_supersample_mean_c(&mean, NULL);
	}
}

static int
compare(struct trial *trial, const struct pv_state *state, struct pv_gpu *gpu,
	struct fmt_err *err)
{
	struct pv_gpu_frame *frame = NULL;
	int rc = pv_gpu_put(gpu, &trial->picture, trial->maps, &frame, err);
	for (uint32_t view = 0; rc == 0 && view < VIEWS; view++) {
		const uint32_t number = trial->maps->views[view].map;
		const struct pv_map *map = &trial->maps->maps[number];
		const struct pv_gpu_order order = {frame, number, 1, &view, trial->got};
		rc = pv_gpu_make(gpu, &order, err);
		make_here(trial, state, view);
		if (rc == 0 &&
			memcmp(trial->wanted, trial->got,
				(size_t)map->width * map->height *
					kern_remap_pixel(trial->picture.type)) != 0)
			rc = fmt_err_set(err, -EIO, "it disagrees with the plain C");
	}
	pv_gpu_drop(gpu, frame);
	return rc;
}

static int
prove(const struct pv_state *state, struct pv_gpu *gpu, struct fmt_err *err)
{
	int rc = 0;
	for (int supersample = 0; rc == 0 && supersample < 2; supersample++) {
		struct trial *trial = trial_new(supersample);
		if (trial == NULL)
			return fmt_err_set(err, -ENOMEM, "no memory to prove it");
		for (int type = KERN_REMAP_U8; rc == 0 && type <= KERN_REMAP_FLOAT;
			type++) {
			fill(trial, (enum kern_remap_type)type);
			rc = compare(trial, state, gpu, err);
		}
		trial_free(trial);
	}
	return rc;
}

static int
take(struct pv_state *state, const struct kiln_host *host, uint32_t number,
	struct fmt_err *err)
{
	if (pv_offload_device == NULL)
		return fmt_err_set(err, -ENODEV, "pano-views was built without CUDA");
	const struct pv_gpu_options options = {
		.device = pv_offload_device,
		.number = number,
		.filter = state->filter,
		.weights = state->weights,
		.frames = host->threads < FRAMES_MOST ? host->threads : FRAMES_MOST,
	};
	int rc = pv_gpu_new(&options, &state->gpu, err);
	rc = rc == 0 ? prove(state, state->gpu, err) : rc;
	if (rc < 0) {
		pv_gpu_free(state->gpu);
		state->gpu = NULL;
	}
	return rc;
}

int
pv_offload_open(struct pv_state *state, const struct kiln_host *host)
{
	const long number = gpu_device_number(host->device);
	struct fmt_err why = {0};
	char *text;
	if (number < 0)
		return 0;
	if (take(state, host, (uint32_t)number, &why) == 0) {
		host->variant(host, pv_gpu_name(state->gpu));
		return 0;
	}
	if (asprintf(&text,
		    "views were made on the CPU, since %s does not serve: %s; make the "
		    "GPU available, or ask for device \"cpu\"",
		    host->device, why.text) < 0)
		return -ENOMEM;
	host->log(host, host->device_asked ? KILN_WARNING : KILN_INFO, text);
	if (host->device_asked)
		state->no_gpu = text;
	else
		free(text);
	return 0;
}
