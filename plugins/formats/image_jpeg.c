/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JPEG by libjpeg-turbo, whose errors come by longjmp: everything that must survive one
 * is in memory that the jump does not touch.
 */
#include "plugins/formats/image_codec.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

/* Whole units of 16 rows may be passed over; one more is decoded, since chroma is smoothed
 * across them. */
#define UNIT 16

static const char exif_head[] = "Exif\0"; /* six bytes with the end */
static const char xmp_head[] = "http://ns.adobe.com/xap/1.0/";

/* The library's error handler, and where it leaves what was wrong. */
struct trap {
	struct jpeg_error_mgr manager;
	jmp_buf out;
	char text[JMSG_LENGTH_MAX];
	int code;
};

struct decoder {
	struct fmt_image image;
	struct jpeg_decompress_struct jpeg;
	struct trap trap;
	uint8_t *icc;
	uint8_t *row; /* for what is decoded but not kept */
};

static void
give_up(j_common_ptr common)
{
	struct trap *trap = (struct trap *)common->err;
	common->err->format_message(common, trap->text);
	trap->code = common->err->msg_code == JERR_OUT_OF_MEMORY ? -ENOMEM : -EBADMSG;
	longjmp(trap->out, 1);
}

/* A warning means that the library goes on with grey in place of what is not there. */
static void
hear(j_common_ptr common, int level)
{
	if (level < 0)
		give_up(common);
}

static struct jpeg_error_mgr *
set_trap(struct trap *trap)
{
	struct jpeg_error_mgr *manager = jpeg_std_error(&trap->manager);
	manager->error_exit = give_up;
	manager->emit_message = hear;
	return manager;
}

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
		struct fmt_image_blob exif = after(marker, exif_head, sizeof exif_head);
		struct fmt_image_blob xmp = after(marker, xmp_head, sizeof xmp_head);
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

static int
open_jpeg(const uint8_t *bytes, size_t length, struct fmt_image **image,
	struct fmt_err *err)
{
	struct decoder *decoder = calloc(1, sizeof *decoder);
	int rc;
	if (decoder == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for a JPEG decoder");
	decoder->jpeg.err = set_trap(&decoder->trap);
	if (setjmp(decoder->trap.out) == 0) {
		jpeg_create_decompress(&decoder->jpeg);
		jpeg_mem_src(&decoder->jpeg, bytes, length);
		rc = read_head(decoder, err);
	} else {
		rc = fmt_err_set(err, decoder->trap.code,
			"the JPEG's head is broken (%s)", decoder->trap.text);
	}
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

/* --- writing ----------------------------------------------------------------- */

struct encoder {
	struct jpeg_compress_struct jpeg;
	struct trap trap;
	unsigned char *bytes;
	unsigned long length;
	uint8_t *marker; /* with its head, for APP1 */
};

/* One APP1: a segment holds 65533 bytes; what is longer is left out. */
static void
write_app1(struct encoder *encoder, const char *head, size_t head_length,
	const struct fmt_image_blob *blob)
{
	size_t length = head_length + blob->length;
	if (blob->bytes == NULL || length > 65533)
		return;
	memcpy(encoder->marker, head, head_length);
	memcpy(encoder->marker + head_length, blob->bytes, blob->length);
	jpeg_write_marker(
		&encoder->jpeg, JPEG_APP0 + 1, encoder->marker, (unsigned)length);
}

static void
write_page(struct encoder *encoder, const struct fmt_image_page *page)
{
	struct jpeg_compress_struct *jpeg = &encoder->jpeg;
	jpeg_create_compress(jpeg);
	jpeg_mem_dest(jpeg, &encoder->bytes, &encoder->length);
	jpeg->image_width = page->width;
	jpeg->image_height = page->height;
	jpeg->input_components = FMT_IMAGE_CHANNELS;
	jpeg->in_color_space = JCS_EXT_RGBX;
	jpeg_set_defaults(jpeg);
	if (page->channels == 1)
		jpeg_set_colorspace(jpeg, JCS_GRAYSCALE);
	jpeg_set_quality(jpeg, (int)page->quality, TRUE);
	jpeg_start_compress(jpeg, TRUE);
	write_app1(encoder, exif_head, sizeof exif_head, &page->extras.exif);
	write_app1(encoder, xmp_head, sizeof xmp_head, &page->extras.xmp);
	if (page->extras.icc.bytes != NULL)
		jpeg_write_icc_profile(
			jpeg, page->extras.icc.bytes, (unsigned)page->extras.icc.length);
	while (jpeg->next_scanline < page->height) {
		/* The library does not write to it. */
		JSAMPROW row = (uint8_t *)(uintptr_t)page->pixels +
			       jpeg->next_scanline * page->stride;
		jpeg_write_scanlines(jpeg, &row, 1);
	}
	jpeg_finish_compress(jpeg);
}

static int
encode_jpeg(const struct fmt_image_page *page, void **bytes, size_t *length,
	struct fmt_err *err)
{
	struct encoder *encoder = calloc(1, sizeof *encoder);
	uint8_t *marker = malloc(65536);
	if (encoder == NULL || marker == NULL) {
		free(marker);
		free(encoder);
		return fmt_err_set(err, -ENOMEM, "no memory for a JPEG encoder");
	}
	encoder->marker = marker;
	encoder->jpeg.err = set_trap(&encoder->trap);
	if (setjmp(encoder->trap.out) == 0)
		write_page(encoder, page);
	int rc = encoder->trap.code == 0
			 ? 0
			 : fmt_err_set(err, encoder->trap.code,
				   "the JPEG cannot be written (%s)", encoder->trap.text);
	jpeg_destroy_compress(&encoder->jpeg);
	/* After an error the library may have freed what it had given, or not: a leak of one
	 * picture is the lesser evil. */
	if (rc == 0) {
		*bytes = encoder->bytes;
		*length = encoder->length;
	}
	free(encoder->marker);
	free(encoder);
	return rc;
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
	.encode = encode_jpeg,
};
