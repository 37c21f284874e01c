/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * views.h - which views are cut from every panorama: a preset, or the rule's own list.
 * Angles are in degrees and mean what kernels/view.h says.
 */
#ifndef PV_VIEWS_H
#define PV_VIEWS_H

#include "plugins/formats/err.h"

#include <stdint.h>

#define PV_VIEWS_MOST 256
#define PV_VIEW_SIDE  16384

struct pv_view {
	char name[64];
	double yaw, pitch, roll, hfov;
	uint32_t width, height; /* 0: a quarter of the panorama's width */
};

struct pv_views {
	uint32_t count;
	struct pv_view *views;
};

/* What replaces a preset's own sizes and fields of view; 0: nothing. */
struct pv_sizes {
	uint32_t width, height;
	double hfov;
};

/* json: a preset's name, or a list of objects with name, yaw, pitch, roll, hfov, width
 * and height; only yaw is needed.  0, or -EINVAL or -ENOMEM with *err; *views is
 * untouched then. */
int pv_views_read(const char *json, const struct pv_sizes *sizes, struct pv_views *views,
	struct fmt_err *err);
void pv_views_free(struct pv_views *views);

#endif
