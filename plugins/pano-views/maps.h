/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * maps.h - where the views' pixels lie in panoramas of one size, kept for as long as
 * frames of that size come.  Views that differ in yaw alone share a map; where the camera
 * was tilted, that is to be taken out again, and every view has a map of its own.
 */
#ifndef PV_MAPS_H
#define PV_MAPS_H

#include "kernels/view.h"
#include "plugins/pano-views/place.h"
#include "plugins/pano-views/views.h"

#include <stddef.h>
#include <stdint.h>

struct pv_map {
	double yaw, pitch, roll, hfov; /* yaw: what is not left to the shift */
	uint32_t width, height;
	uint8_t *
		plan; /* [height][width], kern_supersample_plan(); NULL: one sample each */
	size_t *starts; /* [height + 1]: where each row's samples begin */
	int32_t *u, *v; /* of all samples */
};

struct pv_maps {
	uint64_t serial; /* no other maps of this process had it */
	uint32_t panorama_width, panorama_height;
	double camera_pitch, camera_roll;
	uint32_t first_row, row_count; /* of the panorama, that any view looks at */
	uint32_t map_count;
	struct pv_map *maps;
	uint64_t bytes; /* of all maps' samples */
	struct {
		uint32_t map;
		int32_t shift;
	} * views;	/* one for each view */
	uint32_t users; /* frames at work */
	struct pv_maps *next;
};

/* A few sizes, shared by threads. */
struct pv_maps_cache;

/* Borrows views; supersample: where views make the panorama smaller.  NULL when memory is
 * out. */
struct pv_maps_cache *pv_maps_cache_new(const struct pv_views *views, int supersample);
void pv_maps_cache_free(struct pv_maps_cache *cache);

/* Who places the views' pixels from now on; the plain C before. */
void pv_maps_cache_draw_by(struct pv_maps_cache *cache, kern_view_fn *places);

/* The maps for a frame's size and the camera's tilt, made where they are not there yet;
 * NULL when memory is out.  Given back with pv_maps_put(). */
const struct pv_maps *pv_maps_get(
	struct pv_maps_cache *cache, const struct pv_place *place);
void pv_maps_put(struct pv_maps_cache *cache, const struct pv_maps *maps);

/* The geometry of one of the maps. */
void pv_maps_view(
	const struct pv_maps *maps, const struct pv_map *map, struct kern_view *view);

#endif
