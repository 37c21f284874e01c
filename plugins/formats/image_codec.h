/* SPDX-License-Identifier: BSD-2-Clause */
/* image_codec.h - what a format does for image.h; for image*.c alone. */
#ifndef FMT_IMAGE_CODEC_H
#define FMT_IMAGE_CODEC_H

#include "plugins/formats/image.h"

/* A decoder has this as its first member. */
struct fmt_image {
	const struct fmt_image_codec *codec;
	struct fmt_image_info info;  /* of the file; orientation 0: as EXIF says */
	struct fmt_image_info shown; /* image.c's: of the upright picture */
};

/* A writer has this as its first member; image.c sets what is in it. */
struct fmt_image_writer {
	const struct fmt_image_writing *writing;
	struct fmt_image_page page;
};

/* Row by row: fmt_image_writer_...(). */
struct fmt_image_writing {
	struct fmt_image_writer *(*make)(void);
	void (*free)(struct fmt_image_writer *writer);
	int (*begin)(struct fmt_image_writer *writer, struct fmt_err *err);
	int (*rows)(struct fmt_image_writer *writer,
		const struct fmt_image_stripe *stripe, struct fmt_err *err);
	int (*end)(struct fmt_image_writer *writer, const void **bytes, size_t *length,
		struct fmt_err *err);
};

struct fmt_image_codec {
	const char *name, *suffix;
	unsigned types;	       /* what can be written: 1 << enum fmt_image_type */
	unsigned associations; /* what `associated` may be of a page: 1 << it */
	int (*is)(const uint8_t *bytes, size_t length);
	/* Fills info; *image is untouched on failure. */
	int (*open)(const uint8_t *bytes, size_t length, struct fmt_image **image,
		struct fmt_err *err);
	int (*read)(struct fmt_image *image, const struct fmt_image_rows *rows,
		struct fmt_err *err);
	void (*free)(struct fmt_image *image);
	/* A picture as a whole, or, where that is NULL, row by row. */
	int (*encode)(const struct fmt_image_page *page, void **bytes, size_t *length,
		struct fmt_err *err);
	const struct fmt_image_writing *writing;
};

extern const struct fmt_image_writing fmt_image_jpeg_write, fmt_image_png_write;

/* Reads rows of the upright picture of one that the file has mirrored or turned. */
int fmt_image_turn_read(
	struct fmt_image *image, const struct fmt_image_rows *rows, struct fmt_err *err);

/* A writer that gathers the rows for the codec's encode(); NULL: no memory. */
struct fmt_image_writer *fmt_image_whole_new(const struct fmt_image_codec *codec);

extern const struct fmt_image_codec fmt_image_jpeg, fmt_image_png, fmt_image_tiff,
	fmt_image_exr;

/* Encoders that stand in files of their own. */
int fmt_image_tiff_write(const struct fmt_image_page *page, void **bytes, size_t *length,
	struct fmt_err *err);
int fmt_image_exr_write(const struct fmt_image_page *page, void **bytes, size_t *length,
	struct fmt_err *err);

#endif
