/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PNG: read by libspng; written here, since filtering by what the row above foretells and
 * libdeflate's fastest level beat it in time and size.
 */
#include "plugins/formats/image_codec.h"

#include <errno.h>
#include <libdeflate.h>
#include <spng.h>
#include <stdlib.h>
#include <string.h>

/* What one chunk beside the pixels may take when it is unpacked, and all of them. */
#define CHUNK_LIMIT (16u << 20)
#define CACHE_LIMIT (64u << 20)

static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
static const char xmp_keyword[] = "XML:com.adobe.xmp";

struct decoder {
	struct fmt_image image;
	spng_ctx *png;
	struct spng_iccp icc;
	struct spng_text *texts; /* its strings are the library's */
	int interlaced;
};

static int
is_png(const uint8_t *bytes, size_t length)
{
	return length >= sizeof signature &&
	       memcmp(bytes, signature, sizeof signature) == 0;
}

static int
code_of(int rc)
{
	return rc == SPNG_EMEM ? -ENOMEM : -EBADMSG;
}

static void
free_png(struct fmt_image *image)
{
	struct decoder *decoder = (struct decoder *)image;
	spng_ctx_free(decoder->png);
	free(decoder->texts);
	free(decoder);
}

static void
find_xmp(struct decoder *decoder)
{
	uint32_t count = 0;
	if (spng_get_text(decoder->png, NULL, &count) != 0 || count == 0)
		return;
	decoder->texts = calloc(count, sizeof *decoder->texts);
	if (decoder->texts == NULL ||
		spng_get_text(decoder->png, decoder->texts, &count) != 0)
		return;
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(decoder->texts[i].keyword, xmp_keyword) == 0)
			decoder->image.info.extras.xmp = (struct fmt_image_blob){
				(const uint8_t *)decoder->texts[i].text,
				decoder->texts[i].length};
}

/* What stands before the pixels; what cannot be read of it is left out. */
static void
find_extras(struct decoder *decoder)
{
	struct fmt_image_extras *extras = &decoder->image.info.extras;
	struct spng_exif exif;
	if (spng_get_exif(decoder->png, &exif) == 0)
		extras->exif =
			(struct fmt_image_blob){(const uint8_t *)exif.data, exif.length};
	if (spng_get_iccp(decoder->png, &decoder->icc) == 0)
		extras->icc = (struct fmt_image_blob){
			(const uint8_t *)decoder->icc.profile, decoder->icc.profile_len};
	find_xmp(decoder);
}

static unsigned
channels_of(const struct spng_ihdr *head, spng_ctx *png)
{
	struct spng_trns transparent;
	unsigned alpha = spng_get_trns(png, &transparent) == 0;
	switch (head->color_type) {
	case SPNG_COLOR_TYPE_GRAYSCALE:
		return 1 + alpha;
	case SPNG_COLOR_TYPE_GRAYSCALE_ALPHA:
		return 2;
	case SPNG_COLOR_TYPE_TRUECOLOR_ALPHA:
		return 4;
	default:
		return 3 + alpha;
	}
}

static int
read_head(struct decoder *decoder, const uint8_t *bytes, size_t length)
{
	struct fmt_image_info *info = &decoder->image.info;
	struct spng_ihdr head;
	spng_set_chunk_limits(decoder->png, CHUNK_LIMIT, CACHE_LIMIT);
	int rc = spng_set_png_buffer(decoder->png, bytes, length);
	if (rc == 0)
		rc = spng_get_ihdr(decoder->png, &head);
	if (rc == 0)
		rc = spng_decode_chunks(decoder->png);
	if (rc != 0)
		return rc;
	info->width = head.width;
	info->height = head.height;
	info->type = head.bit_depth == 16 ? FMT_IMAGE_U16 : FMT_IMAGE_U8;
	info->channels = channels_of(&head, decoder->png);
	decoder->interlaced = head.interlace_method != 0;
	find_extras(decoder);
	return 0;
}

static uint32_t
get_u32(const uint8_t *from)
{
	return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 |
	       (uint32_t)from[2] << 8 | from[3];
}

/* The checksums of all chunks.  The library would see those of the pixels only when it
 * comes to the chunk's end, and a band may end long before. */
