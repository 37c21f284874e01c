/* SPDX-License-Identifier: BSD-2-Clause */
/* OpenEXR, written by its C core: lines, half or float, packed by ZIP. */
#include "plugins/formats/image_codec.h"

#include <OpenEXR/openexr.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* zlib's: more takes much longer for a few per cent. */
#define LEVEL 3

struct sink {
	uint8_t *bytes;
	size_t length, room;
};

static int64_t
write_bytes(exr_const_context_t exr, void *context, const void *from, uint64_t length,
	uint64_t offset, exr_stream_error_func_ptr_t report)
{
	struct sink *sink = context;
	const size_t past = offset + length;
	if (past > sink->room) {
		const size_t room = past + past / 2 + 4096;
		uint8_t *grown = realloc(sink->bytes, room);
		if (grown == NULL) {
			report(exr, EXR_ERR_OUT_OF_MEMORY, "no memory for the file");
			return -1;
		}
		sink->bytes = grown;
		sink->room = room;
	}
	/* Offsets of chunks are written last, into a gap. */
	if (offset > sink->length)
		memset(sink->bytes + sink->length, 0, offset - sink->length);
	memcpy(sink->bytes + offset, from, length);
	if (past > sink->length)
		sink->length = past;
	return (int64_t)length;
}

/* What went wrong is told by the code. */
static void
be_silent(exr_const_context_t exr, exr_result_t code, const char *text)
{
	(void)exr;
	(void)code;
	(void)text;
}

/* Channels as the page has them: what is one byte after the other there. */
static const char *const *
names_of(const struct fmt_image_page *page)
{
	static const char *const grey[] = {"Y"}, *const colour[] = {"R", "G", "B", "A"};
	return page->channels == 1 ? grey : colour;
}

static exr_result_t
put_xmp(exr_context_t exr, const struct fmt_image_blob *xmp)
{
	char *text = strndup((const char *)xmp->bytes, xmp->length);
	if (text == NULL)
		return EXR_ERR_OUT_OF_MEMORY;
	exr_result_t code = exr_attr_set_string(exr, 0, "xmp", text);
	free(text);
	return code;
}

static exr_result_t
put_head(exr_context_t exr, const struct fmt_image_page *page)
{
	int part;
	exr_result_t code = exr_add_part(exr, "view", EXR_STORAGE_SCANLINE, &part);
	if (code == EXR_ERR_SUCCESS)
		code = exr_initialize_required_attr_simple(exr, part,
			(int32_t)page->width, (int32_t)page->height, EXR_COMPRESSION_ZIP);
	for (unsigned i = 0; code == EXR_ERR_SUCCESS && i < page->channels; i++)
		code = exr_add_channel(exr, part, names_of(page)[i],
			page->half ? EXR_PIXEL_HALF : EXR_PIXEL_FLOAT,
			EXR_PERCEPTUALLY_LOGARITHMIC, 1, 1);
	if (code == EXR_ERR_SUCCESS && page->extras.xmp.bytes != NULL)
		code = put_xmp(exr, &page->extras.xmp);
	return code == EXR_ERR_SUCCESS ? exr_write_header(exr) : code;
}

/* Tells the pipeline where each channel is, from some row on. */
static void
point(const struct fmt_image_page *page, exr_encode_pipeline_t *pipeline, uint32_t row)
{
	const char *from = (const char *)page->pixels + row * page->stride;
	for (int16_t i = 0; i < pipeline->channel_count; i++) {
		exr_coding_channel_info_t *channel = &pipeline->channels[i];
		unsigned at = 0;
		while (strcmp(channel->channel_name, names_of(page)[at]) != 0)
			at++; /* there is no other */
		channel->encode_from_ptr = (const uint8_t *)from + at * sizeof(float);
		channel->user_data_type = EXR_PIXEL_FLOAT;
		channel->user_bytes_per_element = sizeof(float);
		channel->user_pixel_stride = FMT_IMAGE_CHANNELS * sizeof(float);
		channel->user_line_stride = (int32_t)page->stride;
	}
}

static exr_result_t
put_pixels(exr_context_t exr, const struct fmt_image_page *page)
{
	exr_encode_pipeline_t pipeline = EXR_ENCODE_PIPELINE_INITIALIZER;
	int32_t rows = 0;
	exr_result_t code = exr_get_scanlines_per_chunk(exr, 0, &rows);
	for (uint32_t row = 0; code == EXR_ERR_SUCCESS && row < page->height;
		row += (uint32_t)rows) {
		exr_chunk_info_t chunk;
		code = exr_write_scanline_chunk_info(exr, 0, (int)row, &chunk);
		if (code == EXR_ERR_SUCCESS)
			code = row == 0 ? exr_encoding_initialize(
						  exr, 0, &chunk, &pipeline)
					: exr_encoding_update(exr, 0, &chunk, &pipeline);
		if (code != EXR_ERR_SUCCESS)
			break;
		point(page, &pipeline, row);
		if (row == 0)
			code = exr_encoding_choose_default_routines(exr, 0, &pipeline);
		if (code == EXR_ERR_SUCCESS)
			code = exr_encoding_run(exr, 0, &pipeline);
	}
	exr_encoding_destroy(exr, &pipeline);
	return code;
}

int
fmt_image_exr_write(const struct fmt_image_page *page, void **bytes, size_t *length,
	struct fmt_err *err)
{
	exr_context_initializer_t initial = EXR_DEFAULT_CONTEXT_INITIALIZER;
	struct sink sink = {0};
	exr_context_t exr = NULL;
	initial.error_handler_fn = be_silent;
	initial.user_data = &sink;
	initial.write_fn = write_bytes;
	initial.zip_level = LEVEL;
	exr_result_t code =
		exr_start_write(&exr, "picture", EXR_WRITE_FILE_DIRECTLY, &initial);
	if (code == EXR_ERR_SUCCESS)
		code = put_head(exr, page);
	if (code == EXR_ERR_SUCCESS)
		code = put_pixels(exr, page);
	/* Writes where the chunks are. */
	const exr_result_t finished = exr_finish(&exr);
	if (code == EXR_ERR_SUCCESS)
		code = finished;
	if (code != EXR_ERR_SUCCESS) {
		free(sink.bytes);
		return fmt_err_set(err, code == EXR_ERR_OUT_OF_MEMORY ? -ENOMEM : -EIO,
			"%u x %u pixels cannot be encoded as OpenEXR (%s)", page->width,
			page->height, exr_get_default_error_message(code));
	}
	*bytes = sink.bytes;
	*length = sink.length;
	return 0;
}
