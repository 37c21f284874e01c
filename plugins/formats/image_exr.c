/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenEXR, read by its C core: the first part, half or float, R G B or Y, with A or
 * without, in lines or in tiles (the finest level).  The picture is the display window;
 * what the data window does not reach of it is black, and transparent where there is an A.
 * Only chunks that hold wanted rows are unpacked.  A picture's XMP is looked for in the
 * text attribute "xmp".
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
	exr_attr_box2i_t data;		    /* window of the pixels */
	int64_t left, top;		    /* of it, from the picture's corner */
	uint32_t data_width, data_height;   /* its size */
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
	if (code == EXR_ERR_FEATURE_NOT_IMPLEMENTED)
		return fmt_err_set(err, -ENOTSUP,
			"the OpenEXR is packed in a way that this machine's OpenEXR "
			"cannot unpack (%s); save it with ZIP or PIZ",
			decoder->text);
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

/* B44 is for halves and leaves other channels as they are.  The C core mixes them up, up
 * to 3.1.5 at least, in what it writes and in what it reads. */
static int
is_packed_wrongly(const struct decoder *decoder, const exr_attr_chlist_t *list)
{
	exr_compression_t packing = EXR_COMPRESSION_NONE;
	if (exr_get_compression(decoder->exr, 0, &packing) != EXR_ERR_SUCCESS ||
		(packing != EXR_COMPRESSION_B44 && packing != EXR_COMPRESSION_B44A))
		return 0;
	for (int i = 0; i < list->num_channels; i++)
		if (list->entries[i].pixel_type != EXR_PIXEL_HALF)
			return 1;
	return 0;
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
	if (is_packed_wrongly(decoder, list))
		return fmt_err_set(err, -ENOTSUP,
			"the OpenEXR has floats packed by B44, which OpenEXR's C core "
			"does not unpack right; save it as half, or with ZIP or PIZ");
	info->type = FMT_IMAGE_FLOAT;
	info->half = !floats;
	info->associated = 1;
	return 0;
}

/* 0 x 0 where there is nothing in the box, which fmt_image_open() refuses. */
static void
size_of_box(const exr_attr_box2i_t *box, uint32_t *width, uint32_t *height)
{
	const int is_box = box->max.x >= box->min.x && box->max.y >= box->min.y;
	*width = is_box ? (uint32_t)box->max.x - (uint32_t)box->min.x + 1 : 0;
	*height = is_box ? (uint32_t)box->max.y - (uint32_t)box->min.y + 1 : 0;
}

static int
read_windows(struct decoder *decoder, struct fmt_err *err)
{
	exr_attr_box2i_t display;
	exr_result_t code = exr_get_data_window(decoder->exr, 0, &decoder->data);
	if (code == EXR_ERR_SUCCESS)
		code = exr_get_display_window(decoder->exr, 0, &display);
	if (code != EXR_ERR_SUCCESS)
		return fail(decoder, code, "windows are", err);
	size_of_box(&decoder->data, &decoder->data_width, &decoder->data_height);
	size_of_box(&display, &decoder->image.info.width, &decoder->image.info.height);
	decoder->left = (int64_t)decoder->data.min.x - display.min.x;
	decoder->top = (int64_t)decoder->data.min.y - display.min.y;
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
		decoder->chunk_width = decoder->data_width;
		decoder->chunk_height = (uint32_t)rows;
	}
	/* As the file has it, and as we do. */
	decoder->image.info.scratch =
		(uint64_t)2 * decoder->chunk_width * decoder->chunk_height * PIXEL;
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
	int64_t x, y;  /* where it lies in the data window */
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

/* A row's pixels into the picture, of which they are the ones from a column on that may
 * lie before it. */
static void
put_row(const struct fmt_image_info *info, const float *from, int64_t column, float *to,
	int64_t count)
{
	const int64_t first = column < 0 ? -column : 0;
	const int64_t room = (int64_t)info->width - column;
	count = count < room ? count : room;
	if (first >= count)
		return;
	to += 4 * (column + first);
	count -= first;
	memcpy(to, from + 4 * first, (size_t)count * PIXEL);
	for (int64_t k = 0; k < 4 * count; k += 4) {
		if (info->channels <= 2)
			to[k + 1] = to[k + 2] = to[k];
		if (info->channels % 2 == 1)
			to[k + 3] = 1;
	}
}

