/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JPEG by libjpeg-turbo.  Its errors come by longjmp: everything that must survive one is in
 * memory that the jump does not touch.
 */
#include "plugins/formats/image_codec.h"
#include "plugins/formats/jpeg_trap.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whole units of 16 rows may be passed over; one more is decoded, since chroma is smoothed
 * across them. */
#define UNIT 16

struct decoder {
	struct fmt_image image;
	struct jpeg_decompress_struct jpeg;
	struct fmt_jpeg_trap trap;
	uint8_t *icc;
	uint8_t *row; /* for what is decoded but not kept */
};

static int
is_jpeg(const uint8_t *bytes, size_t length)
{
	return length >= 3 && bytes[0] == 0xff && bytes[1] == 0xd8 && bytes[2] == 0xff;
}

/* The rest of a marker that begins with head, or nothing. */
static struct fmt_image_blob
after(const struct jpeg_marker_struct *marker, const char *head, size_t length)
{
	if (marker->data_length < length || memcmp(marker->data, head, length) != 0)
		return (struct fmt_image_blob){0};
	return (struct fmt_image_blob){
		marker->data + length, marker->data_length - length};
}

static void
find_extras(struct decoder *decoder)
{
	struct fmt_image_extras *extras = &decoder->image.info.extras;
	JOCTET *icc;
	unsigned length;
	for (const struct jpeg_marker_struct *marker = decoder->jpeg.marker_list;
		marker != NULL; marker = marker->next) {
		if (marker->marker != JPEG_APP0 + 1)
			continue;
		struct fmt_image_blob exif =
			after(marker, fmt_jpeg_exif, sizeof fmt_jpeg_exif);
		struct fmt_image_blob xmp =
			after(marker, fmt_jpeg_xmp, sizeof fmt_jpeg_xmp);
		if (exif.bytes != NULL && extras->exif.bytes == NULL)
			extras->exif = exif;
		if (xmp.bytes != NULL && extras->xmp.bytes == NULL)
			extras->xmp = xmp;
	}
	if (jpeg_read_icc_profile(&decoder->jpeg, &icc, &length)) {
		decoder->icc = icc;
		extras->icc = (struct fmt_image_blob){icc, length};
	}
}

static int
read_head(struct decoder *decoder, struct fmt_err *err)
{
	struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
	jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xffff);
	jpeg_save_markers(jpeg, JPEG_APP0 + 2, 0xffff);
	jpeg_read_header(jpeg, TRUE);
	if (jpeg->num_components != 1 && jpeg->num_components != 3)
		return fmt_err_set(err, -ENOTSUP,
			"the JPEG has %d channels (CMYK); save it as RGB or grey",
			jpeg->num_components);
	decoder->image.info.width = jpeg->image_width;
	decoder->image.info.height = jpeg->image_height;
	decoder->image.info.type = FMT_IMAGE_U8;
	decoder->image.info.channels = (unsigned)jpeg->num_components;
	/* Of a picture in several scans all coefficients are kept, with as many of chroma
	 * as of luma at most. */
	decoder->image.info.scratch =
		jpeg_has_multiple_scans(jpeg)
			? (uint64_t)jpeg->image_width * jpeg->image_height *
				  sizeof(JCOEF) * (unsigned)jpeg->num_components
			: 0;
	find_extras(decoder);
	return 0;
}

static void
free_jpeg(struct fmt_image *image)
{
	struct decoder *decoder = (struct decoder *)image;
	jpeg_destroy_decompress(&decoder->jpeg);
	free(decoder->icc);
	free(decoder->row);
	free(decoder);
}

/* Whether the end's marker is there.  Mostly it is the last thing; where something follows,
 * it is sought, segments of the head being passed over: a thumbnail has an end, too. */
static int
has_end(const uint8_t *bytes, size_t length)
{
	const uint8_t *at = bytes + 2, *const past = bytes + length;
	if (past[-2] == 0xff && past[-1] == JPEG_EOI)
		return 1;
	while ((at = memchr(at, 0xff, (size_t)(past - at))) != NULL && past - at >= 4) {
		const uint8_t marker = at[1];
		if (marker == JPEG_EOI)
			return 1;
		const int is_segment = marker >= 0xc0 && marker < 0xff &&
				       !(marker >= JPEG_RST0 && marker <= JPEG_RST0 + 7);
		const size_t step = is_segment ? 2u + (size_t)(at[2] << 8 | at[3])
					       : 1u + (marker == 0);
		if (step > (size_t)(past - at))
			return 0;
		at += step;
	}
	return 0;
}

static int
open_jpeg(const uint8_t *bytes, size_t length, struct fmt_image **image,
	struct fmt_err *err)
{
	struct decoder *decoder = calloc(1, sizeof *decoder);
	int rc;
	if (decoder == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for a JPEG decoder");
	decoder->jpeg.err = fmt_jpeg_trap_set(&decoder->trap);
	if (setjmp(decoder->trap.out) == 0) {
		jpeg_create_decompress(&decoder->jpeg);
		jpeg_mem_src(&decoder->jpeg, bytes, length);
		rc = read_head(decoder, err);
	} else {
		rc = fmt_err_set(err, decoder->trap.code,
			"the JPEG's head is broken (%s)", decoder->trap.text);
	}
	/* Rows below those that are wanted are not looked at, and would not be missed. */
	if (rc == 0 && !has_end(bytes, length))
		rc = fmt_err_set(err, -EBADMSG,
			"the JPEG was cut off: its %zu bytes have no end marker", length);
	if (rc < 0) {
		free_jpeg(&decoder->image);
		return rc;
	}
	*image = &decoder->image;
	return 0;
}

static void
read_rows(struct decoder *decoder, const struct fmt_image_rows *rows)
{
	struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
	uint32_t skipped = rows->first / UNIT;
	jpeg->out_color_space = JCS_EXT_RGBA;
	jpeg_start_decompress(jpeg);
	if (skipped > 1)
		jpeg_skip_scanlines(jpeg, (skipped - 1) * UNIT);
	while (jpeg->output_scanline < rows->first) {
		JSAMPROW row = decoder->row;
		jpeg_read_scanlines(jpeg, &row, 1);
	}
	while (jpeg->output_scanline < rows->first + rows->count) {
		JSAMPROW row = (uint8_t *)rows->to +
			       (jpeg->output_scanline - rows->first) * rows->stride;
		jpeg_read_scanlines(jpeg, &row, 1);
	}
	if (jpeg->output_scanline == jpeg->output_height)
		jpeg_finish_decompress(jpeg);
	else
		jpeg_abort_decompress(jpeg);
}

static int
read_jpeg(struct fmt_image *image, const struct fmt_image_rows *rows, struct fmt_err *err)
{
	struct decoder *decoder = (struct decoder *)image;
	decoder->row = malloc((size_t)image->info.width * FMT_IMAGE_CHANNELS);
	if (decoder->row == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for a row of the JPEG");
	if (setjmp(decoder->trap.out) != 0)
		return fmt_err_set(err, decoder->trap.code,
			"the JPEG is broken at row %u of %u (%s)",
			decoder->jpeg.output_scanline, image->info.height,
			decoder->trap.text);
	read_rows(decoder, rows);
	return 0;
}

const struct fmt_image_codec fmt_image_jpeg = {
	.name = "JPEG",
	.suffix = ".jpg",
	.types = 1 << FMT_IMAGE_U8,
	.associations = 1 << 0,
	.is = is_jpeg,
	.open = open_jpeg,
	.read = read_jpeg,
	.free = free_jpeg,
	.writing = &fmt_image_jpeg_write,
};
