/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jpeg_band.h - rows of a baseline JPEG, decoded by ourselves where it is of the common
 * kind: one scan, grey or YCbCr, chroma as it is, halved across, or halved both ways.  The
 * pixels are those of libjpeg; it reads the head and all other kinds.
 */
#ifndef FMT_JPEG_BAND_H
#define FMT_JPEG_BAND_H

#include "plugins/formats/image.h"

#include <stdio.h>

#include <jpeglib.h>

struct fmt_jpeg_band;

/* 1 with *band, when the picture whose head was read is of the kind; 0 when it is not, or
 * memory is out: libjpeg is to read it then.  The file must outlive the band. */
int fmt_jpeg_band_new(
	const struct jpeg_decompress_struct *jpeg, struct fmt_jpeg_band **band);
void fmt_jpeg_band_free(struct fmt_jpeg_band *band);

/* Once.  R G B 255.  0, or -EBADMSG with *err. */
int fmt_jpeg_band_read(struct fmt_jpeg_band *band, const struct fmt_image_rows *rows,
	struct fmt_err *err);

#endif
