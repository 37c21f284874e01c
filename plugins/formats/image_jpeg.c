/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JPEG by libjpeg-turbo, but for the rows of common pictures (jpeg_band.h).  Its errors come by longjmp: everything that must survive one
 * is in memory that the jump does not touch.
 */
#include "plugins/formats/image_codec.h"
#include "plugins/formats/jpeg_band.h"

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
	struct fmt_jpeg_band *band;
	if (fmt_jpeg_band_new(&decoder->jpeg, &band)) {
		int rc = fmt_jpeg_band_read(band, rows, err);
		fmt_jpeg_band_free(band);
		return rc;
	}
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

#define MARKER_MOST 65533 /* bytes of a segment */
#define FIRST_ROOM  (1u << 20)

struct writer {
	struct fmt_image_writer base;
	struct jpeg_compress_struct jpeg;
	struct jpeg_destination_mgr to;
	struct trap trap;
	uint8_t *bytes;
	size_t length, room;
	uint8_t marker[MARKER_MOST]; /* with its head, for APP1 */
};

static void
point_at(struct writer *w, size_t done)
{
	w->to.next_output_byte = w->bytes + done;
	w->to.free_in_buffer = w->room - done;
}

static void
start_output(j_compress_ptr jpeg)
{
	point_at(jpeg->client_data, 0);
}

/* The library calls when the room is used up, whatever the pointers say. */
static boolean
grow_output(j_compress_ptr jpeg)
{
	struct writer *w = jpeg->client_data;
	uint8_t *grown = realloc(w->bytes, 2 * w->room);
	if (grown == NULL)
		ERREXIT1(jpeg, JERR_OUT_OF_MEMORY, 0);
	w->bytes = grown;
	w->room *= 2;
	point_at(w, w->room / 2);
	return TRUE;
}

static void
finish_output(j_compress_ptr jpeg)
{
	struct writer *w = jpeg->client_data;
	w->length = w->room - w->to.free_in_buffer;
}

/* One APP1; what is longer than a segment is left out. */
static void
write_app1(struct writer *w, const char *head, size_t head_length,
	const struct fmt_image_blob *blob)
{
	size_t length = head_length + blob->length;
	if (blob->bytes == NULL || length > MARKER_MOST)
		return;
	memcpy(w->marker, head, head_length);
	memcpy(w->marker + head_length, blob->bytes, blob->length);
	jpeg_write_marker(&w->jpeg, JPEG_APP0 + 1, w->marker, (unsigned)length);
}

static void
start(struct writer *w, const struct fmt_image_page *page)
{
	struct jpeg_compress_struct *jpeg = &w->jpeg;
	jpeg_abort_compress(jpeg); /* nothing after a picture that was ended */
	jpeg->image_width = page->width;
	jpeg->image_height = page->height;
	jpeg->input_components = FMT_IMAGE_CHANNELS;
	jpeg->in_color_space = JCS_EXT_RGBX;
	jpeg_set_defaults(jpeg);
	if (page->channels == 1)
		jpeg_set_colorspace(jpeg, JCS_GRAYSCALE);
	jpeg_set_quality(jpeg, (int)page->quality, TRUE);
	jpeg_start_compress(jpeg, TRUE);
	write_app1(w, exif_head, sizeof exif_head, &page->extras.exif);
	write_app1(w, xmp_head, sizeof xmp_head, &page->extras.xmp);
	if (page->extras.icc.bytes != NULL)
		jpeg_write_icc_profile(
			jpeg, page->extras.icc.bytes, (unsigned)page->extras.icc.length);
}

static int
say_broken(struct writer *w, struct fmt_err *err)
{
	return fmt_err_set(
		err, w->trap.code, "the JPEG cannot be written (%s)", w->trap.text);
}

static int
begin_jpeg(struct fmt_image_writer *writer, struct fmt_err *err)
{
	struct writer *w = (struct writer *)writer;
	if (setjmp(w->trap.out) != 0)
		return say_broken(w, err);
	start(w, &writer->page);
	return 0;
}

static int
write_rows(struct fmt_image_writer *writer, const struct fmt_image_stripe *stripe,
	struct fmt_err *err)
{
	struct writer *w = (struct writer *)writer;
	if (setjmp(w->trap.out) != 0)
		return say_broken(w, err);
	for (uint32_t i = 0; i < stripe->count; i++) {
		/* The library does not write to it. */
		JSAMPROW row = (uint8_t *)(uintptr_t)stripe->pixels + i * stripe->stride;
		jpeg_write_scanlines(&w->jpeg, &row, 1);
	}
	return 0;
}

static int
end_jpeg(struct fmt_image_writer *writer, const void **bytes, size_t *length,
	struct fmt_err *err)
{
	struct writer *w = (struct writer *)writer;
	if (setjmp(w->trap.out) != 0)
		return say_broken(w, err);
	jpeg_finish_compress(&w->jpeg);
	*bytes = w->bytes;
	*length = w->length;
	return 0;
}

static void
free_writer(struct fmt_image_writer *writer)
{
	struct writer *w = (struct writer *)writer;
	jpeg_destroy_compress(&w->jpeg);
	free(w->bytes);
	free(w);
}

static struct fmt_image_writer *
new_writer(void)
{
	struct writer *w = calloc(1, sizeof *w);
	if (w == NULL)
		return NULL;
	w->room = FIRST_ROOM;
	w->bytes = malloc(w->room);
	w->jpeg.err = set_trap(&w->trap);
	if (w->bytes == NULL || setjmp(w->trap.out) != 0) {
		free_writer(&w->base);
		return NULL;
	}
	jpeg_create_compress(&w->jpeg);
	w->to.init_destination = start_output;
	w->to.empty_output_buffer = grow_output;
	w->to.term_destination = finish_output;
	w->jpeg.dest = &w->to;
	w->jpeg.client_data = w;
	return &w->base;
}

static const struct fmt_image_writing writing = {
	.make = new_writer,
	.free = free_writer,
	.begin = begin_jpeg,
	.rows = write_rows,
	.end = end_jpeg,
};

const struct fmt_image_codec fmt_image_jpeg = {
	.name = "JPEG",
	.suffix = ".jpg",
	.types = 1 << FMT_IMAGE_U8,
	.associations = 1 << 0,
	.is = is_jpeg,
	.open = open_jpeg,
	.read = read_jpeg,
	.free = free_jpeg,
	.writing = &writing,
};
