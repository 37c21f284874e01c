/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * extras.h - what stands beside a view's pixels: the frame's EXIF as far as it is true of
 * the view, and an XMP packet that says where the view looks.
 */
#ifndef PV_EXTRAS_H
#define PV_EXTRAS_H

#include "plugins/pano-views/place.h"
#include "plugins/pano-views/views.h"

struct pv_extras {
	struct fmt_image_extras image; /* the ICC profile is borrowed from the frame */
	uint8_t *exif;
	char xmp[1024];
};

/* For a view of width x height pixels.  0 or -ENOMEM. */
int pv_extras_make(struct pv_extras *extras, const struct fmt_image_info *frame,
	const struct pv_place *place, const struct pv_view *view, const uint32_t size[2]);
void pv_extras_free(struct pv_extras *extras);

#endif
