/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jpeg_pack.h - the scan of a baseline JPEG in YCbCr, chroma halved both ways, made out of
 * rows of pixels: the bytes are those that libjpeg writes, in less than half the time.
 * One thread at a time.
 */
#ifndef FMT_JPEG_PACK_H
#define FMT_JPEG_PACK_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jpeglib.h>

struct fmt_jpeg_pack;

struct fmt_jpeg_pack *fmt_jpeg_pack_new(void); /* NULL: no memory */
void fmt_jpeg_pack_free(struct fmt_jpeg_pack *pack);

/* Whether a scan that libjpeg was told of is one of the kind. */
int fmt_jpeg_pack_suits(const struct jpeg_compress_struct *jpeg);

/* A new scan, of a picture whose tables are set.  0 or -ENOMEM. */
int fmt_jpeg_pack_begin(
	struct fmt_jpeg_pack *pack, const struct jpeg_compress_struct *jpeg);

/* The most bytes that the next row can become. */
size_t fmt_jpeg_pack_most(const struct fmt_jpeg_pack *pack);

/* The next row, R G B x; what it completes goes to `to`.  How many bytes. */
size_t fmt_jpeg_pack_row(struct fmt_jpeg_pack *pack, const uint8_t *pixels, uint8_t *to);

/* After the last row: what is left.  At most fmt_jpeg_pack_most(). */
size_t fmt_jpeg_pack_end(struct fmt_jpeg_pack *pack, uint8_t *to);

#endif
