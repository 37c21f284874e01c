/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TIFF, read by libtiff: grey, RGB and palettes, 8 and 16 bits and float, in strips or
 * tiles, samples together or in planes.  Of strips only those that hold wanted rows are
 * unpacked, row by row; of tiles only those that touch them.
 */
#include "plugins/formats/image_codec.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

/* What the library may take at once, and a tile with it. */
#define ALLOCATION_MOST (256 << 20)
#define SAMPLES_MOST	16
#define NO_CHANNEL	4

struct decoder {
	struct fmt_image image;
	TIFF *tiff;
	const uint8_t *bytes;
	size_t length, at;
	unsigned samples, colours; /* of a pixel; those that are colours come first */
	unsigned alpha;		   /* which sample that is; 0: none */
	size_t size;		   /* bytes of a sample */
	int planar, inverted;
	const uint16_t *palette[3]; /* the library's; NULL: none */
	char text[512];		    /* what the library said first */
};

static int
is_tiff(const uint8_t *bytes, size_t length)
{
	/* 43 in place of 42: offsets of 64 bits. */
	return length >= 8 &&
	       (memcmp(bytes, "II*\0", 4) == 0 || memcmp(bytes, "MM\0*", 4) == 0 ||
		       memcmp(bytes, "II+\0", 4) == 0 || memcmp(bytes, "MM\0+", 4) == 0);
}

/* --- the file in memory, and what the library says ---------------------------- */

static tmsize_t
read_bytes(thandle_t handle, void *to, tmsize_t length)
{
	struct decoder *decoder = handle;
	size_t left = decoder->at < decoder->length ? decoder->length - decoder->at : 0;
	size_t count = (size_t)length < left ? (size_t)length : left;
	memcpy(to, decoder->bytes + (left > 0 ? decoder->at : 0), count);
	decoder->at += count;
	return (tmsize_t)count;
}

static tmsize_t
write_bytes(thandle_t handle, void *from, tmsize_t length)
{
	(void)handle;
	(void)from;
	(void)length;
	return -1;
}

static toff_t
seek_to(thandle_t handle, toff_t offset, int whence)
{
	struct decoder *decoder = handle;
	decoder->at = (whence == SEEK_CUR	   ? decoder->at
			      : whence == SEEK_END ? decoder->length
						   : 0) +
		      offset;
	return decoder->at;
}

static int
close_bytes(thandle_t handle)
{
	(void)handle;
	return 0;
}

static toff_t
size_of_bytes(thandle_t handle)
{
	return ((struct decoder *)handle)->length;
}

static int
keep_error(
	TIFF *tiff, void *context, const char *module, const char *format, va_list args)
{
	struct decoder *decoder = context;
	(void)tiff;
	(void)module;
	if (decoder->text[0] == '\0')
		vsnprintf(decoder->text, sizeof decoder->text, format, args);
	return 1;
}

/* Warnings tell of tags that nobody knows: nothing that a pixel depends on. */
static int
pass_over(TIFF *tiff, void *context, const char *module, const char *format, va_list args)
{
	(void)tiff;
	(void)context;
	(void)module;
	(void)format;
	(void)args;
	return 1;
}

static TIFF *
open_tiff(struct decoder *decoder)
{
	TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
	if (options == NULL)
		return NULL;
	TIFFOpenOptionsSetMaxSingleMemAlloc(options, ALLOCATION_MOST);
	TIFFOpenOptionsSetErrorHandlerExtR(options, keep_error, decoder);
	TIFFOpenOptionsSetWarningHandlerExtR(options, pass_over, decoder);
	/* 'm': not mapped, so that every access goes through read_bytes and its bounds. */
	TIFF *tiff = TIFFClientOpenExt("picture", "rm", decoder, read_bytes, write_bytes,
		seek_to, close_bytes, size_of_bytes, NULL, NULL, options);
	TIFFOpenOptionsFree(options);
	return tiff;
}

