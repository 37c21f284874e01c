/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenEXR, read by its C core: the first part, half or float, R G B or Y, with A or
 * without, in lines or in tiles (the finest level).  Only chunks that hold wanted rows are
 * unpacked.  A picture's XMP is looked for in the text attribute "xmp".
 */
#include "plugins/formats/image_codec.h"

#include <OpenEXR/openexr.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of one chunk when it is unpacked, as the file has it and as we do. */
#define CHUNK_MOST (256u << 20)
#define PIXEL	   (FMT_IMAGE_CHANNELS * (int32_t)sizeof(float))

struct decoder {
	struct fmt_image image;
	exr_context_t exr;
	const uint8_t *bytes;
	size_t length;
	exr_storage_t storage;
	int32_t left, top;		    /* of the data window */
	uint32_t chunk_width, chunk_height; /* at most */
	char text[512];			    /* what the library said first */
};

static int
is_exr(const uint8_t *bytes, size_t length)
{
	return length >= 8 && memcmp(bytes, "\x76\x2f\x31\x01", 4) == 0;
}

static struct decoder *
decoder_of(exr_const_context_t exr)
{
	void *decoder = NULL;
	if (exr != NULL && exr_get_user_data(exr, &decoder) != EXR_ERR_SUCCESS)
		return NULL;
	return decoder;
}

static void
keep_error(exr_const_context_t exr, exr_result_t code, const char *text)
{
	struct decoder *decoder = decoder_of(exr);
	(void)code;
	if (decoder != NULL && decoder->text[0] == '\0')
		snprintf(decoder->text, sizeof decoder->text, "%s", text);
}

static int64_t
size_of_bytes(exr_const_context_t exr, void *context)
{
	(void)exr;
	return (int64_t)((struct decoder *)context)->length;
}

static int64_t
read_bytes(exr_const_context_t exr, void *context, void *to, uint64_t length,
	uint64_t offset, exr_stream_error_func_ptr_t report)
{
	const struct decoder *decoder = context;
	(void)exr;
	(void)report;
	/* Fewer than were asked for are no error: heads are read 4096 at once. */
	if (offset >= decoder->length)
		return 0;
	if (length > decoder->length - offset)
		length = decoder->length - offset;
	memcpy(to, decoder->bytes + offset, length);
	return (int64_t)length;
}

static int
fail(struct decoder *decoder, exr_result_t code, const char *what, struct fmt_err *err)
{
	return fmt_err_set(err, code == EXR_ERR_OUT_OF_MEMORY ? -ENOMEM : -EBADMSG,
		"the OpenEXR's %s broken (%s)", what,
		decoder->text[0] != '\0' ? decoder->text
					 : exr_get_default_error_message(code));
}

/* --- the head ----------------------------------------------------------------- */

static const exr_attr_chlist_entry_t *
find_channel(const exr_attr_chlist_t *list, const char *name)
{
	for (int i = 0; i < list->num_channels; i++)
		if (strcmp(list->entries[i].name.str, name) == 0)
			return &list->entries[i];
	return NULL;
}

/* Whether the channels of these names are all there; whether any of them is a float. */
static int
has_channels(const exr_attr_chlist_t *list, const char *const *names, int *floats)
{
	for (; *names != NULL; names++) {
		const exr_attr_chlist_entry_t *found = find_channel(list, *names);
		if (found == NULL || found->pixel_type == EXR_PIXEL_UINT ||
			found->x_sampling != 1 || found->y_sampling != 1)
			return 0;
		*floats |= found->pixel_type == EXR_PIXEL_FLOAT;
	}
	return 1;
}

