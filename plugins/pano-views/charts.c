/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/charts.h"

#include "kernels/remap.h"

#include <errno.h>
#include <stdlib.h>

/* What a load of a whole warp wants an array to begin at. */
#define ALIGNED 128

static size_t
aligned(size_t bytes)
{
	return (bytes + ALIGNED - 1) / ALIGNED * ALIGNED;
}

/* The rows that each of the view's rows reaches. */
static int
find_rows(const struct pv_map *map, struct pv_chart *chart)
{
	chart->top = malloc(map->height * sizeof *chart->top);
	chart->bottom = malloc(map->height * sizeof *chart->bottom);
	if (chart->top == NULL || chart->bottom == NULL)
		return -ENOMEM;
	for (uint32_t row = 0; row < map->height; row++) {
		int32_t least = INT32_MAX, most = INT32_MIN;
		for (size_t k = map->starts[row]; k < map->starts[row + 1]; k++) {
			least = map->v[k] < least ? map->v[k] : least;
			most = map->v[k] > most ? map->v[k] : most;
		}
		chart->top[row] = (least >> KERN_VIEW_BITS) - KERN_REMAP_MARGIN;
		chart->bottom[row] = (most >> KERN_VIEW_BITS) + 2 + KERN_REMAP_MARGIN;
	}
	return 0;
}

/* Where each pixel's samples begin. */
static uint32_t *
number_samples(const struct pv_map *map)
{
	const size_t pixels = (size_t)map->width * map->height;
	uint32_t *first = malloc(pixels * sizeof *first), at = 0;
	for (size_t i = 0; first != NULL && i < pixels; i++) {
		first[i] = at;
		at += (map->plan[i] & 15u) * (map->plan[i] >> 4);
	}
	return first;
}

static int
copy_in(const struct gpu_device *calls, char **to, const void *from, size_t bytes,
	void *stream)
{
	const struct gpu_rows rows = {*to, from, bytes, bytes, bytes, 1};
	*to += aligned(bytes);
	return calls->copy_in(&rows, stream);
}

/* All of the map. */
static int
put_places(const struct gpu_device *calls, const struct pv_map *map,
	struct pv_chart *chart, void *stream)
{
	const size_t pixels = (size_t)map->width * map->height;
	const size_t places = map->starts[map->height] * sizeof *map->u;
	const size_t planned =
		map->plan == NULL ? 0 : aligned(pixels) + pixels * sizeof *chart->first;
	/* Beyond that the numbers of samples do not fit 32 bits. */
	if (map->starts[map->height] > UINT32_MAX)
		return -ENOMEM;
	int rc = calls->reserve(2 * aligned(places) + planned, &chart->room);
	if (rc < 0) {
		chart->room = NULL;
		return rc;
	}
	char *at = chart->room;
	chart->u = (const int32_t *)(const void *)at;
	rc = copy_in(calls, &at, map->u, places, stream);
	chart->v = (const int32_t *)(const void *)at;
	rc = rc == 0 ? copy_in(calls, &at, map->v, places, stream) : rc;
	if (rc < 0 || map->plan == NULL)
		return rc;
	uint32_t *first = number_samples(map);
	if (first == NULL)
		return -ENOMEM;
	chart->plan = (const uint8_t *)at;
	rc = copy_in(calls, &at, map->plan, pixels, stream);
	chart->first = (const uint32_t *)(const void *)at;
	rc = rc == 0 ? copy_in(calls, &at, first, pixels * sizeof *first, stream) : rc;
	/* A copy may only have begun. */
	rc = rc == 0 ? calls->wait(stream) : rc;
	free(first);
	return rc;
}

/* What the geometry does not tell: how many samples a pixel has. */
static int
put_plan(const struct gpu_device *calls, const struct pv_map *map, struct pv_chart *chart,
	void *stream)
{
	const size_t pixels = (size_t)map->width * map->height;
	chart->u = chart->v = NULL;
	chart->first = NULL;
	chart->plan = NULL;
	if (map->plan == NULL)
		return 0;
	int rc = calls->reserve(pixels, &chart->room);
	if (rc < 0) {
		chart->room = NULL;
		return rc;
	}
	char *at = chart->room;
	chart->plan = (const uint8_t *)at;
	return copy_in(calls, &at, map->plan, pixels, stream);
}

static int
draw(const struct pv_charts_options *options, const struct pv_maps *maps, uint32_t number,
	struct pv_chart *chart)
{
	const struct gpu_device *calls = options->calls;
	const struct pv_map *map = &maps->maps[number];
	pv_maps_view(maps, map, &chart->view);
	int rc = find_rows(map, chart);
	if (rc < 0)
		return rc;
	rc = options->thin ? -ENOMEM : put_places(calls, map, chart, options->stream);
	if (rc != -ENOMEM)
		return rc;
	/* Of what was begun nothing may be under way when its memory goes. */
	if (chart->room != NULL && calls->wait(options->stream) < 0)
		return -EIO;
	calls->release(chart->room);
	chart->room = NULL;
	return put_plan(calls, map, chart, options->stream);
}

int
pv_charts_new(const struct pv_charts_options *options, const struct pv_maps *maps,
	struct pv_charts **made)
{
	struct pv_charts *charts = calloc(1, sizeof *charts);
	if (charts == NULL)
		return -ENOMEM;
	charts->serial = maps->serial;
	charts->map_count = maps->map_count;
	charts->thin = options->thin;
	charts->charts = calloc(maps->map_count, sizeof *charts->charts);
	int rc = charts->charts == NULL ? -ENOMEM : 0;
	for (uint32_t i = 0; rc == 0 && i < maps->map_count; i++)
		rc = draw(options, maps, i, &charts->charts[i]);
	if (rc < 0) {
		if (options->calls->wait(options->stream) < 0)
			rc = -EIO;
		pv_charts_free(options->calls, charts);
		return rc;
	}
	*made = charts;
	return 0;
}

void
pv_charts_free(const struct gpu_device *calls, struct pv_charts *charts)
{
	if (charts == NULL)
		return;
	for (uint32_t i = 0; charts->charts != NULL && i < charts->map_count; i++) {
		calls->release(charts->charts[i].room);
		free(charts->charts[i].top);
		free(charts->charts[i].bottom);
	}
	free(charts->charts);
	free(charts);
}
