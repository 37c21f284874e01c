/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/image.h"

#include "plugins/formats/exif.h"
#include "plugins/formats/image_codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* In the order of enum fmt_image_format. */
static const struct fmt_image_codec *const codecs[FMT_IMAGE_FORMATS] = {
	[FMT_IMAGE_JPEG] = &fmt_image_jpeg,
	[FMT_IMAGE_PNG] = &fmt_image_png,
	[FMT_IMAGE_TIFF] = &fmt_image_tiff,
	[FMT_IMAGE_EXR] = &fmt_image_exr,
};

static int
check_size(const struct fmt_image_info *info, const struct fmt_image_limits *limits,
	struct fmt_err *err)
{
	if (info->width == 0 || info->height == 0)
		return fmt_err_set(err, -EBADMSG, "the picture says it is %u x %u pixels",
			info->width, info->height);
	if (info->width > limits->side || info->height > limits->side ||
		(uint64_t)info->width * info->height > limits->pixels)
		return fmt_err_set(err, -EFBIG,
			"the picture says it is %u x %u pixels; at most %u a side and "
			"%llu in all are read",
			info->width, info->height, limits->side,
			(unsigned long long)limits->pixels);
	return 0;
}

/* Tells of the picture as it is seen. */
static void
stand_up(struct fmt_image *image)
{
	struct fmt_image_info *info = &image->info;
	struct fmt_exif_facts facts;
	if (info->orientation == 0) {
		fmt_exif_read(info->extras.exif.bytes, info->extras.exif.length, &facts);
		info->orientation = (unsigned)facts.orientation;
	}
	image->shown = *info;
	if (info->orientation >= 5) {
		image->shown.width = info->height;
		image->shown.height = info->width;
		image->shown.scratch += (uint64_t)info->width * info->height *
					fmt_image_pixel(info->type);
	}
}

int
fmt_image_open(const void *bytes, size_t length, const struct fmt_image_limits *limits,
	struct fmt_image **image, struct fmt_err *err)
{
	struct fmt_image *made = NULL;
	int format = 0;
	while (format < FMT_IMAGE_FORMATS && !codecs[format]->is(bytes, length))
		format++;
	if (format == FMT_IMAGE_FORMATS)
		return fmt_err_set(err, -EBADMSG,
			length == 0
				? "expected a picture, found an empty file"
				: "expected a JPEG, PNG, TIFF or OpenEXR picture, found "
				  "none's first bytes");
	int rc = codecs[format]->open(bytes, length, &made, err);
	if (rc < 0)
		return rc;
	made->codec = codecs[format];
	made->info.format = (enum fmt_image_format)format;
	rc = check_size(&made->info, limits, err);
	stand_up(made);
	if (rc < 0) {
		fmt_image_free(made);
		return rc;
	}
	*image = made;
	return 0;
}

void
fmt_image_free(struct fmt_image *image)
{
	if (image != NULL)
		image->codec->free(image);
}

const struct fmt_image_info *
fmt_image_info(const struct fmt_image *image)
{
	return &image->shown;
}

int
fmt_image_read(
	struct fmt_image *image, const struct fmt_image_rows *rows, struct fmt_err *err)
{
	const uint32_t height = image->shown.height;
	if (rows->first > height || rows->count > height - rows->first)
		return fmt_err_set(err, -EINVAL, "rows %u..%u of %u were asked for",
			rows->first, rows->first + rows->count, height);
	if (rows->count == 0)
		return 0;
	return image->info.orientation == 1 ? image->codec->read(image, rows, err)
					    : fmt_image_turn_read(image, rows, err);
}

int
fmt_image_encode(enum fmt_image_format format, const struct fmt_image_page *page,
	void **bytes, size_t *length, struct fmt_err *err)
{
	if (codecs[format]->encode != NULL)
		return codecs[format]->encode(page, bytes, length, err);
	const struct fmt_image_stripe all = {page->pixels, page->stride, page->height};
	const void *made;
	struct fmt_image_writer *writer = fmt_image_writer_new(format);
	int rc = writer != NULL ? fmt_image_writer_begin(writer, page, err)
				: fmt_err_set(err, -ENOMEM, "no memory for an encoder");
	if (rc == 0)
		rc = fmt_image_writer_rows(writer, &all, err);
	if (rc == 0)
		rc = fmt_image_writer_end(writer, &made, length, err);
	if (rc == 0) {
		*bytes = malloc(*length);
		rc = *bytes != NULL ? 0 : fmt_err_set(err, -ENOMEM, "no memory");
	}
	if (rc == 0)
		memcpy(*bytes, made, *length);
	fmt_image_writer_free(writer);
	return rc;
}

struct fmt_image_writer *
fmt_image_writer_new(enum fmt_image_format format)
{
	if (codecs[format]->writing == NULL)
		return fmt_image_whole_new(codecs[format]);
	struct fmt_image_writer *writer = codecs[format]->writing->make();
	if (writer != NULL)
		writer->writing = codecs[format]->writing;
	return writer;
}

void
fmt_image_writer_free(struct fmt_image_writer *writer)
{
	if (writer != NULL)
		writer->writing->free(writer);
}

int
fmt_image_writer_begin(struct fmt_image_writer *writer, const struct fmt_image_page *page,
	struct fmt_err *err)
{
	writer->page = *page;
	return writer->writing->begin(writer, err);
}

int
fmt_image_writer_rows(struct fmt_image_writer *writer,
	const struct fmt_image_stripe *stripe, struct fmt_err *err)
{
	return writer->writing->rows(writer, stripe, err);
}

int
fmt_image_writer_end(struct fmt_image_writer *writer, const void **bytes, size_t *length,
	struct fmt_err *err)
{
	return writer->writing->end(writer, bytes, length, err);
}

const char *
fmt_image_suffix(enum fmt_image_format format)
{
	return codecs[format]->suffix;
}

const char *
fmt_image_name(enum fmt_image_format format)
{
	return codecs[format]->name;
}

int
fmt_image_holds(enum fmt_image_format format, enum fmt_image_type type)
{
	return (codecs[format]->types >> type & 1) != 0;
}

int
fmt_image_associates(enum fmt_image_format format, int associated)
{
	return (codecs[format]->associations >> associated & 1) ? associated
								: !associated;
}