static int
read_channels(struct decoder *decoder, struct fmt_err *err)
{
	static const char *const rgb[] = {"R", "G", "B", NULL}, *const y[] = {"Y", NULL},
				 *const a[] = {"A", NULL};
	struct fmt_image_info *info = &decoder->image.info;
	const exr_attr_chlist_t *list = NULL;
	int floats = 0;
	exr_result_t code = exr_get_channels(decoder->exr, 0, &list);
	if (code != EXR_ERR_SUCCESS)
		return fail(decoder, code, "list of channels is", err);
	if (has_channels(list, rgb, &floats))
		info->channels = 3;
	else if (has_channels(list, y, &floats) && find_channel(list, "RY") == NULL)
		info->channels = 1;
	else
		return fmt_err_set(err, -ENOTSUP,
			"the OpenEXR's %d channels, the first being '%.60s', are not R G "
			"B or Y of half or float, each pixel having all",
			list->num_channels,
			list->num_channels > 0 ? list->entries[0].name.str : "");
	info->channels += find_channel(list, "A") != NULL;
	if (info->channels % 2 == 0 && !has_channels(list, a, &floats))
		return fmt_err_set(err, -ENOTSUP,
			"the OpenEXR's alpha is not half or float, or not of every "
			"pixel");
	info->type = FMT_IMAGE_FLOAT;
	info->half = !floats;
	info->associated = 1;
	return 0;
}

static int
read_windows(struct decoder *decoder, struct fmt_err *err)
{
	exr_attr_box2i_t data, display;
	exr_result_t code = exr_get_data_window(decoder->exr, 0, &data);
	if (code == EXR_ERR_SUCCESS)
		code = exr_get_display_window(decoder->exr, 0, &display);
	if (code != EXR_ERR_SUCCESS)
		return fail(decoder, code, "windows are", err);
	if (memcmp(&data, &display, sizeof data) != 0)
		return fmt_err_set(err, -ENOTSUP,
			"the OpenEXR's data window (%d,%d to %d,%d) is not its display "
			"window (%d,%d to %d,%d); save it without overscan or crop",
			data.min.x, data.min.y, data.max.x, data.max.y, display.min.x,
			display.min.y, display.max.x, display.max.y);
	decoder->left = data.min.x;
	decoder->top = data.min.y;
	decoder->image.info.width = (uint32_t)data.max.x - (uint32_t)data.min.x + 1;
	decoder->image.info.height = (uint32_t)data.max.y - (uint32_t)data.min.y + 1;
	return 0;
}

static int
read_chunks(struct decoder *decoder, struct fmt_err *err)
{
	int32_t count = 0, rows = 0;
	exr_tile_level_mode_t levels;
	exr_tile_round_mode_t rounding;
	exr_result_t code = exr_get_storage(decoder->exr, 0, &decoder->storage);
	if (code == EXR_ERR_SUCCESS && decoder->storage != EXR_STORAGE_SCANLINE &&
		decoder->storage != EXR_STORAGE_TILED)
		return fmt_err_set(err, -ENOTSUP,
			"the OpenEXR is deep: many samples a pixel; flatten it");
	if (code == EXR_ERR_SUCCESS)
		code = exr_get_chunk_count(decoder->exr, 0, &count);
	if (code == EXR_ERR_SUCCESS && decoder->storage == EXR_STORAGE_TILED)
		code = exr_get_tile_descriptor(decoder->exr, 0, &decoder->chunk_width,
			&decoder->chunk_height, &levels, &rounding);
	else if (code == EXR_ERR_SUCCESS)
		code = exr_get_scanlines_per_chunk(decoder->exr, 0, &rows);
	if (code != EXR_ERR_SUCCESS)
		return fail(decoder, code, "head is", err);
	if (decoder->storage == EXR_STORAGE_SCANLINE) {
		decoder->chunk_width = decoder->image.info.width;
		decoder->chunk_height = (uint32_t)rows;
	}
	/* Each has its offset in the file. */
	if (count <= 0 || (size_t)count > decoder->length / sizeof(uint64_t))
		return fmt_err_set(err, -EBADMSG,
			"the OpenEXR says it has %d chunks, for which its %zu bytes are "
			"too few",
			count, decoder->length);
	return 0;
}

static void
find_xmp(struct decoder *decoder)
{
	const exr_attribute_t *attribute = NULL;
	if (exr_get_attribute_by_name(decoder->exr, 0, "xmp", &attribute) ==
			EXR_ERR_SUCCESS &&
		attribute->type == EXR_ATTR_STRING && attribute->string->length > 0)
		decoder->image.info.extras.xmp =
			(struct fmt_image_blob){(const uint8_t *)attribute->string->str,
				(size_t)attribute->string->length};
}

