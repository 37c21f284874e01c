/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exif.h - a picture's EXIF, carried over to a picture that was made from it: what is
 * still true is copied, what has become another thing is set, the rest is dropped (lens
 * and focal length of the other camera, maker notes, thumbnails).
 *
 * Source: Exif 2.32 (CIPA DC-008), TIFF 6.0.
 */
#ifndef FMT_EXIF_H
#define FMT_EXIF_H

#include <stddef.h>
#include <stdint.h>

/* A TIFF block holds at most as much as a JPEG segment. */
#define FMT_EXIF_MOST 65533

struct fmt_exif_facts {
	int orientation; /* 1..8; 1 when not said */
	int has_direction;
	double direction; /* GPSImgDirection, degrees from north to the east */
};

/* What a broken block says is not said. */
void fmt_exif_read(const uint8_t *block, size_t length, struct fmt_exif_facts *facts);

struct fmt_exif_changes {
	uint32_t width, height;	 /* pixels */
	double focal_35mm;	 /* millimetres on 36 mm of film; 0: not said */
	int has_direction;	 /* whether `direction` is set in place of the old one */
	double direction;	 /* degrees */
	const char *description; /* ImageDescription; NULL: none */
	const char *software;
};

/* A new block from an old one (NULL: none), little-endian, orientation 1.  0 with *made,
 * for free(3), or -ENOMEM.  Entries that are broken, or would make the block longer than
 * FMT_EXIF_MOST, are left out. */
int fmt_exif_carry(const uint8_t *block, size_t length,
	const struct fmt_exif_changes *changes, uint8_t **made, size_t *made_length);

#endif
