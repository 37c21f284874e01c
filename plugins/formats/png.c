/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For drawings, without a PNG library: what is as it was in the row above is zero (filter
 * 2, PNG specification 9.2), and zeros are what our own DEFLATE takes as runs.
 */
#include "plugins/formats/png.h"
#include "plugins/formats/deflate.h"

#include <errno.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	FILTER_UP = 2,
	RUN_WORDS = 3, /* what a run is worth looking at */
};

struct writer {
	const struct fmt_png *png;
	struct fmt_deflate *deflate;
	uint8_t *filtered; /* a row, with the filter's number before it */
	uint32_t adler;
	uint8_t *bytes; /* of the file */
	size_t length, room;
};

static uint8_t *
put_u32(uint8_t *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		*to++ = (uint8_t)(value >> (24 - 8 * i));
	return to;
}

static int
reserve(struct writer *w, size_t more)
{
	if (more <= w->room - w->length)
		return 0;
	size_t room = w->length + more + w->room / 2;
	uint8_t *bytes = realloc(w->bytes, room);
	if (bytes == NULL)
		return -ENOMEM;
	w->bytes = bytes;
	w->room = room;
	return 0;
}

static int
put(struct writer *w, const void *data, size_t length)
{
	if (reserve(w, length) < 0)
		return -ENOMEM;
	memcpy(w->bytes + w->length, data, length);
	w->length += length;
	return 0;
}

/* Begins a chunk, of a length that end_chunk() fills in. */
static int
begin_chunk(struct writer *w, const char type[4], size_t *begin)
{
	static const uint8_t no_length[4];
	*begin = w->length;
	int rc = put(w, no_length, sizeof no_length);
	return rc == 0 ? put(w, type, 4) : rc;
}

static int
end_chunk(struct writer *w, size_t begin)
{
	uint8_t sum[4], *chunk = w->bytes + begin;
	size_t length = w->length - begin - 8;
	put_u32(chunk, (uint32_t)length);
	put_u32(sum, libdeflate_crc32(0, chunk + 4, length + 4));
	return put(w, sum, sizeof sum);
}

static int
put_head(struct writer *w)
{
	static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
	enum { BIT_DEPTH = 8, RGB = 2, RGBA = 6 };
	uint8_t head[13] = {0};
	size_t begin;
	put_u32(put_u32(head, w->png->width), w->png->height);
	head[8] = BIT_DEPTH;
	head[9] = w->png->channels == 4 ? RGBA : RGB;
	int rc = put(w, signature, sizeof signature);
	rc = rc == 0 ? begin_chunk(w, "IHDR", &begin) : rc;
	rc = rc == 0 ? put(w, head, sizeof head) : rc;
	return rc == 0 ? end_chunk(w, begin) : rc;
}

static int
put_block(struct writer *w, int last)
{
	const uint8_t *out;
	size_t length = fmt_deflate_make(w->deflate, last, &out);
	return put(w, out, length);
}

static int
put_row(struct writer *w, uint32_t y)
{
	const size_t length = (size_t)w->png->width * w->png->channels;
	const uint8_t *row = w->png->pixels + y * w->png->stride;
	const uint8_t *above = y > 0 ? row - w->png->stride : NULL;
	uint8_t *filtered = w->filtered;
	filtered[0] = FILTER_UP;
	if (above == NULL)
		memcpy(filtered + 1, row, length);
	else
		for (size_t i = 0; i < length; i++)
			filtered[i + 1] = (uint8_t)(row[i] - above[i]);
	w->adler = libdeflate_adler32(w->adler, filtered, length + 1);
	int rc = 0;
	for (size_t left = length + 1, taken; rc == 0 && left > 0; left -= taken) {
		taken = fmt_deflate_take(w->deflate, filtered, left);
		filtered += taken;
		if (fmt_deflate_full(w->deflate))
			rc = put_block(w, 0);
	}
	return rc;
}

static int
put_pixels(struct writer *w)
{
	static const uint8_t zlib_head[] = {0x78, 0x01};
	uint8_t adler[4];
	size_t begin;
	w->adler = 1;
	fmt_deflate_begin(w->deflate, w->png->channels, RUN_WORDS);
	int rc = begin_chunk(w, "IDAT", &begin);
	rc = rc == 0 ? put(w, zlib_head, sizeof zlib_head) : rc;
	for (uint32_t y = 0; rc == 0 && y < w->png->height; y++)
		rc = put_row(w, y);
	rc = rc == 0 ? put_block(w, 1) : rc;
	put_u32(adler, w->adler);
	rc = rc == 0 ? put(w, adler, sizeof adler) : rc;
	return rc == 0 ? end_chunk(w, begin) : rc;
}

static int
put_end(struct writer *w)
{
	size_t begin;
	int rc = begin_chunk(w, "IEND", &begin);
	return rc == 0 ? end_chunk(w, begin) : rc;
}

/* The whole file into memory. */
static int
encode(struct writer *w)
{
	w->deflate = fmt_deflate_new();
	w->filtered = malloc((size_t)w->png->width * w->png->channels + 1);
	int rc = w->deflate == NULL || w->filtered == NULL ? -ENOMEM : put_head(w);
	rc = rc == 0 ? put_pixels(w) : rc;
	return rc == 0 ? put_end(w) : rc;
}

static int
write_all(int fd, const uint8_t *p, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, p, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		length -= (size_t)n;
	}
	return 0;
}

int
fmt_png_write(int fd, const struct fmt_png *png, struct fmt_err *err)
{
	struct writer w = {.png = png};
	uint64_t pixels = (uint64_t)png->width * png->height;
	if (pixels == 0 || pixels > FMT_PNG_PIXELS ||
		(png->channels != 3 && png->channels != 4))
		return fmt_err_set(err, -EINVAL, "no PNG can be %u x %u with %u channels",
			png->width, png->height, png->channels);
	int rc = encode(&w);
	rc = rc == 0 ? write_all(fd, w.bytes, w.length) : rc;
	fmt_deflate_free(w.deflate);
	free(w.filtered);
	free(w.bytes);
	return rc == 0 ? 0
		       : fmt_err_set(err, rc, "cannot write the PNG (%s)", strerror(-rc));
}
