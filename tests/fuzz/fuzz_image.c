/* SPDX-License-Identifier: BSD-2-Clause */
/* All codecs of image.h: opened, then a band in the middle and the whole read. */
#include "plugins/formats/image.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static const struct fmt_image_limits limits = {512, 512 * 256};

#ifdef KILN_PLANTED_BUG
/* Trusts that a picture ends with the bytes that its kind ends with. */
static uint32_t
careless(const uint8_t *data, size_t size)
{
	size_t at = 0;

	if (size < 4)
		return 0;
	while (data[at] != 'E' || data[at + 1] != 'N' || data[at + 2] != 'D')
		at++;
	return (uint32_t)at;
}
#endif

/* What image.h promises of a picture that was opened. */
static void
check(const struct fmt_image_info *info)
{
	if (info->width == 0 || info->height == 0 || info->width > limits.side ||
		info->height > limits.side || info->channels < 1 || info->channels > 4 ||
		(info->half && info->type != FMT_IMAGE_FLOAT))
		abort();
}

/* Rows into a block of just their size, so that a sanitizer sees a byte more. */
static void
read_rows(const uint8_t *data, size_t size, int whole)
{
	struct fmt_image *image = NULL;
	struct fmt_err err = {0};
	if (fmt_image_open(data, size, &limits, &image, &err) < 0) {
		if (err.text[0] == '\0')
			abort();
		return;
	}
	const struct fmt_image_info *info = fmt_image_info(image);
	check(info);
	struct fmt_image_rows rows = {.first = whole ? 0 : info->height / 3,
		.count = whole ? info->height : (info->height + 2) / 3,
		.stride = info->width * fmt_image_pixel(info->type)};
	rows.to = malloc(rows.count * rows.stride);
	if (rows.to != NULL && fmt_image_read(image, &rows, &err) < 0 &&
		err.text[0] == '\0')
		abort();
	free(rows.to);
	fmt_image_free(image);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_rows(data, size, 0);
	read_rows(data, size, 1);
#ifdef KILN_PLANTED_BUG
	static volatile uint32_t sink;
	sink += careless(data, size);
	(void)sink;
#endif
	return 0;
}
