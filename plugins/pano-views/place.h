/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * place.h - how a frame lies on the sphere: whole, or as the window that its GPano says,
 * and how the camera was held.
 */
#ifndef PV_PLACE_H
#define PV_PLACE_H

#include "plugins/formats/image.h"

struct pv_place {
	uint32_t width, height; /* of the whole sphere, in the frame's pixels */
	uint32_t left, top;	/* where the frame lies in it */
	int partial;		/* the frame does not cover all of it */
	double pitch, roll;	/* of the camera, to be taken out of the views */
	int has_heading;
	double heading; /* compass bearing of the centre, degrees */
};

/* The sizes that GPano tells are those of the file as the camera wrote it: they are scaled
 * to the pixels that are there.  0, or -EBADMSG with *err for what is no panorama. */
int pv_place_find(
	const struct fmt_image_info *info, struct pv_place *place, struct fmt_err *err);

#endif
