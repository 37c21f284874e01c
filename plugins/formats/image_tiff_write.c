/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TIFF, written here: the EXIF block is one itself, so that the file begins with it, and
 * its first directory gets the picture's entries.  Strips are packed by libdeflate after
 * the predictor for whole numbers (2) or for floats (3).
 *
 * Source: TIFF 6.0; Adobe's TIFF technical notes 1 (XMP) and 3 (floats).
 */
#include "plugins/formats/image_codec.h"

#include <errno.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

/* Without the table, which is a symbol of the library's. */
#define IMATH_HALF_NO_LOOKUP_TABLE
#include <half.h>

/* Bytes of a strip before it is packed. */
#define STRIP	     (1u << 20)
#define ENTRIES_MOST 64

enum type { BYTE = 1, SHORT = 3, LONG = 4, UNDEFINED = 7 };

enum tag {
	IMAGE_WIDTH = 256,
	IMAGE_LENGTH = 257,
	BITS_PER_SAMPLE = 258,
	COMPRESSION = 259,
	PHOTOMETRIC = 262,
	STRIP_OFFSETS = 273,
	ORIENTATION = 274,
	SAMPLES_PER_PIXEL = 277,
	ROWS_PER_STRIP = 278,
	STRIP_BYTE_COUNTS = 279,
	PREDICTOR = 317,
	EXTRA_SAMPLES = 338,
	SAMPLE_FORMAT = 339,
	XMP = 700,
	ICC_PROFILE = 34675,
};

struct writer {
	const struct fmt_image_page *page;
	struct libdeflate_compressor *deflate;
	size_t size, line; /* bytes of a sample and of a row */
	uint32_t strip_rows, strip_count;
	uint8_t *raw, *packed;
	size_t bound; /* what `packed` has room for */
	uint32_t *offsets, *lengths;
	uint8_t *bytes;
	size_t length, room;
	uint8_t entries[ENTRIES_MOST][12];
	uint32_t entry_count;
};

static void
put_u16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
}

static void
put_u32(uint8_t *to, uint32_t value)
{
	put_u16(to, value);
	put_u16(to + 2, value >> 16);
}

static uint32_t
get_u16(const uint8_t *from)
{
	return (uint32_t)from[0] | (uint32_t)from[1] << 8;
}

static uint32_t
get_u32(const uint8_t *from)
{
	return get_u16(from) | get_u16(from + 2) << 16;
}

/* Appends at an even offset, which goes to *at when that is not NULL. */
static int
append(struct writer *writer, const void *bytes, size_t length, uint32_t *at)
{
	if (writer->length + length + 1 > UINT32_MAX)
		return -EFBIG;
	if (writer->room - writer->length < length + 1) {
		size_t room = writer->length + writer->length / 2 + length + 4096;
		uint8_t *grown = realloc(writer->bytes, room);
		if (grown == NULL)
			return -ENOMEM;
		writer->bytes = grown;
		writer->room = room;
	}
	if (at != NULL)
		*at = (uint32_t)writer->length;
	if (length > 0)
		memcpy(writer->bytes + writer->length, bytes, length);
	writer->length += length;
	if (writer->length % 2 != 0)
		writer->bytes[writer->length++] = 0;
	return 0;
}

/* --- the directory ------------------------------------------------------------ */

/* An entry whose value, or the offset of it, is a number; an earlier one of the tag gives
 * way. */
static int
put_entry(struct writer *writer, enum tag tag, enum type type, const uint32_t value[2])
{
	uint32_t i = 0;
	while (i < writer->entry_count && get_u16(writer->entries[i]) != tag)
		i++;
	if (i == ENTRIES_MOST)
		return -EFBIG;
	if (i == writer->entry_count)
		writer->entry_count++;
	put_u16(writer->entries[i], tag);
	put_u16(writer->entries[i] + 2, type);
	put_u32(writer->entries[i] + 4, value[0]);
	put_u32(writer->entries[i] + 8, value[1]);
	return 0;
}

static int
put_number(struct writer *writer, enum tag tag, uint32_t value)
{
	return put_entry(
		writer, tag, value > 65535 ? LONG : SHORT, (const uint32_t[]){1, value});
}

/* So many bytes of a count of values. */
static int
put_bytes(struct writer *writer, enum tag tag, enum type type,
	const struct fmt_image_blob *value)
{
	static const uint8_t sizes[] = {
		[BYTE] = 1, [SHORT] = 2, [LONG] = 4, [UNDEFINED] = 1};
	uint32_t at = 0;
	if (value->length <= 4)
		for (size_t i = 0; i < value->length; i++)
			at |= (uint32_t)value->bytes[i] << 8 * i;
	else {
		int rc = append(writer, value->bytes, value->length, &at);
		if (rc < 0)
			return rc;
	}
	return put_entry(writer, tag, type,
		(const uint32_t[]){(uint32_t)(value->length / sizes[type]), at});
}

