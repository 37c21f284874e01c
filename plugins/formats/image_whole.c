/* SPDX-License-Identifier: BSD-2-Clause */
/* A writer for formats that are encoded as a whole: it gathers the rows. */
#include "plugins/formats/image_codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct writer {
	struct fmt_image_writer base;
	const struct fmt_image_codec *codec;
	char *pixels;
	size_t room;
	uint32_t row;
	void *bytes; /* of the picture that was ended last */
};

static int
begin(struct fmt_image_writer *writer, struct fmt_err *err)
{
	struct writer *w = (struct writer *)writer;
	struct fmt_image_page *page = &writer->page;
	page->stride = page->width * fmt_image_pixel(page->type);
	const size_t wanted = page->stride * page->height;
	if (w->room < wanted) {
		free(w->pixels);
		w->pixels = malloc(wanted);
		w->room = w->pixels != NULL ? wanted : 0;
	}
	w->row = 0;
	page->pixels = w->pixels;
	return w->pixels != NULL
		       ? 0
		       : fmt_err_set(err, -ENOMEM, "no memory for %u x %u pixels",
				 page->width, page->height);
}

static int
rows(struct fmt_image_writer *writer, const struct fmt_image_stripe *stripe,
	struct fmt_err *err)
{
	struct writer *w = (struct writer *)writer;
	const size_t length = writer->page.stride;
	(void)err;
	for (uint32_t i = 0; i < stripe->count; i++, w->row++)
		memcpy(w->pixels + w->row * length,
			(const char *)stripe->pixels + i * stripe->stride, length);
	return 0;
}

static int
end(struct fmt_image_writer *writer, const void **bytes, size_t *length,
	struct fmt_err *err)
{
	struct writer *w = (struct writer *)writer;
	free(w->bytes);
	w->bytes = NULL;
	int rc = w->codec->encode(&writer->page, &w->bytes, length, err);
	*bytes = w->bytes;
	return rc;
}

static void
free_writer(struct fmt_image_writer *writer)
{
	struct writer *w = (struct writer *)writer;
	free(w->pixels);
	free(w->bytes);
	free(w);
}

static const struct fmt_image_writing whole = {
	.free = free_writer,
	.begin = begin,
	.rows = rows,
	.end = end,
};

struct fmt_image_writer *
fmt_image_whole_new(const struct fmt_image_codec *codec)
{
	struct writer *w = calloc(1, sizeof *w);
	if (w == NULL)
		return NULL;
	w->codec = codec;
	w->base.writing = &whole;
	return &w->base;
}
