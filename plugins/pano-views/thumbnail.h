/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * thumbnail.h - a view made small while its rows are made: each of the small picture's
 * pixels is the mean of all that the view has there, in 8 bits as on a screen, over paper
 * where the view is transparent.  Only the sums of one row of it are kept.
 */
#ifndef PV_THUMBNAIL_H
#define PV_THUMBNAIL_H

#include "plugins/formats/image.h"

#define PV_THUMBNAIL_SIDE 240 /* at most */
#define PV_THUMBNAIL_ROWS 256 /* of a view that are added at once, at most */

/* Linear light, in so many steps, as 8 bits of sRGB. */
#define PV_THUMBNAIL_TONES 4096

/* Zeros, and what the first lines say, are one that is to be begun. */
struct pv_thumbnail {
	uint8_t *to; /* [height][stride], four channels; borrowed, so is all below */
	size_t stride;
	const uint8_t *paper; /* [3] */
	const uint8_t *tones; /* [PV_THUMBNAIL_TONES + 1] */
	uint32_t width, height;
	uint32_t view_width, view_height; /* at least as large */
	enum fmt_image_type type;	  /* of the view; floats are linear light */
	int is_opaque, is_associated;	  /* premultiplied by its alpha */

	uint32_t row;  /* at hand */
	uint32_t next; /* of the view's rows */
	uint32_t sums[PV_THUMBNAIL_SIDE][FMT_IMAGE_CHANNELS];
};

void pv_thumbnail_tones(uint8_t tones[PV_THUMBNAIL_TONES + 1]);

/* The view's next rows, from its first to its last; all of the small picture is drawn when
 * all of the view was added. */
void pv_thumbnail_add(struct pv_thumbnail *small, const struct fmt_image_stripe *stripe);

#endif
