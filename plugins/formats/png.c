/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/png.h"

#include <errno.h>
#include <spng.h>
#include <string.h>
#include <unistd.h>

struct sink {
	int fd;
	int code; /* the errno that stopped us */
};

static int
write_some(spng_ctx *context, void *user, void *data, size_t length)
{
	struct sink *sink = user;
	const uint8_t *p = data;

	(void)context;
	while (length > 0) {
		ssize_t n = write(sink->fd, p, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			sink->code = n < 0 ? errno : EIO;
			return SPNG_IO_ERROR;
		}
		p += n;
		length -= (size_t)n;
	}
	return 0;
}

/* Row by row, for rows may be apart in memory. */
static int
encode(spng_ctx *context, const struct fmt_png *png)
{
	const size_t row = (size_t)png->width * png->channels;

	int rc = spng_encode_image(context, NULL, 0, SPNG_FMT_PNG,
		SPNG_ENCODE_PROGRESSIVE | SPNG_ENCODE_FINALIZE);
	for (uint32_t y = 0; rc == 0 && y < png->height; y++)
		rc = spng_encode_row(context, png->pixels + y * png->stride, row);
	return rc == SPNG_EOI ? 0 : rc;
}

int
fmt_png_write(int fd, const struct fmt_png *png, struct fmt_err *err)
{
	struct sink sink = {.fd = fd};
	struct spng_ihdr header = {
		.width = png->width,
		.height = png->height,
		.bit_depth = 8,
		.color_type = png->channels == 4 ? SPNG_COLOR_TYPE_TRUECOLOR_ALPHA
						 : SPNG_COLOR_TYPE_TRUECOLOR,
	};

	if (png->width == 0 || png->height == 0 ||
		(png->channels != 3 && png->channels != 4))
		return fmt_err_set(err, -EINVAL, "no PNG can be %u x %u with %u channels",
			png->width, png->height, png->channels);
	spng_ctx *context = spng_ctx_new(SPNG_CTX_ENCODER);
	if (context == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for a PNG encoder");
	int rc = spng_set_png_stream(context, write_some, &sink);
	if (rc == 0)
		rc = spng_set_ihdr(context, &header);
	if (rc == 0)
		rc = encode(context, png);
	spng_ctx_free(context);
	if (rc == 0)
		return 0;
	int code = sink.code != 0 ? sink.code : rc == SPNG_EMEM ? ENOMEM : EIO;
	return fmt_err_set(err, -code, "cannot write the PNG (%s)",
		sink.code != 0 ? strerror(sink.code) : spng_strerror(rc));
}
