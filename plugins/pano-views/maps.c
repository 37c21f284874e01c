/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/maps.h"

#include "kernels/remap.h"
#include "kernels/supersample.h"
#include "plugins/formats/large.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Sizes that are kept at once, when no frame is at work on them. */
#define SIZES 2

struct pv_maps_cache {
	const struct pv_views *views;
	int supersample;
	kern_view_fn *places;
	pthread_mutex_t lock;
	struct pv_maps *first;
};

static void
free_maps(struct pv_maps *maps)
{
	if (maps == NULL)
		return;
	for (uint32_t i = 0; i < maps->map_count; i++) {
		free(maps->maps[i].plan);
		free(maps->maps[i].starts);
		free(maps->maps[i].u);
		free(maps->maps[i].v);
	}
	free(maps->maps);
	free(maps->views);
	free(maps);
}

static int
is_level(const struct pv_maps *maps)
{
	return maps->camera_pitch == 0.0 && maps->camera_roll == 0.0;
}

/* A direction in the level world is sought in the tilted panorama. */
static void
turn(const struct pv_maps *maps, const struct pv_map *map, double rotation[9])
{
	double view[9], camera[9], level[9];
	kern_view_rotation(map->yaw, map->pitch, map->roll, view);
	kern_view_rotation(0.0, maps->camera_pitch, maps->camera_roll, camera);
	for (int row = 0; row < 3; row++)
		for (int column = 0; column < 3; column++)
			level[row * 3 + column] = camera[column * 3 + row];
	kern_view_multiply(level, view, rotation);
}

/* Where each row's samples begin, and with supersampling how many each pixel takes. */
static int
plan(const struct kern_view *view, struct pv_map *map, int supersample)
{
	map->starts = malloc((map->height + (size_t)1) * sizeof *map->starts);
	if (supersample)
		map->plan = malloc((size_t)map->width * map->height);
	if (map->starts == NULL || (supersample && map->plan == NULL))
		return -1;
	map->starts[0] = 0;
	for (uint32_t row = 0; row < map->height; row++)
		map->starts[row + 1] =
			map->starts[row] +
			(supersample ? kern_supersample_plan(view, row,
					       map->plan + (size_t)row * map->width)
				     : map->width);
	return 0;
}

void
pv_maps_view(const struct pv_maps *maps, const struct pv_map *map, struct kern_view *view)
{
	*view = (struct kern_view){.width = map->width,
		.height = map->height,
		.focal = kern_view_focal(map->width, map->hfov),
		.panorama_width = maps->panorama_width,
		.panorama_height = maps->panorama_height};
	turn(maps, map, view->rotation);
}

static int
draw(const struct pv_maps_cache *cache, struct pv_maps *maps, struct pv_map *map)
{
	const int supersample = cache->supersample;
	struct kern_view view;
	pv_maps_view(maps, map, &view);
	view.by = cache->places;
	if (plan(&view, map, supersample) < 0)
		return -1;
	const size_t samples = map->starts[map->height];
	maps->bytes += samples * (sizeof *map->u + sizeof *map->v);
	map->u = fmt_large_alloc(samples * sizeof *map->u);
	map->v = fmt_large_alloc(samples * sizeof *map->v);
	if (map->u == NULL || map->v == NULL)
		return -1;
	for (uint32_t row = 0; row < map->height; row++) {
		int32_t *u = map->u + map->starts[row], *v = map->v + map->starts[row];
		if (supersample)
			kern_supersample_places(
				&view, row, map->plan + (size_t)row * map->width, u, v);
		else
			kern_view_row(&view, row, u, v);
	}
	return 0;
}

/* The number of the map that serves a view, drawn where it is new; -1: no memory. */
static int
map_for(const struct pv_maps_cache *cache, struct pv_maps *maps,
	const struct pv_view *view)
{
	struct pv_map wanted = {.yaw = is_level(maps) ? 0.0 : view->yaw,
		.pitch = view->pitch,
		.roll = view->roll,
		.hfov = view->hfov,
		.width = view->width,
		.height = view->height};
	if (wanted.width == 0)
		wanted.width = maps->panorama_width / 4;
	if (wanted.height == 0)
		wanted.height = maps->panorama_width / 4;
	for (uint32_t i = 0; i < maps->map_count; i++) {
		const struct pv_map *map = &maps->maps[i];
		if (map->yaw == wanted.yaw && map->pitch == wanted.pitch &&
			map->roll == wanted.roll && map->hfov == wanted.hfov &&
			map->width == wanted.width && map->height == wanted.height)
			return (int)i;
	}
	struct pv_map *map = &maps->maps[maps->map_count++];
	*map = wanted;
	return draw(cache, maps, map) == 0 ? (int)maps->map_count - 1 : -1;
}