static void
free_tiff(struct fmt_image *image)
{
	struct decoder *decoder = (struct decoder *)image;
	if (decoder->tiff != NULL)
		TIFFClose(decoder->tiff);
	free(decoder);
}

/* --- the head ----------------------------------------------------------------- */

static int
check_packing(TIFF *tiff, struct fmt_err *err)
{
	uint16_t packing = COMPRESSION_NONE, orientation = ORIENTATION_TOPLEFT;
	TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &packing);
	TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &orientation);
	switch (packing) {
	case COMPRESSION_NONE:
	case COMPRESSION_LZW:
	case COMPRESSION_ADOBE_DEFLATE:
	case COMPRESSION_DEFLATE:
	case COMPRESSION_PACKBITS:
		break;
	default:
		return fmt_err_set(err, -ENOTSUP,
			"the TIFF is packed by scheme %u; read are none, LZW, deflate "
			"and PackBits",
			packing);
	}
	if (orientation != ORIENTATION_TOPLEFT)
		return fmt_err_set(err, -ENOTSUP,
			"the TIFF's rows or columns run another way (orientation %u); "
			"save it upright",
			orientation);
	return 0;
}

static int
read_type(struct decoder *decoder, struct fmt_err *err)
{
	uint16_t bits = 1, kind = SAMPLEFORMAT_UINT;
	TIFFGetFieldDefaulted(decoder->tiff, TIFFTAG_BITSPERSAMPLE, &bits);
	TIFFGetFieldDefaulted(decoder->tiff, TIFFTAG_SAMPLEFORMAT, &kind);
	struct fmt_image_info *info = &decoder->image.info;
	if (kind == SAMPLEFORMAT_UINT && bits == 8)
		info->type = FMT_IMAGE_U8;
	else if (kind == SAMPLEFORMAT_UINT && bits == 16)
		info->type = FMT_IMAGE_U16;
	else if (kind == SAMPLEFORMAT_IEEEFP && bits == 32)
		info->type = FMT_IMAGE_FLOAT;
	else
		return fmt_err_set(err, -ENOTSUP,
			"the TIFF's samples have %u bits (format %u); read are 8 and 16 "
			"without sign, and floats of 32",
			bits, kind);
	decoder->size = bits / 8;
	return 0;
}

static int
read_palette(struct decoder *decoder, struct fmt_err *err)
{
	uint16_t *red, *green, *blue;
	if (decoder->image.info.type != FMT_IMAGE_U8 ||
		!TIFFGetField(decoder->tiff, TIFFTAG_COLORMAP, &red, &green, &blue))
		return fmt_err_set(err, -ENOTSUP,
			"the TIFF's palette is missing, or is not one of 8 bits");
	decoder->palette[0] = red;
	decoder->palette[1] = green;
	decoder->palette[2] = blue;
	return 0;
}

static int
read_colours(struct decoder *decoder, struct fmt_err *err)
{
	static const char *const others[] = {[PHOTOMETRIC_MASK] = "a mask",
		[PHOTOMETRIC_SEPARATED] = "CMYK",
		[PHOTOMETRIC_YCBCR] = "YCbCr"};
	uint16_t kind = 0xffff;
	TIFFGetField(decoder->tiff, TIFFTAG_PHOTOMETRIC, &kind);
	decoder->colours = kind == PHOTOMETRIC_RGB ? 3 : 1;
	decoder->inverted = kind == PHOTOMETRIC_MINISWHITE;
	if (kind == PHOTOMETRIC_PALETTE)
		return read_palette(decoder, err);
	if (kind == PHOTOMETRIC_RGB || kind == PHOTOMETRIC_MINISBLACK ||
		kind == PHOTOMETRIC_MINISWHITE)
		return 0;
	return fmt_err_set(err, -ENOTSUP,
		"the TIFF's colours are %s (photometric %u); read are grey, RGB and "
		"palettes",
		kind < sizeof others / sizeof others[0] && others[kind] != NULL
			? others[kind]
			: "of another kind",
		kind);
}