/* The wanted part of a chunk, which has so many rows, into the picture. */
static void
put_chunk(const struct decoder *decoder, const struct chunk *chunk,
	const struct fmt_image_rows *rows, uint32_t row_count)
{
	const int64_t left = decoder->data_width - chunk->x;
	const int64_t count = decoder->chunk_width < left ? decoder->chunk_width : left;
	for (uint32_t i = 0; i < row_count; i++) {
		const int64_t row = decoder->top + chunk->y + i - rows->first;
		if (row < 0 || row >= rows->count)
			continue;
		put_row(&decoder->image.info,
			chunk->pixels + (size_t)4 * i * decoder->chunk_width,
			decoder->left + chunk->x,
			(float *)(void *)((char *)rows->to + (size_t)row * rows->stride),
			count);
	}
}

static exr_result_t
read_line(struct decoder *decoder, const struct fmt_image_rows *rows, struct chunk *chunk)
{
	exr_chunk_info_t info;
	exr_result_t code = exr_read_scanline_chunk_info(
		decoder->exr, 0, (int)(decoder->data.min.y + chunk->y), &info);
	if (code == EXR_ERR_SUCCESS)
		code = unpack(decoder, chunk, &info);
	if (code == EXR_ERR_SUCCESS)
		put_chunk(decoder, chunk, rows, (uint32_t)info.height);
	return code;
}

static exr_result_t
read_tiles(
	struct decoder *decoder, const struct fmt_image_rows *rows, struct chunk *chunk)
{
	exr_result_t code = EXR_ERR_SUCCESS;
	for (chunk->x = 0; code == EXR_ERR_SUCCESS && chunk->x < decoder->data_width;
		chunk->x += decoder->chunk_width) {
		exr_chunk_info_t info;
		code = exr_read_tile_chunk_info(decoder->exr, 0,
			(int)(chunk->x / decoder->chunk_width),
			(int)(chunk->y / decoder->chunk_height), 0, 0, &info);
		if (code == EXR_ERR_SUCCESS)
			code = unpack(decoder, chunk, &info);
		if (code == EXR_ERR_SUCCESS)
			put_chunk(decoder, chunk, rows, (uint32_t)info.height);
	}
	return code;
}

/* Chunks that hold wanted rows of the data window, from top to bottom. */
static exr_result_t
read_chunk_rows(
	struct decoder *decoder, const struct fmt_image_rows *rows, struct chunk *chunk)
{
	const int64_t above = (int64_t)rows->first - decoder->top;
	const int64_t below = above + rows->count;
	const int64_t first = above > 0 ? above : 0;
	const int64_t past =
		below < decoder->data_height ? below : (int64_t)decoder->data_height;
	exr_result_t code = EXR_ERR_SUCCESS;
	if (first >= past)
		return code;
	chunk->y = first - first % decoder->chunk_height;
	for (; code == EXR_ERR_SUCCESS && chunk->y < past;
		chunk->y += decoder->chunk_height)
		code = decoder->storage == EXR_STORAGE_TILED
			       ? read_tiles(decoder, rows, chunk)
			       : read_line(decoder, rows, chunk);
	return code;
}

/* Black where the data window does not cover the rows. */
static void
clear_rows(const struct decoder *decoder, const struct fmt_image_rows *rows)
{
	const struct fmt_image_info *info = &decoder->image.info;
	if (decoder->left <= 0 && decoder->top <= 0 &&
		decoder->left + decoder->data_width >= info->width &&
		decoder->top + decoder->data_height >= info->height)
		return;
	for (uint32_t row = 0; row < rows->count; row++) {
		float *to = (float *)(void *)((char *)rows->to + row * rows->stride);
		memset(to, 0, (size_t)info->width * PIXEL);
		for (size_t k = 3; info->channels % 2 == 1 && k < (size_t)4 * info->width;
			k += 4)
			to[k] = 1;
	}
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
	clear_rows(decoder, rows);
	exr_result_t code = read_chunk_rows(decoder, rows, &chunk);
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