/* The same number for every channel. */
static int
put_each(struct writer *writer, enum tag tag, uint32_t value)
{
	uint8_t values[2 * FMT_IMAGE_CHANNELS];
	for (unsigned c = 0; c < writer->page->channels; c++)
		put_u16(values + 2 * c, value);
	return put_bytes(writer, tag, SHORT,
		&(const struct fmt_image_blob){values, 2 * writer->page->channels});
}

static int
put_longs(struct writer *writer, enum tag tag, const uint32_t *values)
{
	uint8_t *bytes = malloc(4 * (size_t)writer->strip_count);
	if (bytes == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < writer->strip_count; i++)
		put_u32(bytes + 4 * (size_t)i, values[i]);
	int rc = put_bytes(writer, tag, LONG,
		&(const struct fmt_image_blob){bytes, 4 * (size_t)writer->strip_count});
	free(bytes);
	return rc;
}

/* The block becomes the file's beginning: its offsets stay true.  Its entries are kept
 * for the new directory. */
static int
put_block(struct writer *writer, const struct fmt_image_blob *exif)
{
	static const uint8_t head[8] = {'I', 'I', 42, 0, 0, 0, 0, 0};
	if (exif->length < 10 || memcmp(exif->bytes, head, 4) != 0)
		return append(writer, head, sizeof head, NULL);
	size_t directory = get_u32(exif->bytes + 4);
	if (directory > exif->length - 2)
		return append(writer, head, sizeof head, NULL);
	uint32_t count = get_u16(exif->bytes + directory);
	for (uint32_t i = 0; i < count && i < ENTRIES_MOST / 2; i++)
		if (directory + 2 + 12 * (size_t)(i + 1) <= exif->length)
			memcpy(writer->entries[writer->entry_count++],
				exif->bytes + directory + 2 + 12 * (size_t)i, 12);
	return append(writer, exif->bytes, exif->length, NULL);
}

static int
by_tag(const void *a, const void *b)
{
	return (int)get_u16(a) - (int)get_u16(b);
}

static int
put_directory(struct writer *writer)
{
	uint8_t bytes[2 + sizeof writer->entries + 4] = {0};
	const size_t length = 12 * (size_t)writer->entry_count;
	uint32_t at;
	qsort(writer->entries, writer->entry_count, sizeof writer->entries[0], by_tag);
	put_u16(bytes, writer->entry_count);
	memcpy(bytes + 2, writer->entries, length);
	int rc = append(writer, bytes, 2 + length + 4, &at);
	if (rc == 0)
		put_u32(writer->bytes + 4, at);
	return rc;
}

static int
describe(struct writer *writer)
{
	const struct fmt_image_page *page = writer->page;
	const int floats = page->type == FMT_IMAGE_FLOAT;
	int rc = put_number(writer, IMAGE_WIDTH, page->width);
	if (rc == 0)
		rc = put_number(writer, IMAGE_LENGTH, page->height);
	if (rc == 0)
		rc = put_each(writer, BITS_PER_SAMPLE, 8 * (uint32_t)writer->size);
	if (rc == 0)
		rc = put_number(writer, COMPRESSION, 8 /* deflate */);
	if (rc == 0)
		rc = put_number(writer, PHOTOMETRIC, page->channels == 1 ? 1 : 2);
	if (rc == 0)
		rc = put_number(writer, ORIENTATION, 1);
	if (rc == 0)
		rc = put_number(writer, SAMPLES_PER_PIXEL, page->channels);
	if (rc == 0)
		rc = put_number(writer, ROWS_PER_STRIP, writer->strip_rows);
	if (rc == 0)
		rc = put_number(writer, PREDICTOR, floats ? 3 : 2);
	if (rc == 0 && page->channels == 4)
		rc = put_number(writer, EXTRA_SAMPLES, page->associated ? 1 : 2);
	if (rc == 0)
		rc = put_each(writer, SAMPLE_FORMAT, floats ? 3 : 1);
	if (rc == 0)
		rc = put_longs(writer, STRIP_OFFSETS, writer->offsets);
	if (rc == 0)
		rc = put_longs(writer, STRIP_BYTE_COUNTS, writer->lengths);
	if (rc == 0 && page->extras.xmp.bytes != NULL)
		rc = put_bytes(writer, XMP, BYTE, &page->extras.xmp);
	if (rc == 0 && page->extras.icc.bytes != NULL)
		rc = put_bytes(writer, ICC_PROFILE, UNDEFINED, &page->extras.icc);
	return rc;
}

/* --- pixels ------------------------------------------------------------------- */

/* Each sample less the one of the pixel before. */
static void
predict_u8(const struct fmt_image_page *page, const uint8_t *pixel, uint8_t *to)
{
	uint8_t before[FMT_IMAGE_CHANNELS] = {0};
	for (uint32_t i = 0; i < page->width; i++, pixel += 4)
		for (unsigned c = 0; c < page->channels; c++) {
			*to++ = (uint8_t)(pixel[c] - before[c]);
			before[c] = pixel[c];
		}
}

