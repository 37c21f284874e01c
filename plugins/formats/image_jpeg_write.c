/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JPEG, written by libjpeg-turbo.  Its errors come by longjmp: everything that must survive
 * one is in memory that the jump does not touch.
 */
#include "plugins/formats/image_codec.h"
#include "plugins/formats/jpeg_trap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>

#define MARKER_MOST 65533 /* bytes of a segment */
#define FIRST_ROOM  (1u << 20)

struct writer {
	struct fmt_image_writer base;
	struct jpeg_compress_struct jpeg;
	struct jpeg_destination_mgr to;
	struct fmt_jpeg_trap trap;
	uint8_t *bytes;
	size_t length, room;	     /* length: once the picture has ended */
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
	write_app1(w, fmt_jpeg_exif, sizeof fmt_jpeg_exif, &page->extras.exif);
	write_app1(w, fmt_jpeg_xmp, sizeof fmt_jpeg_xmp, &page->extras.xmp);
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
	w->jpeg.err = fmt_jpeg_trap_set(&w->trap);
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

const struct fmt_image_writing fmt_image_jpeg_write = {
	.make = new_writer,
	.free = free_writer,
	.begin = begin_jpeg,
	.rows = write_rows,
	.end = end_jpeg,
};