static void
free_exr(struct fmt_image *image)
{
	struct decoder *decoder = (struct decoder *)image;
	exr_finish(&decoder->exr);
	free(decoder);
}

static int
read_head(struct decoder *decoder, struct fmt_err *err)
{
	exr_context_initializer_t initial = EXR_DEFAULT_CONTEXT_INITIALIZER;
	initial.error_handler_fn = keep_error;
	initial.user_data = decoder;
	initial.read_fn = read_bytes;
	initial.size_fn = size_of_bytes;
	initial.flags = EXR_CONTEXT_FLAG_DISABLE_CHUNK_RECONSTRUCTION;
	exr_result_t code = exr_start_read(&decoder->exr, "picture", &initial);
	if (code != EXR_ERR_SUCCESS)
		return fail(decoder, code, "head is", err);
	int rc = read_windows(decoder, err);
	if (rc == 0)
		rc = read_chunks(decoder, err);
	if (rc == 0)
		rc = read_channels(decoder, err);
	if (rc == 0)
		find_xmp(decoder);
	return rc;
}

static int
open_exr(const uint8_t *bytes, size_t length, struct fmt_image **image,
	struct fmt_err *err)
{
	struct decoder *decoder = calloc(1, sizeof *decoder);
	if (decoder == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for an OpenEXR decoder");
	decoder->bytes = bytes;
	decoder->length = length;
	int rc = read_head(decoder, err);
	if (rc < 0) {
		free_exr(&decoder->image);
		return rc;
	}
	*image = &decoder->image;
	return 0;
}

/* --- pixels ------------------------------------------------------------------- */

struct chunk {
	exr_decode_pipeline_t pipeline;
	int begun;
	float *pixels; /* chunk_width x chunk_height */
	uint32_t x, y; /* where it lies in the picture */
};

/* Tells the pipeline where each channel goes. */
static void
point(const struct decoder *decoder, struct chunk *chunk)
{
	static const char *const names[] = {"R", "G", "B", "A"};
	const int grey = decoder->image.info.channels <= 2;
	for (int16_t i = 0; i < chunk->pipeline.channel_count; i++) {
		exr_coding_channel_info_t *channel = &chunk->pipeline.channels[i];
		int to = 0;
		while (to < 4 && strcmp(channel->channel_name, names[to]) != 0)
			to++;
		if (grey && strcmp(channel->channel_name, "Y") == 0)
			to = 0;
		else if (grey && to < 3)
			to = 4;
		channel->decode_to_ptr = to < 4 ? (uint8_t *)(chunk->pixels + to) : NULL;
		channel->user_data_type = EXR_PIXEL_FLOAT;
		channel->user_bytes_per_element = sizeof(float);
		channel->user_pixel_stride = PIXEL;
		channel->user_line_stride = (int32_t)(decoder->chunk_width * PIXEL);
	}
}

static exr_result_t
unpack(const struct decoder *decoder, struct chunk *chunk, const exr_chunk_info_t *info)
{
	if (info->unpacked_size > CHUNK_MOST || info->packed_size > decoder->length ||
		(uint32_t)info->height > decoder->chunk_height ||
		(uint32_t)info->width > decoder->chunk_width)
		return EXR_ERR_BAD_CHUNK_LEADER;
	exr_result_t code = chunk->begun ? exr_decoding_update(decoder->exr, 0, info,
						   &chunk->pipeline)
					 : exr_decoding_initialize(decoder->exr, 0, info,
						   &chunk->pipeline);
	if (code != EXR_ERR_SUCCESS)
		return code;
	point(decoder, chunk);
	if (!chunk->begun)
		code = exr_decoding_choose_default_routines(
			decoder->exr, 0, &chunk->pipeline);
	chunk->begun = 1;
	return code == EXR_ERR_SUCCESS
		       ? exr_decoding_run(decoder->exr, 0, &chunk->pipeline)
		       : code;
}

/* The wanted part of a chunk, which has so many rows, into the picture. */
static void
put_chunk(const struct decoder *decoder, const struct chunk *chunk,
	const struct fmt_image_rows *rows, uint32_t row_count)
{
	const struct fmt_image_info *info = &decoder->image.info;
	const uint32_t left = info->width - chunk->x;
	const size_t count = decoder->chunk_width < left ? decoder->chunk_width : left;
	for (uint32_t i = 0; i < row_count; i++) {
		const uint32_t row = chunk->y + i;
		if (row < rows->first || row - rows->first >= rows->count)
			continue;
		float *to = (float *)(void *)((char *)rows->to +
					      (row - rows->first) * rows->stride) +
			    (size_t)4 * chunk->x;
		memcpy(to, chunk->pixels + (size_t)4 * i * decoder->chunk_width,
			count * PIXEL);
		for (size_t k = 0; k < 4 * count; k += 4) {
			if (info->channels <= 2)
				to[k + 1] = to[k + 2] = to[k];
			if (info->channels % 2 == 1)
				to[k + 3] = 1;
		}
	}
}

static exr_result_t
read_lines(
	struct decoder *decoder, const struct fmt_image_rows *rows, struct chunk *chunk)
{
	const uint32_t past = rows->first + rows->count;
	chunk->y = rows->first - rows->first % decoder->chunk_height;
	for (; chunk->y < past; chunk->y += decoder->chunk_height) {
		exr_chunk_info_t info;
		exr_result_t code = exr_read_scanline_chunk_info(
			decoder->exr, 0, decoder->top + (int32_t)chunk->y, &info);
		if (code == EXR_ERR_SUCCESS)
			code = unpack(decoder, chunk, &info);
		if (code != EXR_ERR_SUCCESS)
			return code;
		put_chunk(decoder, chunk, rows, (uint32_t)info.height);
	}
	return EXR_ERR_SUCCESS;
}

static exr_result_t
read_tiles(
	struct decoder *decoder, const struct fmt_image_rows *rows, struct chunk *chunk)
{
	const uint32_t past = rows->first + rows->count;
	chunk->y = rows->first - rows->first % decoder->chunk_height;
	for (; chunk->y < past; chunk->y += decoder->chunk_height)
		for (chunk->x = 0; chunk->x < decoder->image.info.width;
			chunk->x += decoder->chunk_width) {
			exr_chunk_info_t info;
			exr_result_t code = exr_read_tile_chunk_info(decoder->exr, 0,
				(int)(chunk->x / decoder->chunk_width),
				(int)(chunk->y / decoder->chunk_height), 0, 0, &info);
			if (code == EXR_ERR_SUCCESS)
				code = unpack(decoder, chunk, &info);
			if (code != EXR_ERR_SUCCESS)
				return code;
			put_chunk(decoder, chunk, rows, (uint32_t)info.height);
		}
	return EXR_ERR_SUCCESS;
}

static int
read_exr(struct fmt_image *image, const struct fmt_image_rows *rows, struct fmt_err *err)
{
	struct decoder *decoder = (struct decoder *)image;
	struct chunk chunk = {.pipeline = EXR_DECODE_PIPELINE_INITIALIZER};
	const uint64_t wanted =
		(uint64_t)decoder->chunk_width * decoder->chunk_height * PIXEL;
	if (wanted == 0 || wanted > CHUNK_MOST)
		return fmt_err_set(err, -EFBIG,
			"a chunk of the OpenEXR says it is %u x %u pixels; at most %u "
			"bytes are unpacked at once",
			decoder->chunk_width, decoder->chunk_height, CHUNK_MOST);
	chunk.pixels = calloc(1, wanted);
	if (chunk.pixels == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for a chunk of an OpenEXR");
	exr_result_t code = decoder->storage == EXR_STORAGE_TILED
				    ? read_tiles(decoder, rows, &chunk)
				    : read_lines(decoder, rows, &chunk);
	if (chunk.begun)
		exr_decoding_destroy(decoder->exr, &chunk.pipeline);
	free(chunk.pixels);
	return code == EXR_ERR_SUCCESS ? 0 : fail(decoder, code, "pixels are", err);
}

const struct fmt_image_codec fmt_image_exr = {
	.name = "OpenEXR",
	.suffix = ".exr",
	.types = 1 << FMT_IMAGE_FLOAT,
	.associations = 1 << 1,
	.is = is_exr,
	.open = open_exr,
	.read = read_exr,
	.free = free_exr,
	.encode = fmt_image_exr_write,
};
