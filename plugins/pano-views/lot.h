/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lot.h - views of one map, made side by side: each stretch of the map is read once for all
 * of them, so are the panorama's rows, and what is remapped goes into the encoders while
 * it is near.  A whole view is never in memory but as the file that it becomes.
 */
#ifndef PV_LOT_H
#define PV_LOT_H

#include "plugins/pano-views/frame.h"

/* A frame that was opened: what it is, how it lies, and what becomes of it. */
struct pv_source {
	const struct pv_frame *frame;
	const struct fmt_image_info *info;
	enum fmt_image_type type; /* while it is filtered: in linear light another */
	struct pv_place place;
	const struct pv_maps *maps;
	int alpha; /* what there is of it, or what the frame leaves out */
	enum fmt_image_format format; /* of the views */
};

/* Makes and writes the next views of a map, and their masks: from *next on, which is moved
 * past them.  The band is there.  0 or a negative errno with *err. */
int pv_lot_write(struct pv_bench *bench, const struct pv_source *source, uint32_t map,
	uint32_t *next, struct fmt_err *err);

#endif
