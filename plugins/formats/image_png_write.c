/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PNG, written: each row is packed and foretold by Paeth's predictor (png_rows.h) while it
 * is warm, and what is left goes block by block through our own DEFLATE, whose only
 * matches are runs of pixels.  Against libdeflate's fastest level that takes a quarter of
 * the time for some percent in size.
 */
#include "plugins/formats/deflate.h"
#include "plugins/formats/image_codec.h"
#include "plugins/formats/png_rows.h"

#include <errno.h>
#include <libdeflate.h>
#include <spng.h>
#include <stdlib.h>
#include <string.h>

/* What a run is worth looking at: two pixels of RGBA and more. */
#define RUN_WORDS 3
/* A chunk may hold 2^31 - 1 bytes; beyond this the pixels go on in the next. */
#define CHUNK_MOST (UINT32_C(1) << 30)

static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
static const char xmp_keyword[] = "XML:com.adobe.xmp";

struct sink {
	uint8_t *bytes;
	size_t length, room;
};

struct writer {
	struct fmt_image_writer base;
	const struct fmt_png_rows *ops;
	struct fmt_deflate *deflate;
	struct sink sink;
	size_t content; /* bytes of the open IDAT */
	size_t row_length;
	unsigned step; /* bytes of a pixel */
	uint8_t *rows; /* memory of the next three, for rows of row_room bytes */
	size_t row_room;
	uint8_t *now, *above, *filtered; /* filtered: with the filter's number before */
	uint32_t adler;
};

