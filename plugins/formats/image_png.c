/* SPDX-License-Identifier: BSD-2-Clause */
/* PNG: read by libspng; image_png_write.c writes it. */
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
	if (decoder->interlaced)
		info->scratch =
			(uint64_t)head.width * head.height * fmt_image_pixel(info->type);
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

/* The text of an iTXt chunk that is an XMP packet, not packed; else nothing. */
static struct fmt_image_blob
xmp_of(const uint8_t *content, size_t length)
{
	const uint8_t *const past = content + length;
	/* The keyword with its end, how it is packed, a language and a translation. */
	const size_t head = sizeof xmp_keyword + 2;
	const uint8_t *at = length > head ? content + head : NULL;
	if (at == NULL || memcmp(content, xmp_keyword, sizeof xmp_keyword) != 0 ||
		at[-2] != 0)
		return (struct fmt_image_blob){0};
	for (int i = 0; at != NULL && i < 2; i++) {
		at = memchr(at, 0, (size_t)(past - at));
		at = at != NULL ? at + 1 : NULL;
	}
	if (at == NULL)
		return (struct fmt_image_blob){0};
	return (struct fmt_image_blob){at, (size_t)(past - at)};
}

/* What stands behind the pixels, where some programs put what they add; it counts where
 * nothing of its kind stood before them.  The chunks were checked. */
static void
find_late_extras(struct decoder *decoder, const uint8_t *bytes)
{
	struct fmt_image_extras *extras = &decoder->image.info.extras;
	size_t at = sizeof signature;
	int is_behind = 0;
	while (memcmp(bytes + at + 4, "IEND", 4) != 0) {
		const size_t length = get_u32(bytes + at);
		const uint8_t *type = bytes + at + 4;
		is_behind |= memcmp(type, "IDAT", 4) == 0;
		if (is_behind && memcmp(type, "eXIf", 4) == 0 &&
			extras->exif.bytes == NULL)
			extras->exif = (struct fmt_image_blob){type + 4, length};
		if (is_behind && memcmp(type, "iTXt", 4) == 0 &&
			extras->xmp.bytes == NULL)
			extras->xmp = xmp_of(type + 4, length);
		at += length + 12;
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
	find_late_extras(decoder, bytes);
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

const struct fmt_image_codec fmt_image_png = {
	.name = "PNG",
	.suffix = ".png",
	.types = 1 << FMT_IMAGE_U8 | 1 << FMT_IMAGE_U16,
	.associations = 1 << 0,
	.is = is_png,
	.open = open_png,
	.read = read_png,
	.free = free_png,
	.writing = &fmt_image_png_write,
};
