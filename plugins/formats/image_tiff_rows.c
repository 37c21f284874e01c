/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A TIFF's pixels.  Of strips only those that hold wanted rows are unpacked, row by row;
 * of tiles only those that touch them.
 */
#include "plugins/formats/image_tiff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Without the table, which is a symbol of the library's. */
#define IMATH_HALF_NO_LOOKUP_TABLE
#include <half.h>

#define NO_CHANNEL 4

/* Samples of one row, each `step` samples after the other. */
struct run {
	const uint8_t *from;
	unsigned step;
	char *to; /* four channels each */
	size_t count;
};

static void
scatter(const struct run *run, const struct fmt_image_info *info, unsigned channel)
{
	const size_t step = run->step;
	if (info->type == FMT_IMAGE_U8) {
		uint8_t *to = (uint8_t *)run->to + channel;
		for (size_t i = 0; i < run->count; i++)
			to[4 * i] = run->from[i * step];
	} else if (info->type == FMT_IMAGE_U16) {
		uint16_t *to = (uint16_t *)(void *)run->to + channel;
		const uint16_t *from = (const uint16_t *)(const void *)run->from;
		for (size_t i = 0; i < run->count; i++)
			to[4 * i] = from[i * step];
	} else if (info->half) {
		float *to = (float *)(void *)run->to + channel;
		const uint16_t *from = (const uint16_t *)(const void *)run->from;
		for (size_t i = 0; i < run->count; i++)
			to[4 * i] = imath_half_to_float(from[i * step]);
	} else {
		float *to = (float *)(void *)run->to + channel;
		const float *from = (const float *)(const void *)run->from;
		for (size_t i = 0; i < run->count; i++)
			to[4 * i] = from[i * step];
	}
}

static unsigned
channel_of(const struct fmt_tiff *decoder, unsigned sample)
{
	return sample < decoder->colours		? sample
	       : sample > 0 && sample == decoder->alpha ? 3
							: NO_CHANNEL;
}

/* What was unpacked for one plane, or for all samples together. */
static void
put_run(const struct fmt_tiff *decoder, struct run run, unsigned plane)
{
	run.step = decoder->planar ? 1 : decoder->samples;
	for (unsigned sample = plane;
		sample < (decoder->planar ? plane + 1 : decoder->samples);
		sample++, run.from += decoder->size)
		if (channel_of(decoder, sample) != NO_CHANNEL)
			scatter(&run, &decoder->image.info, channel_of(decoder, sample));
}

/* Strips are unpacked from their first row on. */
static int
read_strips(struct fmt_tiff *decoder, const struct fmt_image_rows *rows, unsigned plane,
	uint8_t *line)
{
	const uint32_t past = rows->first + rows->count;
	uint32_t strip = 0;
	TIFFGetFieldDefaulted(decoder->tiff, TIFFTAG_ROWSPERSTRIP, &strip);
	if (strip == 0)
		return -1;
	for (uint32_t row = rows->first - rows->first % strip; row < past; row++) {
		if (TIFFReadScanline(decoder->tiff, line, row, (uint16_t)plane) < 0)
			return -1;
		if (row >= rows->first)
			put_run(decoder,
				(struct run){.from = line,
					.to = (char *)rows->to +
					      (row - rows->first) * rows->stride,
					.count = decoder->image.info.width},
				plane);
	}
	return 0;
}

struct tile {
	uint32_t x, y, width, height;
	uint8_t *bytes;
};

static void
put_tile(const struct fmt_tiff *decoder, const struct fmt_image_rows *rows,
	unsigned plane, const struct tile *tile)
{
	const size_t line =
		tile->width * decoder->size * (decoder->planar ? 1 : decoder->samples);
	const uint32_t left = decoder->image.info.width - tile->x;
	for (uint32_t i = 0; i < tile->height; i++) {
		uint32_t row = tile->y + i;
		if (row < rows->first || row - rows->first >= rows->count)
			continue;
		put_run(decoder,
			(struct run){.from = tile->bytes + i * line,
				.to = (char *)rows->to +
				      (row - rows->first) * rows->stride +
				      tile->x * fmt_image_pixel(decoder->image.info.type),
				.count = tile->width < left ? tile->width : left},
			plane);
	}
}

static int
read_tiles(struct fmt_tiff *decoder, const struct fmt_image_rows *rows, unsigned plane,
	struct tile *tile)
{
	const uint32_t past = rows->first + rows->count;
	for (tile->y = rows->first - rows->first % tile->height; tile->y < past;
		tile->y += tile->height)
		for (tile->x = 0; tile->x < decoder->image.info.width;
			tile->x += tile->width) {
			if (TIFFReadTile(decoder->tiff, tile->bytes, tile->x, tile->y, 0,
				    (uint16_t)plane) < 0)
				return -1;
			put_tile(decoder, rows, plane, tile);
		}
	return 0;
}