static int
read_samples(struct decoder *decoder, struct fmt_err *err)
{
	uint16_t samples = 1, planes = PLANARCONFIG_CONTIG, count = 0, *extra = NULL;
	struct fmt_image_info *info = &decoder->image.info;
	TIFFGetFieldDefaulted(decoder->tiff, TIFFTAG_SAMPLESPERPIXEL, &samples);
	TIFFGetFieldDefaulted(decoder->tiff, TIFFTAG_PLANARCONFIG, &planes);
	TIFFGetFieldDefaulted(decoder->tiff, TIFFTAG_EXTRASAMPLES, &count, &extra);
	if (samples < decoder->colours || samples > SAMPLES_MOST)
		return fmt_err_set(err, -EBADMSG,
			"the TIFF says a pixel has %u samples; expected %u to %d",
			samples, decoder->colours, SAMPLES_MOST);
	decoder->samples = samples;
	decoder->planar = planes == PLANARCONFIG_SEPARATE;
	for (unsigned i = 0; i < count && decoder->alpha == 0; i++)
		if (extra[i] != EXTRASAMPLE_UNSPECIFIED &&
			decoder->colours + i < samples) {
			decoder->alpha = decoder->colours + i;
			info->associated = extra[i] == EXTRASAMPLE_ASSOCALPHA;
		}
	info->channels = (decoder->palette[0] != NULL ? 3 : decoder->colours) +
			 (decoder->alpha > 0);
	return 0;
}

static struct fmt_image_blob
find_blob(TIFF *tiff, uint32_t tag)
{
	uint32_t length;
	const void *bytes;
	if (!TIFFGetField(tiff, tag, &length, &bytes))
		return (struct fmt_image_blob){0};
	return (struct fmt_image_blob){bytes, length};
}

static int
read_head(struct decoder *decoder, struct fmt_err *err)
{
	struct fmt_image_info *info = &decoder->image.info;
	if (!TIFFGetField(decoder->tiff, TIFFTAG_IMAGEWIDTH, &info->width) ||
		!TIFFGetField(decoder->tiff, TIFFTAG_IMAGELENGTH, &info->height))
		return fmt_err_set(err, -EBADMSG, "the TIFF does not say its size");
	int rc = check_packing(decoder->tiff, err);
	if (rc == 0)
		rc = read_type(decoder, err);
	if (rc == 0)
		rc = read_colours(decoder, err);
	if (rc == 0)
		rc = read_samples(decoder, err);
	/* The file is itself the block that EXIF is in. */
	info->extras.exif = (struct fmt_image_blob){decoder->bytes, decoder->length};
	info->extras.xmp = find_blob(decoder->tiff, TIFFTAG_XMLPACKET);
	info->extras.icc = find_blob(decoder->tiff, TIFFTAG_ICCPROFILE);
	return rc;
}