/* The rows that any sample reads, so far as the panorama has them. */
static void
find_band(struct pv_maps *maps)
{
	int32_t least = INT32_MAX, most = INT32_MIN;
	for (uint32_t i = 0; i < maps->map_count; i++) {
		const struct pv_map *map = &maps->maps[i];
		for (size_t k = 0; k < map->starts[map->height]; k++) {
			least = map->v[k] < least ? map->v[k] : least;
			most = map->v[k] > most ? map->v[k] : most;
		}
	}
	int32_t first = (least >> KERN_VIEW_BITS) - KERN_REMAP_MARGIN;
	int32_t last = (most >> KERN_VIEW_BITS) + 1 + KERN_REMAP_MARGIN;
	int32_t height = (int32_t)maps->panorama_height;
	first = first < 0 ? 0 : first;
	last = last >= height ? height - 1 : last;
	maps->first_row = (uint32_t)first;
	maps->row_count = (uint32_t)(last - first + 1);
}

static atomic_uint_fast64_t serials;

static struct pv_maps *
make(const struct pv_maps_cache *cache, const struct pv_place *place)
{
	const struct pv_views *views = cache->views;
	struct pv_maps *maps = calloc(1, sizeof *maps);
	if (maps == NULL)
		return NULL;
	maps->serial = atomic_fetch_add(&serials, 1);
	maps->panorama_width = place->width;
	maps->panorama_height = place->height;
	maps->camera_pitch = place->pitch;
	maps->camera_roll = place->roll;
	maps->maps = calloc(views->count, sizeof *maps->maps);
	maps->views = calloc(views->count, sizeof *maps->views);
	if (maps->maps == NULL || maps->views == NULL)
		goto fail;
	for (uint32_t i = 0; i < views->count; i++) {
		int map = map_for(cache, maps, &views->views[i]);
		if (map < 0)
			goto fail;
		maps->views[i].map = (uint32_t)map;
		if (is_level(maps))
			maps->views[i].shift =
				kern_view_shift(place->width, views->views[i].yaw);
	}
	find_band(maps);
	return maps;
fail:
	free_maps(maps);
	return NULL;
}

/* Frees what nobody works on, as long as there are more than `keep`. */
static void
shrink(struct pv_maps_cache *cache, unsigned keep)
{
	struct pv_maps **at = &cache->first;
	unsigned count = 0;
	while (*at != NULL) {
		struct pv_maps *maps = *at;
		if (++count <= keep || maps->users > 0) {
			at = &maps->next;
			continue;
		}
		*at = maps->next;
		free_maps(maps);
	}
}

struct pv_maps_cache *
pv_maps_cache_new(const struct pv_views *views, int supersample)
{
	struct pv_maps_cache *cache = calloc(1, sizeof *cache);
	if (cache == NULL)
		return NULL;
	cache->views = views;
	cache->supersample = supersample;
	pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

void
pv_maps_cache_draw_by(struct pv_maps_cache *cache, kern_view_fn *places)
{
	cache->places = places;
}

void
pv_maps_cache_free(struct pv_maps_cache *cache)
{
	if (cache == NULL)
		return;
	shrink(cache, 0);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

static int
serves(const struct pv_maps *maps, const struct pv_place *place)
{
	return maps->panorama_width == place->width &&
	       maps->panorama_height == place->height &&
	       maps->camera_pitch == place->pitch && maps->camera_roll == place->roll;
}

const struct pv_maps *
pv_maps_get(struct pv_maps_cache *cache, const struct pv_place *place)
{
	pthread_mutex_lock(&cache->lock);
	struct pv_maps *maps = cache->first;
	while (maps != NULL && !serves(maps, place))
		maps = maps->next;
	if (maps == NULL) {
		shrink(cache, SIZES - 1);
		maps = make(cache, place);
		if (maps != NULL) {
			maps->next = cache->first;
			cache->first = maps;
		}
	}
	if (maps != NULL)
		maps->users++;
	pthread_mutex_unlock(&cache->lock);
	return maps;
}

void
pv_maps_put(struct pv_maps_cache *cache, const struct pv_maps *maps)
{
	pthread_mutex_lock(&cache->lock);
	/* The cache owns it and hands it out for reading only. */
	((struct pv_maps *)(uintptr_t)maps)->users--;
	pthread_mutex_unlock(&cache->lock);
}
