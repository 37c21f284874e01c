/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mask.h - what of a panorama is to be ignored, split as its pixels are.  A view's pixel
 * is ignored (0, else 255) when any of the panorama's pixels that its filter reaches is,
 * or when it looks into a cap around a pole.
 *
 * In memory a mask has a byte for each of the panorama's pixels, of the rows only that
 * the views look at.
 */
#ifndef PV_MASK_H
#define PV_MASK_H

#include "kernels/remap.h"
#include "plugins/formats/image.h"
#include "plugins/pano-views/maps.h"

struct pv_mask {
	uint8_t *
		plane; /* [1 + row_count][panorama_width], from the row above the band on */
	uint8_t *rows; /* scratch of pv_mask_reach() */
	size_t plane_room, rows_room;
	int is_nearest; /* samples mix nothing */
};

/* Nothing is ignored yet.  0 or -ENOMEM. */
int pv_mask_clear(struct pv_mask *mask, const struct pv_maps *maps);
void pv_mask_free(struct pv_mask *mask);

/* Pixels of four channels as they came from a file, the first of them at a column and a
 * row of the whole panorama. */
struct pv_mask_pixels {
	const void *pixels;
	size_t stride;
	enum fmt_image_type type;
	uint32_t column, row, width, height;
};

/* Black pixels of a mask file are ignored from now on, or transparent ones of a frame. */
void pv_mask_add_black(struct pv_mask *mask, const struct pv_maps *maps,
	const struct pv_mask_pixels *pixels);
void pv_mask_add_transparent(struct pv_mask *mask, const struct pv_maps *maps,
	const struct pv_mask_pixels *pixels);

/* The last step before views: each byte now stands for all pixels that a sample between it
 * and its neighbours to the right and below mixes.  0 or -ENOMEM. */
int pv_mask_reach(
	struct pv_mask *mask, const struct pv_maps *maps, enum kern_remap_filter filter);

/* Caps around the poles, in degrees from them; 0: none. */
struct pv_caps {
	double nadir, zenith;
};

/* A view's mask: four channels of 8 bits, all alike, to width * height * 4 bytes. */
void pv_mask_view(const struct pv_mask *mask, const struct pv_maps *maps, uint32_t view,
	const struct pv_caps *caps, uint8_t *to);

#endif
