/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * charts.h - maps (maps.h) as a GPU has them, kept there for as long as frames of their
 * size come.  Where a map does not fit, the GPU finds the places by the view's geometry.
 */
#ifndef PV_CHARTS_H
#define PV_CHARTS_H

#include "plugins/pano-views/device.h"
#include "plugins/pano-views/maps.h"

struct pv_chart {
	void *room; /* there: the places, and the plan; NULL: nothing is */
	const int32_t *u, *v;
	const uint8_t *plan;
	const uint32_t *first;
	struct kern_view view;
	/* Here, for each row of the view: the first row of the panorama that its samples
	 * reach, and the one past the last; before 0 and after the last lie the margins. */
	int32_t *top, *bottom;
};

struct pv_charts {
	uint64_t serial; /* of the maps */
	uint32_t map_count;
	struct pv_chart *charts;
	int thin; /* no chart has places */
	uint32_t users;
	unsigned level; /* of the ladder, where the last frame found room; see gpu.c */
	struct pv_charts *next;
};

/* Draws the charts of all maps and begins to copy them there; thin: without the places.  The
 * maps outlive the stream's next wait().  0, -ENOMEM or -EIO, then nothing is left there. */
struct pv_charts_options {
	const struct gpu_device *calls;
	void *stream;
	int thin;
};
int pv_charts_new(const struct pv_charts_options *options, const struct pv_maps *maps,
	struct pv_charts **made);
void pv_charts_free(const struct gpu_device *calls, struct pv_charts *charts);

#endif