static int
check_chunks(const uint8_t *bytes, size_t length, struct fmt_err *err)
{
	size_t at = sizeof signature;
	for (;;) {
		if (length - at < 12 || get_u32(bytes + at) > length - at - 12)
			return fmt_err_set(err, -EBADMSG,
				"the PNG ends within a chunk, at byte %zu of %zu", at,
				length);
		size_t content = get_u32(bytes + at);
		const uint8_t *type = bytes + at + 4;
		if (libdeflate_crc32(0, type, content + 4) != get_u32(type + 4 + content))
			return fmt_err_set(err, -EBADMSG,
				"the checksum of the PNG's chunk at byte %zu is wrong",
				at);
		at += content + 12;
		if (memcmp(type, "IEND", 4) == 0)
			return 0;
	}
}

static int
open_png(const uint8_t *bytes, size_t length, struct fmt_image **image,
	struct fmt_err *err)
{
	int rc = check_chunks(bytes, length, err);
	if (rc < 0)
		return rc;
	struct decoder *decoder = calloc(1, sizeof *decoder);
	if (decoder == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for a PNG decoder");
	decoder->png = spng_ctx_new(0);
	rc = decoder->png != NULL ? read_head(decoder, bytes, length) : SPNG_EMEM;
	if (rc != 0) {
		rc = fmt_err_set(err, code_of(rc), "the PNG's head is broken (%s)",
			spng_strerror(rc));
		free_png(&decoder->image);
		return rc;
	}
	*image = &decoder->image;
	return 0;
}

/* Rows come from top to bottom: those above the first are decoded into a spare one. */
static int
read_in_order(struct decoder *decoder, const struct fmt_image_rows *rows, int format)
{
	size_t length =
		fmt_image_pixel(decoder->image.info.type) * decoder->image.info.width;
	void *spare = malloc(length);
	if (spare == NULL)
		return SPNG_EMEM;
	int rc = spng_decode_image(decoder->png, NULL, 0, format,
		SPNG_DECODE_TRNS | SPNG_DECODE_PROGRESSIVE);
	for (uint32_t row = 0; rc == 0 && row < rows->first + rows->count; row++) {
		char *to = row < rows->first ? spare
					     : (char *)rows->to +
						       (row - rows->first) * rows->stride;
		rc = spng_decode_row(decoder->png, to, length);
	}
	free(spare);
	return rc == SPNG_EOI ? 0 : rc;
}

static int
read_interlaced(struct decoder *decoder, const struct fmt_image_rows *rows, int format)
{
	size_t length =
		fmt_image_pixel(decoder->image.info.type) * decoder->image.info.width;
	char *whole = malloc(length * decoder->image.info.height);
	if (whole == NULL)
		return SPNG_EMEM;
	int rc = spng_decode_image(decoder->png, whole,
		length * decoder->image.info.height, format, SPNG_DECODE_TRNS);
	for (uint32_t row = 0; rc == 0 && row < rows->count; row++)
		memcpy((char *)rows->to + row * rows->stride,
			whole + (rows->first + row) * length, length);
	free(whole);
	return rc;
}

static int
read_png(struct fmt_image *image, const struct fmt_image_rows *rows, struct fmt_err *err)
{
	struct decoder *decoder = (struct decoder *)image;
	int format = image->info.type == FMT_IMAGE_U16 ? SPNG_FMT_RGBA16 : SPNG_FMT_RGBA8;
	int rc = decoder->interlaced ? read_interlaced(decoder, rows, format)
				     : read_in_order(decoder, rows, format);
	if (rc != 0)
		return fmt_err_set(err, code_of(rc), "the PNG's pixels are broken (%s)",
			spng_strerror(rc));
	return 0;
}

/* --- writing ----------------------------------------------------------------- */

struct sink {
	uint8_t *bytes;
	size_t length, room;
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
		size_t room = sink->length + length + 12 + 4096;
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
put_icc(struct sink *sink, struct libdeflate_compressor *deflate,
	const struct fmt_image_blob *icc)
{
	static const char name[] = "ICC profile";
	size_t bound = libdeflate_zlib_compress_bound(deflate, icc->length);
	uint8_t *to = begin_chunk(sink, "iCCP", sizeof name + 1 + bound);
	if (to == NULL)
		return -ENOMEM;
	memcpy(to, name, sizeof name);
	to[sizeof name] = 0; /* the method: deflate */
	size_t length = libdeflate_zlib_compress(
		deflate, icc->bytes, icc->length, to + sizeof name + 1, bound);
	end_chunk(sink, sizeof name + 1 + length);
	return 0;
}

static int
put_extras(struct sink *sink, struct libdeflate_compressor *deflate,
	const struct fmt_image_extras *extras)
{
	int rc = 0;
	if (extras->icc.bytes != NULL)
		rc = put_icc(sink, deflate, &extras->icc);
	if (rc == 0 && extras->exif.bytes != NULL)
		rc = put_chunk(sink, "eXIf", extras->exif.bytes, extras->exif.length);
	if (rc == 0 && extras->xmp.bytes != NULL)
		rc = put_xmp(sink, &extras->xmp);
	return rc;
}

/* One row as PNG has it: channels that are written, 16 bits with the high byte first. */
static void
pack_row(const struct fmt_image_page *page, uint32_t row, uint8_t *to)
{
	const char *from = (const char *)page->pixels + row * page->stride;
	const unsigned channels = page->channels;
	if (page->type == FMT_IMAGE_U8) {
		const uint8_t *pixel = (const uint8_t *)from;
		for (uint32_t i = 0; i < page->width; i++, pixel += 4, to += channels)
			for (unsigned c = 0; c < channels; c++)
				to[c] = pixel[c];
		return;
	}
	const uint16_t *pixel = (const uint16_t *)(const void *)from;
	for (uint32_t i = 0; i < page->width; i++, pixel += 4)
		for (unsigned c = 0; c < channels; c++, to += 2) {
			to[0] = (uint8_t)(pixel[c] >> 8);
			to[1] = (uint8_t)pixel[c];
		}
}

/* All rows, each less the row above ("up", filter 2). */
static void
filter_rows(
	const struct fmt_image_page *page, size_t length, uint8_t *packed[2], uint8_t *to)
{
	memset(packed[1], 0, length);
	for (uint32_t row = 0; row < page->height; row++, to += length + 1) {
		uint8_t *now = packed[row % 2], *above = packed[1 - row % 2];
		pack_row(page, row, now);
		to[0] = 2;
		for (size_t i = 0; i < length; i++)
			to[1 + i] = (uint8_t)(now[i] - above[i]);
	}
}

static int
put_pixels(struct sink *sink, struct libdeflate_compressor *deflate,
	const struct fmt_image_page *page)
{
	size_t length = (size_t)page->width * page->channels *
			(page->type == FMT_IMAGE_U16 ? 2 : 1);
	size_t all = (length + 1) * page->height;
	uint8_t *filtered = malloc(all + 2 * length);
	int rc = -ENOMEM;
	if (filtered == NULL)
		return rc;
	uint8_t *packed[2] = {filtered + all, filtered + all + length};
	filter_rows(page, length, packed, filtered);
	size_t bound = libdeflate_zlib_compress_bound(deflate, all);
	uint8_t *to = bound < INT32_MAX ? begin_chunk(sink, "IDAT", bound) : NULL;
	if (to != NULL) {
		end_chunk(sink,
			libdeflate_zlib_compress(deflate, filtered, all, to, bound));
		rc = 0;
	}
	free(filtered);
	return rc;
}

static int
encode_png(const struct fmt_image_page *page, void **bytes, size_t *length,
	struct fmt_err *err)
{
	struct sink sink = {0};
	struct libdeflate_compressor *deflate = libdeflate_alloc_compressor(1);
	int rc = -ENOMEM;
	sink.bytes = malloc(sizeof signature);
	if (deflate == NULL || sink.bytes == NULL)
		goto out;
	memcpy(sink.bytes, signature, sizeof signature);
	sink.length = sink.room = sizeof signature;
	rc = put_head(&sink, page);
	if (rc == 0)
		rc = put_extras(&sink, deflate, &page->extras);
	if (rc == 0)
		rc = put_pixels(&sink, deflate, page);
	if (rc == 0)
		rc = put_chunk(&sink, "IEND", NULL, 0);
out:
	libdeflate_free_compressor(deflate);
	if (rc < 0) {
		free(sink.bytes);
		return fmt_err_set(err, rc, "no memory to encode %u x %u pixels as PNG",
			page->width, page->height);
	}
	*bytes = sink.bytes;
	*length = sink.length;
	return 0;
}

const struct fmt_image_codec fmt_image_png = {
	.name = "PNG",
	.suffix = ".png",
	.types = 1 << FMT_IMAGE_U8 | 1 << FMT_IMAGE_U16,
	.associations = 1 << 0,
	.is = is_png,
	.open = open_png,
	.read = read_png,
	.free = free_png,
	.encode = encode_png,
};