static void
put_u32(uint8_t *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* Makes room for a chunk of so many bytes and begins it: where its content goes. */
static uint8_t *
begin_chunk(struct sink *sink, const char type[4], size_t length)
{
	if (sink->room - sink->length < length + 12) {
		size_t room = sink->length + length + 12 + 4096 + sink->room / 2;
		uint8_t *grown = realloc(sink->bytes, room);
		if (grown == NULL)
			return NULL;
		sink->bytes = grown;
		sink->room = room;
	}
	memcpy(sink->bytes + sink->length + 4, type, 4);
	return sink->bytes + sink->length + 8;
}

/* Ends the chunk, whose content has become so long. */
static void
end_chunk(struct sink *sink, size_t length)
{
	uint8_t *chunk = sink->bytes + sink->length;
	put_u32(chunk, (uint32_t)length);
	put_u32(chunk + 8 + length, libdeflate_crc32(0, chunk + 4, length + 4));
	sink->length += length + 12;
}

static int
put_chunk(struct sink *sink, const char type[4], const void *content, size_t length)
{
	uint8_t *to = begin_chunk(sink, type, length);
	if (to == NULL)
		return -ENOMEM;
	if (length > 0)
		memcpy(to, content, length);
	end_chunk(sink, length);
	return 0;
}

static int
put_head(struct sink *sink, const struct fmt_image_page *page)
{
	uint8_t head[13] = {0};
	put_u32(head, page->width);
	put_u32(head + 4, page->height);
	head[8] = page->type == FMT_IMAGE_U16 ? 16 : 8;
	head[9] = page->channels == 1	? SPNG_COLOR_TYPE_GRAYSCALE
		  : page->channels == 3 ? SPNG_COLOR_TYPE_TRUECOLOR
					: SPNG_COLOR_TYPE_TRUECOLOR_ALPHA;
	return put_chunk(sink, "IHDR", head, sizeof head);
}

static int
put_xmp(struct sink *sink, const struct fmt_image_blob *xmp)
{
	/* Keyword, end, not compressed, no language, no translated keyword. */
	size_t head = sizeof xmp_keyword + 4;
	uint8_t *to = begin_chunk(sink, "iTXt", head + xmp->length);
	if (to == NULL)
		return -ENOMEM;
	memset(to, 0, head);
	memcpy(to, xmp_keyword, sizeof xmp_keyword);
	memcpy(to + head, xmp->bytes, xmp->length);
	end_chunk(sink, head + xmp->length);
	return 0;
}

static int
put_icc(struct sink *sink, const struct fmt_image_blob *icc)
{
	static const char name[] = "ICC profile";
	struct libdeflate_compressor *deflate = libdeflate_alloc_compressor(6);
	if (deflate == NULL)
		return -ENOMEM;
	size_t bound = libdeflate_zlib_compress_bound(deflate, icc->length);
	uint8_t *to = begin_chunk(sink, "iCCP", sizeof name + 1 + bound);
	if (to != NULL) {
		memcpy(to, name, sizeof name);
		to[sizeof name] = 0; /* the method: deflate */
		size_t length = libdeflate_zlib_compress(
			deflate, icc->bytes, icc->length, to + sizeof name + 1, bound);
		end_chunk(sink, sizeof name + 1 + length);
	}
	libdeflate_free_compressor(deflate);
	return to != NULL ? 0 : -ENOMEM;
}

static int
put_extras(struct sink *sink, const struct fmt_image_extras *extras)
{
	int rc = 0;
	if (extras->icc.bytes != NULL)
		rc = put_icc(sink, &extras->icc);
	if (rc == 0 && extras->exif.bytes != NULL)
		rc = put_chunk(sink, "eXIf", extras->exif.bytes, extras->exif.length);
	if (rc == 0 && extras->xmp.bytes != NULL)
		rc = put_xmp(sink, &extras->xmp);
	return rc;
}

/* So many bytes into the open IDAT; a full one is ended and the next begun. */
static int
put_content(struct writer *w, const void *bytes, size_t length)
{
	if (w->content > 0 && w->content + length > CHUNK_MOST) {
		end_chunk(&w->sink, w->content);
		w->content = 0;
	}
	uint8_t *to = begin_chunk(&w->sink, "IDAT", w->content + length);
	if (to == NULL)
		return -ENOMEM;
	memcpy(to + w->content, bytes, length);
	w->content += length;
	return 0;
}

static int
put_block(struct writer *w, int last)
{
	const uint8_t *out;
	size_t length = fmt_deflate_make(w->deflate, last, &out);
	return put_content(w, out, length);
}

static int
compress(struct writer *w, const uint8_t *bytes, size_t length)
{
	int rc = 0;
	w->adler = libdeflate_adler32(w->adler, bytes, length);
	while (rc == 0 && length > 0) {
		size_t taken = fmt_deflate_take(w->deflate, bytes, length);
		bytes += taken;
		length -= taken;
		if (fmt_deflate_full(w->deflate))
			rc = put_block(w, 0);
	}
	return rc;
}

static int
make_rows(struct writer *w)
{
	const size_t one =
		(FMT_PNG_ROWS_BEFORE + w->row_length + FMT_PNG_ROWS_SLACK + 63) / 64 * 64;
	if (w->row_room < one) {
		free(w->rows);
		w->rows = malloc(3 * one);
		w->row_room = w->rows != NULL ? one : 0;
	}
	if (w->rows == NULL)
		return -ENOMEM;
	memset(w->rows, 0, 2 * one);
	w->now = w->rows + FMT_PNG_ROWS_BEFORE;
	w->above = w->now + one;
	w->filtered = w->above + one;
	w->filtered[-1] = 4;
	return 0;
}

static int
begin_png(struct fmt_image_writer *writer, struct fmt_err *err)
{
	static const uint8_t zlib_head[] = {0x78, 0x01};
	struct writer *w = (struct writer *)writer;
	const struct fmt_image_page *page = &writer->page;
	w->step = page->channels * (page->type == FMT_IMAGE_U16 ? 2 : 1);
	w->row_length = (size_t)page->width * w->step;
	w->adler = 1;
	w->content = w->sink.length = 0;
	fmt_deflate_begin(w->deflate, w->step, RUN_WORDS);
	int rc = make_rows(w);
	if (rc == 0 && begin_chunk(&w->sink, "IHDR", sizeof signature) == NULL)
		rc = -ENOMEM;
	if (rc == 0) {
		memcpy(w->sink.bytes, signature, sizeof signature);
		w->sink.length = sizeof signature;
		rc = put_head(&w->sink, page);
	}
	if (rc == 0)
		rc = put_extras(&w->sink, &page->extras);
	if (rc == 0)
		rc = put_content(w, zlib_head, sizeof zlib_head);
	return rc == 0 ? 0 : fmt_err_set(err, rc, "no memory to begin a PNG");
}

static void
pack(const struct writer *w, const void *pixels)
{
	const struct fmt_image_page *page = &w->base.page;
	if (page->type == FMT_IMAGE_U16)
		w->ops->pack_u16(pixels, page->width, page->channels, w->now);
	else if (page->channels == 3)
		w->ops->pack_rgb(pixels, page->width, w->now);
	else
		w->ops->pack_u8(pixels, page->width, page->channels, w->now);
}

static int
put_rows(struct fmt_image_writer *writer, const struct fmt_image_stripe *stripe,
	struct fmt_err *err)
{
	struct writer *w = (struct writer *)writer;
	int rc = 0;
	for (uint32_t row = 0; rc == 0 && row < stripe->count; row++) {
		uint8_t *above = w->now;
		pack(w, (const char *)stripe->pixels + row * stripe->stride);
		w->ops->paeth(w->now, w->above, w->row_length, w->step, w->filtered);
		rc = compress(w, w->filtered - 1, w->row_length + 1);
		w->now = w->above;
		w->above = above;
	}
	return rc == 0 ? 0 : fmt_err_set(err, rc, "no memory to encode a PNG");
}

static int
end_png(struct fmt_image_writer *writer, const void **bytes, size_t *length,
	struct fmt_err *err)
{
	struct writer *w = (struct writer *)writer;
	uint8_t adler[4];
	int rc = put_block(w, 1);
	put_u32(adler, w->adler);
	if (rc == 0)
		rc = put_content(w, adler, sizeof adler);
	if (rc == 0) {
		end_chunk(&w->sink, w->content);
		rc = put_chunk(&w->sink, "IEND", NULL, 0);
	}
	*bytes = w->sink.bytes;
	*length = w->sink.length;
	return rc == 0 ? 0 : fmt_err_set(err, rc, "no memory to end a PNG");
}

static void
free_writer(struct fmt_image_writer *writer)
{
	struct writer *w = (struct writer *)writer;
	fmt_deflate_free(w->deflate);
	free(w->sink.bytes);
	free(w->rows);
	free(w);
}

static struct fmt_image_writer *
new_writer(void)
{
	struct writer *w = calloc(1, sizeof *w);
	if (w == NULL)
		return NULL;
	w->ops = fmt_png_rows_variant(0);
	w->deflate = fmt_deflate_new();
	if (w->deflate != NULL)
		return &w->base;
	free_writer(&w->base);
	return NULL;
}

const struct fmt_image_writing fmt_image_png_write = {
	.make = new_writer,
	.free = free_writer,
	.begin = begin_png,
	.rows = put_rows,
	.end = end_png,
};
