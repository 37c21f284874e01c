/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vpd.h - MMD pose files: a text (cp932, or UTF-8 with a byte order mark) that holds one
 * pose, read as a motion of one frame, number 0.
 *
 *	Vocaloid Pose Data file
 *
 *	miku.osm;		// the model
 *	2;			// how many bones
 *
 *	Bone0{NAME
 *	  0.0,0.0,0.0;		// move
 *	  0.0,0.0,0.0,1.0;	// rotation, x y z w
 *	}
 *
 * and so on; a Morph0{NAME with one number after the bones is MikuMikuMoving's.  A name
 * goes to the end of its line and is cut to 15 bytes as a VMD's is.  Blanks and line ends
 * mean nothing elsewhere, and // begins a comment.
 *
 * A file that ends inside a bone or before the last one is cut short: as in vmd.h, what
 * is whole counts and `truncated` says what is missing, unless options.strict.  Anything
 * else that is not as above is refused with its line.
 */
#ifndef FMT_VPD_H
#define FMT_VPD_H

#include "plugins/formats/vmd.h"

/* A pose of ten thousand bones has about one megabyte. */
#define FMT_VPD_SIZE_MAX (16u << 20)

/* Whether these bytes begin as a pose does. */
int fmt_vpd_is(const void *bytes, size_t length);

/* As fmt_vmd_read(). */
int fmt_vpd_read(const void *bytes, size_t length, const struct fmt_vmd_options *options,
	struct fmt_vmd *motion, struct fmt_err *err);

#endif
