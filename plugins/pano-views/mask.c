/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/mask.h"

#include "kernels/view.h"
#include "plugins/pano-views/files.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int
pv_mask_clear(struct pv_mask *mask, const struct pv_maps *maps)
{
	size_t size = (maps->row_count + (size_t)1) * maps->panorama_width;
	void *plane = mask->plane;
	mask->plane = pv_files_room(&plane, &mask->plane_room, size);
	if (mask->plane == NULL)
		return -ENOMEM;
	memset(mask->plane, 255, size);
	return 0;
}

void
pv_mask_free(struct pv_mask *mask)
{
	free(mask->plane);
	free(mask->rows);
}

/* Whether channels first..last of a pixel are all 0. */
static int
is_zero(enum fmt_image_type type, const void *pixel, int first, int last)
{
	const uint8_t *bytes = pixel;
	const uint16_t *words = pixel;
	const float *floats = pixel;
	for (int c = first; c <= last; c++)
		if (type == FMT_IMAGE_U8	? bytes[c] != 0
			: type == FMT_IMAGE_U16 ? words[c] != 0
						: floats[c] > 0.0f)
			return 0;
	return 1;
}

static void
add(struct pv_mask *mask, const struct pv_maps *maps, const struct pv_mask_pixels *pixels,
	int first, int last)
{
	const size_t pixel = fmt_image_pixel(pixels->type);
	for (uint32_t y = 0; y < pixels->height; y++) {
		const char *from = (const char *)pixels->pixels + y * pixels->stride;
		uint8_t *to = mask->plane +
			      (size_t)(pixels->row + y - maps->first_row + 1) *
				      maps->panorama_width +
			      pixels->column;
		for (uint32_t x = 0; x < pixels->width; x++)
			if (is_zero(pixels->type, from + x * pixel, first, last))
				to[x] = 0;
	}
}

void
pv_mask_add_black(struct pv_mask *mask, const struct pv_maps *maps,
	const struct pv_mask_pixels *pixels)
{
	add(mask, maps, pixels, 0, 2);
}

void
pv_mask_add_transparent(struct pv_mask *mask, const struct pv_maps *maps,
	const struct pv_mask_pixels *pixels)
{
	add(mask, maps, pixels, 3, 3);
}

/* The least of taps neighbours, going round; `before` of them lie to the left. */
static void
reach_across(const uint8_t *from, uint8_t *to, uint32_t width, unsigned taps)
{
	const unsigned before = taps / 2 - 1;
	memset(to, 255, width);
	for (uint32_t x = 0; x < width; x++)
		for (unsigned k = 0; from[x] == 0 && k < taps; k++)
			to[(x + 2 * width + before - k) % width] = 0;
}

/* A row's bytes of one row of taps; beyond a pole lies the reflected row, moved by half
 * the width.  Rows outside of the band are looked at by no view. */
static void
take_row(const struct pv_mask *mask, const struct pv_maps *maps, int64_t row, uint8_t *to)
{
	const int64_t height = maps->panorama_height;
	const uint32_t width = maps->panorama_width;
	const int beyond = row < 0 || row >= height;
	row = row < 0 ? -1 - row : row >= height ? 2 * height - 1 - row : row;
	row -= maps->first_row;
	if (row < 0 || row >= maps->row_count)
		return;
	const uint8_t *from = mask->rows + (size_t)row * width;
	for (uint32_t x = 0; x < width; x++)
		to[x] &= from[beyond ? (x + width / 2) % width : x];
}

int
pv_mask_reach(
	struct pv_mask *mask, const struct pv_maps *maps, enum kern_remap_filter filter)
{
	const uint32_t width = maps->panorama_width;
	const unsigned taps = kern_remap_taps(filter);
	const size_t size = (size_t)maps->row_count * width;
	void *rows = mask->rows;
	mask->is_nearest = taps == 1;
	if (mask->is_nearest)
		return 0;
	mask->rows = pv_files_room(&rows, &mask->rows_room, size);
	if (mask->rows == NULL)
		return -ENOMEM;
	for (uint32_t row = 0; row < maps->row_count; row++)
		reach_across(mask->plane + (row + (size_t)1) * width,
			mask->rows + (size_t)row * width, width, taps);
	memset(mask->plane, 255, size + width);
	for (uint32_t row = 0; row <= maps->row_count; row++)
		for (unsigned k = 0; k < taps; k++)
			take_row(mask, maps,
				(int64_t)maps->first_row + row + k - taps / 2,
				mask->plane + (size_t)row * width);
	return 0;
}

/* What decides about a sample. */
struct look {
	const struct pv_mask *mask;
	const struct pv_maps *maps;
	int32_t shift, half; /* half: a sample's nearest pixel, not the one before it */
	int32_t highest, lowest; /* v beyond these lies in a cap */
};

static int
is_ignored(const struct look *look, int32_t u, int32_t v)
{
	const struct pv_maps *maps = look->maps;
	const int64_t width = maps->panorama_width;
	if (v < look->highest || v > look->lowest)
		return 1;
	int64_t x = ((int64_t)u + look->shift + look->half) >> KERN_VIEW_BITS;
	int64_t y = ((int64_t)v + look->half) >> KERN_VIEW_BITS;
	x = x < 0 ? x + width : x >= width ? x - width : x;
	/* Exactly at the pole, which is its own opposite. */
	if (y >= maps->panorama_height)
		y = maps->panorama_height - 1;
	y -= (int64_t)maps->first_row - 1;
	return look->mask->plane[(size_t)(y * width + x)] == 0;
}

/* v of a latitude that is so many degrees from the zenith. */
static int32_t
latitude(const struct pv_maps *maps, double degrees)
{
	return (int32_t)lrint(
		(maps->panorama_height * degrees / 180.0 - 0.5) * KERN_VIEW_ONE);
}

void
pv_mask_view(const struct pv_mask *mask, const struct pv_maps *maps, uint32_t view,
	const struct pv_caps *caps, uint8_t *to)
{
	const struct pv_map *map = &maps->maps[maps->views[view].map];
	const struct look look = {
		.mask = mask,
		.maps = maps,
		.shift = maps->views[view].shift,
		.half = mask->is_nearest ? KERN_VIEW_ONE / 2 : 0,
		.highest = caps->zenith > 0 ? latitude(maps, caps->zenith) : INT32_MIN,
		.lowest = caps->nadir > 0 ? latitude(maps, 180 - caps->nadir) : INT32_MAX,
	};
	size_t at = 0;
	for (size_t i = 0; i < (size_t)map->width * map->height; i++) {
		unsigned samples = map->plan == NULL
					   ? 1
					   : (map->plan[i] & 15u) * (map->plan[i] >> 4);
		int ignored = 0;
		for (unsigned k = 0; k < samples; k++, at++)
			ignored |= is_ignored(&look, map->u[at], map->v[at]);
		memset(to + 4 * i, ignored ? 0 : 255, 4);
	}
}
