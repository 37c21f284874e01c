/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lot.h - views of one map, made side by side: each stretch of the map is read once for all
 * of them, so are the panorama's rows, and what is remapped goes into the encoders while
 * it is near.  A whole view is never in memory but as the file that it becomes.
 *
 * Each thread has a desk of its own, whose buffers serve one lot after the other.
 */
#ifndef PV_LOT_H
#define PV_LOT_H

#include "plugins/pano-views/fallback.h"
#include "plugins/pano-views/frame.h"
#include "plugins/pano-views/hold.h"

#define PV_LOT_MOST 8 /* views that are made at once */

/* A frame that was opened: what it is, how it lies, and what becomes of it. */
struct pv_source {
	const struct pv_frame *frame;
	const struct fmt_image_info *info;
	const struct kern_remap_picture *picture; /* the band, with its margin */
	struct pv_gpu_frame *there;		  /* NULL: it is not on a GPU */
	const struct pv_mask *mask;		  /* NULL: nothing is to be ignored */
	enum fmt_image_type type; /* while it is filtered: in linear light another */
	struct pv_place place;
	const struct pv_maps *maps;
	int alpha; /* what there is of it, or what the frame leaves out */
	enum fmt_image_format format; /* of the views */
};

struct pv_desk {
	const struct kiln_host *host;
	const struct pv_state *state;
	struct pv_fallback *fallback; /* the unit's, and its sheet */
	struct pv_sheet *sheet;
	void *page, *samples; /* page: some rows of a view, or its mask */
	size_t page_room, samples_room;
	struct pv_hold made; /* whole views, where a GPU makes them */
	struct fmt_image_writer *writers[FMT_IMAGE_FORMATS][PV_LOT_MOST];
	struct fmt_image_writer *mask_writer;
	struct pv_thumbnail thumbnails[PV_LOT_MOST]; /* of frames on the sheet */
	double seconds;				     /* of remapping alone */
};

struct pv_lot {
	const struct pv_source *source;
	uint32_t map, count;
	uint32_t views[PV_LOT_MOST]; /* numbers, all of that map */
};

/* Borrows them all. */
void pv_desk_init(struct pv_desk *desk, const struct kiln_host *host,
	const struct pv_state *state, struct pv_fallback *fallback,
	struct pv_sheet *sheet);
void pv_desk_free(struct pv_desk *desk);

/* Makes and writes the views and their masks.  Several threads may have lots of one source,
 * each at a desk of its own.  0 or a negative errno with *err. */
int pv_lot_write(struct pv_desk *desk, const struct pv_lot *lot, struct fmt_err *err);

#endif
