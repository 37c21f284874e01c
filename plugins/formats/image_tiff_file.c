/* SPDX-License-Identifier: BSD-2-Clause */
/* How libtiff comes to the bytes of a TIFF in memory, and where what it says goes. */
#include "plugins/formats/image_tiff.h"

#include <stdio.h>
#include <string.h>

static tmsize_t
read_bytes(thandle_t handle, void *to, tmsize_t length)
{
	struct fmt_tiff *decoder = handle;
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
	struct fmt_tiff *decoder = handle;
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
	return ((struct fmt_tiff *)handle)->length;
}

static int
keep_error(
	TIFF *tiff, void *context, const char *module, const char *format, va_list args)
{
	struct fmt_tiff *decoder = context;
	(void)tiff;
	(void)module;
	if (decoder->text[0] == '\0')
		vsnprintf(decoder->text, sizeof decoder->text, format, args);
	return 1;
}

/* Warnings tell of tags that nobody knows: nothing that a pixel depends on.  But JPEG's
 * decoder only warns where data are missing. */
static int
hear_warning(
	TIFF *tiff, void *context, const char *module, const char *format, va_list args)
{
	struct fmt_tiff *decoder = context;
	if (module == NULL || strcmp(module, "JPEGLib") != 0)
		return 1;
	decoder->spoilt = 1;
	return keep_error(tiff, context, module, format, args);
}

TIFF *
fmt_image_tiff_file_open(struct fmt_tiff *decoder)
{
	TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
	if (options == NULL)
		return NULL;
	TIFFOpenOptionsSetMaxSingleMemAlloc(options, FMT_IMAGE_TIFF_MOST);
	TIFFOpenOptionsSetErrorHandlerExtR(options, keep_error, decoder);
	TIFFOpenOptionsSetWarningHandlerExtR(options, hear_warning, decoder);
	/* 'm': not mapped, so that every access goes through read_bytes and its bounds. */
	TIFF *tiff = TIFFClientOpenExt("picture", "rm", decoder, read_bytes, write_bytes,
		seek_to, close_bytes, size_of_bytes, NULL, NULL, options);
	TIFFOpenOptionsFree(options);
	return tiff;
}
