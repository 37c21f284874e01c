/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gpano.h - what a panorama's XMP says of it (Photo Sphere XMP Metadata, namespace
 * http://ns.google.com/photos/1.0/panorama/), as attributes or as elements.
 */
#ifndef FMT_GPANO_H
#define FMT_GPANO_H

#include <stddef.h>

struct fmt_gpano {
	int has_crop; /* all six sizes are there, positive, and the crop lies inside */
	double full_width,
		full_height; /* of the sphere, in the pixels they were told in */
	double crop_width, crop_height; /* of what the file held then */
	double crop_left, crop_top;
	int has_heading;
	double heading; /* compass bearing of the picture's centre, degrees */
	double pitch;	/* of the centre above the horizon, degrees */
	double roll;	/* with more of it the horizon turns anticlockwise */
};

/* What is not said, or no number, is 0. */
void fmt_gpano_read(const char *xmp, size_t length, struct fmt_gpano *gpano);

#endif