static void
finish_u8(const struct fmt_tiff *decoder, uint8_t *pixel, size_t count)
{
	for (size_t i = 0; i < count; i++, pixel += 4) {
		if (decoder->palette[0] != NULL) {
			uint8_t index = pixel[0];
			for (int c = 0; c < 3; c++)
				pixel[c] = (uint8_t)(decoder->palette[c][index] >> 8);
		} else if (decoder->colours == 1) {
			pixel[0] ^= decoder->inverted ? 255 : 0;
			pixel[1] = pixel[2] = pixel[0];
		}
		if (decoder->alpha == 0)
			pixel[3] = 255;
	}
}

static void
finish_u16(const struct fmt_tiff *decoder, uint16_t *pixel, size_t count)
{
	for (size_t i = 0; i < count; i++, pixel += 4) {
		if (decoder->colours == 1) {
			pixel[0] ^= decoder->inverted ? 65535 : 0;
			pixel[1] = pixel[2] = pixel[0];
		}
		if (decoder->alpha == 0)
			pixel[3] = 65535;
	}
}

static void
finish_float(const struct fmt_tiff *decoder, float *pixel, size_t count)
{
	for (size_t i = 0; i < count; i++, pixel += 4) {
		if (decoder->colours == 1) {
			pixel[0] = decoder->inverted ? 1 - pixel[0] : pixel[0];
			pixel[1] = pixel[2] = pixel[0];
		}
		if (decoder->alpha == 0)
			pixel[3] = 1;
	}
}

/* Makes samples in their channels a pixel as image.h has it. */
static void
finish(const struct fmt_tiff *decoder, const struct fmt_image_rows *rows)
{
	for (uint32_t row = 0; row < rows->count; row++) {
		void *to = (char *)rows->to + row * rows->stride;
		if (decoder->image.info.type == FMT_IMAGE_U8)
			finish_u8(decoder, to, decoder->image.info.width);
		else if (decoder->image.info.type == FMT_IMAGE_U16)
			finish_u16(decoder, to, decoder->image.info.width);
		else
			finish_float(decoder, to, decoder->image.info.width);
	}
}

/* A tile, or one row of a strip. */
static int
make_room(struct fmt_tiff *decoder, struct tile *tile, struct fmt_err *err)
{
	const int tiled = TIFFIsTiled(decoder->tiff);
	uint64_t wanted =
		tiled ? TIFFTileSize64(decoder->tiff) : TIFFScanlineSize64(decoder->tiff);
	uint64_t least = (uint64_t)decoder->image.info.width;
	if (tiled) {
		TIFFGetField(decoder->tiff, TIFFTAG_TILEWIDTH, &tile->width);
		TIFFGetField(decoder->tiff, TIFFTAG_TILELENGTH, &tile->height);
		least = (uint64_t)tile->width * tile->height;
	}
	least *= decoder->size * (decoder->planar ? 1 : decoder->samples);
	if (least == 0 || wanted < least)
		return fmt_err_set(
			err, -EBADMSG, "the TIFF's strips or tiles have no sound size");
	if (wanted > FMT_IMAGE_TIFF_MOST)
		return fmt_err_set(err, -EFBIG,
			"a tile of the TIFF says it holds %llu bytes; at most %d are "
			"read",
			(unsigned long long)wanted, FMT_IMAGE_TIFF_MOST);
	tile->bytes = malloc(wanted);
	return tile->bytes != NULL
		       ? 0
		       : fmt_err_set(err, -ENOMEM, "no memory for a TIFF's tile");
}

int
fmt_image_tiff_rows_read(
	struct fmt_image *image, const struct fmt_image_rows *rows, struct fmt_err *err)
{
	struct fmt_tiff *decoder = (struct fmt_tiff *)image;
	struct tile tile = {0};
	int rc = make_room(decoder, &tile, err);
	if (rc < 0)
		return rc;
	for (unsigned plane = 0;
		rc == 0 && plane < (decoder->planar ? decoder->samples : 1); plane++)
		if (!decoder->planar || channel_of(decoder, plane) != NO_CHANNEL)
			rc = TIFFIsTiled(decoder->tiff)
				     ? read_tiles(decoder, rows, plane, &tile)
				     : read_strips(decoder, rows, plane, tile.bytes);
	free(tile.bytes);
	if (rc < 0 || decoder->spoilt)
		return fmt_err_set(err, -EBADMSG, "the TIFF's pixels are broken (%s)",
			decoder->text);
	finish(decoder, rows);
	return 0;
}
