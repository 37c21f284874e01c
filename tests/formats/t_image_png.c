/* SPDX-License-Identifier: BSD-2-Clause */
/* What our PNG writer writes, libspng reads: the same pixels.  And its variants agree. */
#include "plugins/formats/image.h"
#include "plugins/formats/png_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct fmt_image_limits limits = {100000, 1u << 24};

static uint32_t
draw(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

enum content { FLAT, NOISE, SMOOTH, STRIPES, CONTENTS };

/* Four samples a pixel; what is not written has the value that reading it gives. */
static uint16_t *
paint(enum content content, uint32_t width, uint32_t height, const unsigned of[2])
{
	const unsigned channels = of[0], most = of[1];
	uint16_t *samples = malloc((size_t)width * height * 4 * sizeof *samples);
	uint64_t seed = content + 1;
	assert_non_null(samples);
	for (size_t i = 0; i < (size_t)width * height; i++) {
		uint16_t *pixel = samples + 4 * i;
		for (unsigned c = 0; c < 4; c++)
			pixel[c] = (uint16_t)(content == FLAT	 ? 77 * (c + 1)
					      : content == NOISE ? draw(&seed) & most
					      : content == SMOOTH
						      ? (i % width + 3 * c) & most
					      : i / 7 % 2 ? most
							  : draw(&seed) % 3);
		if (channels == 1)
			pixel[1] = pixel[2] = pixel[0];
		if (channels < 4)
			pixel[3] = (uint16_t)most;
	}
	return samples;
}

static void
expect_read(const void *bytes, size_t length, const void *pixels, size_t stride,
	uint32_t height)
{
	struct fmt_err err;
	struct fmt_image *image;
	assert_int_equal(fmt_image_open(bytes, length, &limits, &image, &err), 0);
	char *back = malloc(stride * height);
	const struct fmt_image_rows rows = {0, height, back, stride};
	assert_int_equal(fmt_image_info(image)->height, height);
	assert_int_equal(fmt_image_read(image, &rows, &err), 0);
	assert_memory_equal(back, pixels, stride * height);
	free(back);
	fmt_image_free(image);
}

/* Whole, and by one writer in stripes of rows. */
static void
try_page(struct fmt_image_writer *writer, const struct fmt_image_page *page)
{
	struct fmt_err err;
	void *bytes;
	const void *made;
	size_t length, again;
	assert_int_equal(fmt_image_encode(FMT_IMAGE_PNG, page, &bytes, &length, &err), 0);
	expect_read(bytes, length, page->pixels, page->stride, page->height);
	assert_int_equal(fmt_image_writer_begin(writer, page, &err), 0);
	for (uint32_t row = 0; row < page->height; row += 5) {
		const struct fmt_image_stripe stripe = {
			(const char *)page->pixels + row * page->stride, page->stride,
			page->height - row < 5 ? page->height - row : 5};
		assert_int_equal(fmt_image_writer_rows(writer, &stripe, &err), 0);
	}
	assert_int_equal(fmt_image_writer_end(writer, &made, &again, &err), 0);
	assert_int_equal(again, length);
	assert_memory_equal(made, bytes, length);
	free(bytes);
}

static void
is_read_as_it_was(void **state)
{
	static const uint32_t sizes[][2] = {
		{1, 1}, {1, 300}, {5000, 1}, {7, 9}, {33, 17}, {640, 130}};
	static const unsigned channels[] = {1, 3, 4};
	struct fmt_image_writer *writer = fmt_image_writer_new(FMT_IMAGE_PNG);
	(void)state;
	for (unsigned k = 0; k < 6 * 3 * CONTENTS * 2; k++) {
		const uint32_t *size = sizes[k % 6];
		const int deep = k / 6 % 2;
		const unsigned of[] = {channels[k / 12 % 3], deep ? 65535 : 255};
		uint16_t *samples = paint((enum content)(k / 36), size[0], size[1], of);
		struct fmt_image_page page = {.pixels = samples,
			.stride = size[0] * (deep ? 8 : 4),
			.width = size[0],
			.height = size[1],
			.type = deep ? FMT_IMAGE_U16 : FMT_IMAGE_U8,
			.channels = of[0]};
		uint8_t *narrow = (uint8_t *)samples;
		for (size_t i = 0; !deep && i < (size_t)size[0] * size[1] * 4; i++)
			narrow[i] = (uint8_t)samples[i];
		try_page(writer, &page);
		free(samples);
	}
	fmt_image_writer_free(writer);
}

/* What is flat costs next to nothing, and noise no more than it is. */
static void
is_as_small_as_it_should_be(void **state)
{
	struct fmt_err err;
	(void)state;
	for (enum content content = FLAT; content <= NOISE; content++) {
		const unsigned of[] = {4, 255};
		uint16_t *pixels = paint(content, 512, 512, of);
		const struct fmt_image_page page = {.pixels = pixels,
			.stride = 2048,
			.width = 512,
			.height = 512,
			.type = FMT_IMAGE_U8,
			.channels = 4};
		const size_t raw = 512 * 2048;
		void *bytes;
		size_t length;
		uint64_t seed = 3;
		for (size_t i = 0; i < raw; i++)
			((uint8_t *)pixels)[i] =
				content == FLAT ? 9 : (uint8_t)draw(&seed);
		assert_int_equal(
			fmt_image_encode(FMT_IMAGE_PNG, &page, &bytes, &length, &err), 0);
		assert_true(length < (content == FLAT ? raw / 80 : raw + raw / 500));
		free(bytes);
		free(pixels);
	}
}

enum { WIDTH = 1031, ROW = WIDTH * 8 + FMT_PNG_ROWS_BEFORE + FMT_PNG_ROWS_SLACK };

static void
try_rows(const struct fmt_png_rows *ops, uint64_t *seed, unsigned few)
{
	static uint8_t rows[2][ROW], wanted[ROW], got[ROW], pixels[WIDTH * 4];
	const struct fmt_png_rows *c = &fmt_png_rows_c;
	for (unsigned i = 0; i < ROW; i++)
		for (unsigned row = 0; row < 2; row++)
			rows[row][i] = (uint8_t)(i < FMT_PNG_ROWS_BEFORE ? 0
						 : few ? draw(seed) % few * 127
						       : draw(seed));
	for (unsigned i = 0; i < sizeof pixels; i++)
		pixels[i] = (uint8_t)draw(seed);
	for (uint32_t width = 1; width <= WIDTH; width += width < 70 ? 1 : 137) {
		for (unsigned step = 1; step <= 8; step++) {
			const uint8_t *now = rows[0] + FMT_PNG_ROWS_BEFORE;
			const uint8_t *above = rows[1] + FMT_PNG_ROWS_BEFORE;
			c->paeth(now, above, width * (size_t)step, step, wanted);
			ops->paeth(now, above, width * (size_t)step, step, got);
			assert_memory_equal(got, wanted, width * (size_t)step);
		}
		c->pack_rgb(pixels, width, wanted);
		ops->pack_rgb(pixels, width, got);
		assert_memory_equal(got, wanted, width * 3);
	}
}

static void
variants_agree(void **state)
{
	const struct fmt_png_rows *ops;
	uint64_t seed = 5;
	(void)state;
	for (unsigned i = 0; (ops = fmt_png_rows_variant(i)) != NULL; i++)
		for (unsigned round = 0; round < 30; round++)
			try_rows(ops, &seed, round % 3 == 0 ? 0 : 1 + round % 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_read_as_it_was),
		cmocka_unit_test(is_as_small_as_it_should_be),
		cmocka_unit_test(variants_agree),
	};
	return cmocka_run_group_tests_name("image_png", tests, NULL, NULL);
}