static void
predict_u16(const struct fmt_image_page *page, const uint16_t *pixel, uint8_t *to)
{
	uint16_t before[FMT_IMAGE_CHANNELS] = {0};
	for (uint32_t i = 0; i < page->width; i++, pixel += 4)
		for (unsigned c = 0; c < page->channels; c++, to += 2) {
			put_u16(to, (uint16_t)(pixel[c] - before[c]));
			before[c] = pixel[c];
		}
}

/* A sample's bits at the top of 32. */
static uint32_t
bits_of(const struct fmt_image_page *page, float value)
{
	uint32_t bits;
	if (page->half)
		return (uint32_t)imath_float_to_half(value) << 16;
	memcpy(&bits, &value, sizeof bits);
	return bits;
}

/* The highest bytes of all samples, then the next, down to the lowest; then each byte less
 * that of the pixel before. */
static void
predict_float(const struct fmt_image_page *page, const float *pixel, uint8_t *to)
{
	const size_t channels = page->channels, plane = page->width * channels;
	const int size = page->half ? 2 : 4;
	size_t at = 0;
	for (uint32_t i = 0; i < page->width; i++, pixel += 4)
		for (size_t c = 0; c < channels; c++, at++) {
			const uint32_t bits = bits_of(page, pixel[c]);
			for (int k = 0; k < size; k++)
				to[at + k * plane] = (uint8_t)(bits >> (24 - 8 * k));
		}
	for (size_t i = size * plane - 1; i >= channels; i--)
		to[i] = (uint8_t)(to[i] - to[i - channels]);
}

static int
put_strip(struct writer *writer, uint32_t strip)
{
	const struct fmt_image_page *page = writer->page;
	const uint32_t first = strip * writer->strip_rows;
	const uint32_t left = page->height - first;
	const uint32_t count = left < writer->strip_rows ? left : writer->strip_rows;
	for (uint32_t i = 0; i < count; i++) {
		const void *from =
			(const char *)page->pixels + (size_t)(first + i) * page->stride;
		uint8_t *to = writer->raw + i * writer->line;
		if (page->type == FMT_IMAGE_U8)
			predict_u8(page, from, to);
		else if (page->type == FMT_IMAGE_U16)
			predict_u16(page, from, to);
		else
			predict_float(page, from, to);
	}
	size_t length = libdeflate_zlib_compress(writer->deflate, writer->raw,
		count * writer->line, writer->packed, writer->bound);
	writer->lengths[strip] = (uint32_t)length;
	return append(writer, writer->packed, length, &writer->offsets[strip]);
}

static int
prepare(struct writer *writer)
{
	const struct fmt_image_page *page = writer->page;
	writer->size = fmt_image_pixel(page->type) / FMT_IMAGE_CHANNELS;
	if (page->type == FMT_IMAGE_FLOAT && page->half)
		writer->size = 2;
	writer->line = page->width * writer->size * page->channels;
	writer->strip_rows = writer->line < STRIP ? (uint32_t)(STRIP / writer->line) : 1;
	if (writer->strip_rows > page->height)
		writer->strip_rows = page->height;
	writer->strip_count =
		(page->height + writer->strip_rows - 1) / writer->strip_rows;
	writer->deflate = libdeflate_alloc_compressor(1);
	if (writer->deflate == NULL)
		return -ENOMEM;
	writer->bound = libdeflate_zlib_compress_bound(
		writer->deflate, writer->line * writer->strip_rows);
	writer->raw = malloc(writer->line * writer->strip_rows);
	writer->packed = malloc(writer->bound);
	writer->offsets = calloc(writer->strip_count, sizeof *writer->offsets);
	writer->lengths = calloc(writer->strip_count, sizeof *writer->lengths);
	return writer->raw != NULL && writer->packed != NULL && writer->offsets != NULL &&
			       writer->lengths != NULL
		       ? 0
		       : -ENOMEM;
}

static int
put_file(struct writer *writer)
{
	int rc = prepare(writer);
	if (rc == 0)
		rc = put_block(writer, &writer->page->extras.exif);
	for (uint32_t strip = 0; rc == 0 && strip < writer->strip_count; strip++)
		rc = put_strip(writer, strip);
	if (rc == 0)
		rc = describe(writer);
	if (rc == 0)
		rc = put_directory(writer);
	return rc;
}

int
fmt_image_tiff_write(const struct fmt_image_page *page, void **bytes, size_t *length,
	struct fmt_err *err)
{
	struct writer writer = {.page = page};
	int rc = put_file(&writer);
	libdeflate_free_compressor(writer.deflate);
	free(writer.raw);
	free(writer.packed);
	free(writer.offsets);
	free(writer.lengths);
	if (rc < 0) {
		free(writer.bytes);
		return fmt_err_set(err, rc,
			rc == -EFBIG ? "%u x %u pixels are more than a TIFF's 4 GiB"
				     : "no memory to encode %u x %u pixels as TIFF",
			page->width, page->height);
	}
	*bytes = writer.bytes;
	*length = writer.length;
	return 0;
}
