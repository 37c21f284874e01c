/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TIFF, read by libtiff: grey, RGB and palettes, 8 and 16 bits, half and float, in strips
 * or tiles, samples together or in planes.  Here is what the head says; image_tiff_rows.c
 * reads the pixels.
 */
#include "plugins/formats/image_tiff.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES_MOST 16

static int
is_tiff(const uint8_t *bytes, size_t length)
{
	/* 43 in place of 42: offsets of 64 bits. */
	return length >= 8 &&
	       (memcmp(bytes, "II*\0", 4) == 0 || memcmp(bytes, "MM\0*", 4) == 0 ||
		       memcmp(bytes, "II+\0", 4) == 0 || memcmp(bytes, "MM\0+", 4) == 0);
}

static void
free_tiff(struct fmt_image *image)
{
	struct fmt_tiff *decoder = (struct fmt_tiff *)image;
	if (decoder->tiff != NULL)
		TIFFClose(decoder->tiff);
	free(decoder);
}

static uint16_t
packing_of(TIFF *tiff)
{
	uint16_t packing = COMPRESSION_NONE;
	TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &packing);
	return packing;
}

static int
check_packing(TIFF *tiff, struct fmt_err *err)
{
	const uint16_t packing = packing_of(tiff);
	switch (packing) {
	case COMPRESSION_NONE:
	case COMPRESSION_LZW:
	case COMPRESSION_ADOBE_DEFLATE:
	case COMPRESSION_DEFLATE:
	case COMPRESSION_PACKBITS:
		return 0;
	case COMPRESSION_JPEG:
		if (TIFFIsCODECConfigured(packing))
			return 0;
		return fmt_err_set(err, -ENOTSUP,
			"the TIFF is packed by JPEG, which this libtiff was built "
			"without; save it with LZW or deflate");
	default:
		return fmt_err_set(err, -ENOTSUP,
			"the TIFF is packed by scheme %u; read are none, LZW, deflate, "
			"PackBits and JPEG (7)",
			packing);
	}
}

static unsigned
orientation_of(TIFF *tiff)
{
	uint16_t orientation = ORIENTATION_TOPLEFT;
	TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &orientation);
	return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

static int
read_type(struct fmt_tiff *decoder, struct fmt_err *err)
{
	uint16_t bits = 1, kind = SAMPLEFORMAT_UINT;
	TIFFGetFieldDefaulted(decoder->tiff, TIFFTAG_BITSPERSAMPLE, &bits);
	TIFFGetFieldDefaulted(decoder->tiff, TIFFTAG_SAMPLEFORMAT, &kind);
	struct fmt_image_info *info = &decoder->image.info;
	if (kind == SAMPLEFORMAT_UINT && bits == 8)
		info->type = FMT_IMAGE_U8;
	else if (kind == SAMPLEFORMAT_UINT && bits == 16)
		info->type = FMT_IMAGE_U16;
	else if (kind == SAMPLEFORMAT_IEEEFP && (bits == 16 || bits == 32))
		info->type = FMT_IMAGE_FLOAT;
	else
		return fmt_err_set(err, -ENOTSUP,
			"the TIFF's samples have %u bits (format %u); read are 8 and 16 "
			"without sign, and floats of 16 and 32",
			bits, kind);
	info->half = info->type == FMT_IMAGE_FLOAT && bits == 16;
	decoder->size = bits / 8;
	return 0;
}

static int
read_palette(struct fmt_tiff *decoder, struct fmt_err *err)
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

/* YCbCr is read where JPEG's decoder turns it into RGB. */
static int
ask_for_rgb(const struct fmt_tiff *decoder)
{
	uint16_t planes = PLANARCONFIG_CONTIG;
	TIFFGetFieldDefaulted(decoder->tiff, TIFFTAG_PLANARCONFIG, &planes);
	return packing_of(decoder->tiff) == COMPRESSION_JPEG &&
	       planes == PLANARCONFIG_CONTIG &&
	       TIFFSetField(decoder->tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
}

static int
read_colours(struct fmt_tiff *decoder, struct fmt_err *err)
{
	static const char *const others[] = {[PHOTOMETRIC_MASK] = "a mask",
		[PHOTOMETRIC_SEPARATED] = "CMYK",
		[PHOTOMETRIC_YCBCR] = "YCbCr, and not packed by JPEG"};
	uint16_t kind = 0xffff;
	TIFFGetField(decoder->tiff, TIFFTAG_PHOTOMETRIC, &kind);
	decoder->colours = kind == PHOTOMETRIC_RGB ? 3 : 1;
	decoder->inverted = kind == PHOTOMETRIC_MINISWHITE;
	if (kind == PHOTOMETRIC_PALETTE)
		return read_palette(decoder, err);
	if (kind == PHOTOMETRIC_RGB || kind == PHOTOMETRIC_MINISBLACK ||
		kind == PHOTOMETRIC_MINISWHITE)
		return 0;
	if (kind == PHOTOMETRIC_YCBCR && ask_for_rgb(decoder)) {
		decoder->colours = 3;
		return 0;
	}
	return fmt_err_set(err, -ENOTSUP,
		"the TIFF's colours are %s (photometric %u); read are grey, RGB and "
		"palettes",
		kind < sizeof others / sizeof others[0] && others[kind] != NULL
			? others[kind]
			: "of another kind",
		kind);
}

static int
read_samples(struct fmt_tiff *decoder, struct fmt_err *err)
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
read_head(struct fmt_tiff *decoder, struct fmt_err *err)
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
	info->orientation = orientation_of(decoder->tiff);
	/* Of strips the library keeps what is packed, and we one row. */
	info->scratch = TIFFIsTiled(decoder->tiff) ? TIFFTileSize64(decoder->tiff)
						   : decoder->length;
	info->extras.xmp = find_blob(decoder->tiff, TIFFTAG_XMLPACKET);
	info->extras.icc = find_blob(decoder->tiff, TIFFTAG_ICCPROFILE);
	return rc;
}

static int
open_image(const uint8_t *bytes, size_t length, struct fmt_image **image,
	struct fmt_err *err)
{
	struct fmt_tiff *decoder = calloc(1, sizeof *decoder);
	if (decoder == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for a TIFF decoder");
	decoder->bytes = bytes;
	decoder->length = length;
	decoder->tiff = fmt_image_tiff_file_open(decoder);
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

const struct fmt_image_codec fmt_image_tiff = {
	.name = "TIFF",
	.suffix = ".tif",
	.types = 1 << FMT_IMAGE_U8 | 1 << FMT_IMAGE_U16 | 1 << FMT_IMAGE_FLOAT,
	.associations = 1 << 0 | 1 << 1,
	.is = is_tiff,
	.open = open_image,
	.read = fmt_image_tiff_rows_read,
	.free = free_tiff,
	.encode = fmt_image_tiff_write,
};
