/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image.h - pictures from files and into files, row by row.
 *
 * Pixels are as image_pixel.h says.  Their colours are as the file has them: multiplied by
 * alpha when info says `associated` (OpenEXR always is, TIFF may be), since dividing and
 * multiplying again would lose what shines where alpha is 0.  What the file says beside
 * the pixels (EXIF, XMP, ICC) is handed through as bytes.
 *
 * Pictures are upright: where EXIF or the TIFF says that the file has them mirrored or
 * turned, width and height and the rows that are read are those of the upright picture.
 *
 * Errors: -EBADMSG for content that is not what it should be, -ENOTSUP for what is sound
 * but not read here, -EFBIG beyond a limit, -ENOMEM.
 */
#ifndef FMT_IMAGE_H
#define FMT_IMAGE_H

#include "plugins/formats/err.h"
#include "plugins/formats/image_pixel.h"

#include <stddef.h>
#include <stdint.h>

enum fmt_image_format {
	FMT_IMAGE_JPEG,
	FMT_IMAGE_PNG,
	FMT_IMAGE_TIFF,
	FMT_IMAGE_EXR,
	FMT_IMAGE_FORMATS,
};

struct fmt_image_blob {
	const uint8_t *bytes;
	size_t length;
};

/* What stands beside the pixels; bytes NULL: nothing. */
struct fmt_image_extras {
	struct fmt_image_blob exif; /* a TIFF block: "II*\0..." or "MM\0*..." */
	struct fmt_image_blob xmp;  /* an XML packet */
	struct fmt_image_blob icc;  /* a profile */
};

struct fmt_image_info {
	enum fmt_image_format format;
	uint32_t width, height;
	enum fmt_image_type type;
	unsigned channels;    /* of the file: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA */
	int half;	      /* the floats are of 16 bits in the file */
	int associated;	      /* colours are multiplied by alpha */
	unsigned orientation; /* how the file has them, 1..8 (EXIF, TIFF 6.0) */
	uint64_t scratch;     /* bytes that reading takes besides the rows, about */
	struct fmt_image_extras extras; /* they live as long as the image */
};

struct fmt_image_limits {
	uint32_t side;	 /* no side may be longer, in pixels */
	uint64_t pixels; /* nor may there be more of them */
};

struct fmt_image;

/* Reads the head of a file in memory, which must outlive the image.  0 with *image, or a
 * negative errno with *err. */
int fmt_image_open(const void *bytes, size_t length,
	const struct fmt_image_limits *limits, struct fmt_image **image,
	struct fmt_err *err);
void fmt_image_free(struct fmt_image *image);
const struct fmt_image_info *fmt_image_info(const struct fmt_image *image);

/* Rows first..first+count-1 of the picture into memory, `stride` bytes apart.  Once for an
 * image.  Rows outside are decoded only where the format does not allow to pass over
 * them, and then not kept.  A picture that the file has on its side (orientation 5..8) is
 * in memory as a whole meanwhile. */
struct fmt_image_rows {
	uint32_t first, count;
	void *to;
	size_t stride;
};
int fmt_image_read(
	struct fmt_image *image, const struct fmt_image_rows *rows, struct fmt_err *err);

/* A picture to be written. */
struct fmt_image_page {
	const void *pixels; /* four channels each */
	size_t stride;
	uint32_t width, height;
	enum fmt_image_type type; /* one that fmt_image_holds says yes to */
	unsigned channels;	  /* to be written: 1, 3 or 4; JPEG has no 4 */
	unsigned quality;	  /* of a JPEG, 1..100 */
	int half;		  /* floats are written in 16 bits */
	int associated;		  /* what fmt_image_associates says */
	struct fmt_image_extras extras;
};

/* Encodes into memory at once: *bytes is for free(3).  0 or a negative errno with *err. */
int fmt_image_encode(enum fmt_image_format format, const struct fmt_image_page *page,
	void **bytes, size_t *length, struct fmt_err *err);

/* Encodes pictures of one format row by row, one after the other; what it needed for one
 * serves the next.  One thread at a time.  NULL: no memory. */
struct fmt_image_writer;
struct fmt_image_writer *fmt_image_writer_new(enum fmt_image_format format);
void fmt_image_writer_free(struct fmt_image_writer *writer);

/* Rows that follow those before. */
struct fmt_image_stripe {
	const void *pixels;
	size_t stride;
	uint32_t count;
};

/* Begins a picture and gives up one that was not ended.  The page's pixels and stride are
 * not looked at; its extras must live until the end.  Then all rows, and the end: *bytes
 * are there until the writer begins again.  0 or a negative errno with *err. */
int fmt_image_writer_begin(struct fmt_image_writer *writer,
	const struct fmt_image_page *page, struct fmt_err *err);
int fmt_image_writer_rows(struct fmt_image_writer *writer,
	const struct fmt_image_stripe *stripe, struct fmt_err *err);
int fmt_image_writer_end(struct fmt_image_writer *writer, const void **bytes,
	size_t *length, struct fmt_err *err);

/* ".jpg", ".png", ".tif", ".exr" */
const char *fmt_image_suffix(enum fmt_image_format format);
/* "JPEG", "PNG", "TIFF", "OpenEXR" */
const char *fmt_image_name(enum fmt_image_format format);
/* Whether pixels of the type can be written. */
int fmt_image_holds(enum fmt_image_format format, enum fmt_image_type type);
/* What `associated` a page must have that is made from a picture which is so or not. */
int fmt_image_associates(enum fmt_image_format format, int associated);

#endif