static int
open_image(const uint8_t *bytes, size_t length, struct fmt_image **image,
	struct fmt_err *err)
{
	struct decoder *decoder = calloc(1, sizeof *decoder);
	if (decoder == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for a TIFF decoder");
	decoder->bytes = bytes;
	decoder->length = length;
	decoder->tiff = open_tiff(decoder);
	int rc = decoder->tiff != NULL
			 ? read_head(decoder, err)
			 : fmt_err_set(err, -EBADMSG, "the TIFF's head is broken (%s)",
				   decoder->text);
	if (rc < 0) {
		free_tiff(&decoder->image);
		return rc;
	}
	*image = &decoder->image;
	return 0;
}

/* --- pixels ------------------------------------------------------------------- */

/* Samples of one row, each `step` samples after the other. */
struct run {
	const uint8_t *from;
	unsigned step;
	char *to; /* four channels each */
	size_t count;
};

static void
scatter(const struct run *run, size_t size, unsigned channel)
{
	const size_t step = run->step;
	if (size == 1) {
		uint8_t *to = (uint8_t *)run->to + channel;
		for (size_t i = 0; i < run->count; i++)
			to[4 * i] = run->from[i * step];
	} else if (size == 2) {
		uint16_t *to = (uint16_t *)(void *)run->to + channel;
		const uint16_t *from = (const uint16_t *)(const void *)run->from;
		for (size_t i = 0; i < run->count; i++)
			to[4 * i] = from[i * step];
	} else {
		float *to = (float *)(void *)run->to + channel;
		const float *from = (const float *)(const void *)run->from;
		for (size_t i = 0; i < run->count; i++)
			to[4 * i] = from[i * step];
	}
}

static unsigned
channel_of(const struct decoder *decoder, unsigned sample)
{
	return sample < decoder->colours		? sample
	       : sample > 0 && sample == decoder->alpha ? 3
							: NO_CHANNEL;
}

/* What was unpacked for one plane, or for all samples together. */
static void
put_run(const struct decoder *decoder, struct run run, unsigned plane)
{
	run.step = decoder->planar ? 1 : decoder->samples;
	for (unsigned sample = plane;
		sample < (decoder->planar ? plane + 1 : decoder->samples);
		sample++, run.from += decoder->size)
		if (channel_of(decoder, sample) != NO_CHANNEL)
			scatter(&run, decoder->size, channel_of(decoder, sample));
}

/* Strips are unpacked from their first row on. */
static int
read_strips(struct decoder *decoder, const struct fmt_image_rows *rows, unsigned plane,
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
put_tile(const struct decoder *decoder, const struct fmt_image_rows *rows, unsigned plane,
	const struct tile *tile)
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
read_tiles(struct decoder *decoder, const struct fmt_image_rows *rows, unsigned plane,
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
finish_u8(const struct decoder *decoder, uint8_t *pixel, size_t count)
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
finish_u16(const struct decoder *decoder, uint16_t *pixel, size_t count)
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
finish_float(const struct decoder *decoder, float *pixel, size_t count)
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
finish(const struct decoder *decoder, const struct fmt_image_rows *rows)
{
	for (uint32_t row = 0; row < rows->count; row++) {
		void *to = (char *)rows->to + row * rows->stride;
		if (decoder->size == 1)
			finish_u8(decoder, to, decoder->image.info.width);
		else if (decoder->size == 2)
			finish_u16(decoder, to, decoder->image.info.width);
		else
			finish_float(decoder, to, decoder->image.info.width);
	}
}

/* A tile, or one row of a strip. */
static int
make_room(struct decoder *decoder, struct tile *tile, struct fmt_err *err)
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
	if (wanted > ALLOCATION_MOST)
		return fmt_err_set(err, -EFBIG,
			"a tile of the TIFF says it holds %llu bytes; at most %d are "
			"read",
			(unsigned long long)wanted, ALLOCATION_MOST);
	tile->bytes = malloc(wanted);
	return tile->bytes != NULL
		       ? 0
		       : fmt_err_set(err, -ENOMEM, "no memory for a TIFF's tile");
}

static int
read_image(
	struct fmt_image *image, const struct fmt_image_rows *rows, struct fmt_err *err)
{
	struct decoder *decoder = (struct decoder *)image;
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
	if (rc < 0)
		return fmt_err_set(err, -EBADMSG, "the TIFF's pixels are broken (%s)",
			decoder->text);
	finish(decoder, rows);
	return 0;
}

const struct fmt_image_codec fmt_image_tiff = {
	.name = "TIFF",
	.suffix = ".tif",
	.types = 1 << FMT_IMAGE_U8 | 1 << FMT_IMAGE_U16 | 1 << FMT_IMAGE_FLOAT,
	.associations = 1 << 0 | 1 << 1,
	.is = is_tiff,
	.open = open_image,
	.read = read_image,
	.free = free_tiff,
	.encode = fmt_image_tiff_write,
};
