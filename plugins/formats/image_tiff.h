/* SPDX-License-Identifier: BSD-2-Clause */
/* image_tiff.h - a TIFF that is being read; for image_tiff*.c alone. */
#ifndef FMT_IMAGE_TIFF_H
#define FMT_IMAGE_TIFF_H

#include "plugins/formats/image_codec.h"

#include <tiffio.h>

/* What the library may take at once, and a tile with it. */
#define FMT_IMAGE_TIFF_MOST (256 << 20)

struct fmt_tiff {
	struct fmt_image image;
	TIFF *tiff;
	const uint8_t *bytes;
	size_t length, at;
	unsigned samples, colours; /* of a pixel; those that are colours come first */
	unsigned alpha;		   /* which sample that is; 0: none */
	size_t size;		   /* bytes of a sample in the file */
	int planar, inverted;
	const uint16_t *palette[3]; /* the library's; NULL: none */
	int spoilt;		    /* JPEG data were not whole, and grey came instead */
	char text[512];		    /* what the library said first */
};

/* Has the library read tiff->bytes; what it says goes into tiff->text.  NULL: the head is
 * broken, or memory is out. */
TIFF *fmt_image_tiff_file_open(struct fmt_tiff *tiff);

/* fmt_image_read() of a picture whose head was read. */
int fmt_image_tiff_rows_read(
	struct fmt_image *image, const struct fmt_image_rows *rows, struct fmt_err *err);

#endif
