/* SPDX-License-Identifier: BSD-2-Clause */
/* The JPEGs that we write are libjpeg's, byte for byte. */
#include "plugins/formats/image.h"
#include "plugins/formats/jpeg_make.h"
#include "plugins/formats/jpeg_put.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <jpeglib.h>

static uint32_t
draw(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

struct file {
	unsigned char *bytes;
	unsigned long length;
};

struct page {
	struct fmt_image_page page;
	uint8_t *pixels;
};

/* Noise, what is even, black beside white; the fourth channel is not to be looked at. */
static void
paint(struct page *page, uint32_t width, uint32_t height, unsigned quality)
{
	uint64_t seed = width * 1000 + height;
	page->pixels = malloc((size_t)width * height * 4);
	assert_non_null(page->pixels);
	for (size_t i = 0; i < (size_t)width * height * 4; i++) {
		const size_t x = i / 4 % width, y = i / 4 / width;
		page->pixels[i] =
			(uint8_t)((x / 16 + y / 16) % 3 == 0   ? draw(&seed)
				  : (x / 16 + y / 16) % 3 == 1 ? (x / 3 + y / 2) % 2 * 255
							       : 50 * (i % 4));
	}
	page->page = (struct fmt_image_page){.pixels = page->pixels,
		.stride = 4 * (size_t)width,
		.width = width,
		.height = height,
		.type = FMT_IMAGE_U8,
		.channels = 3,
		.quality = quality};
}

static void
write_by_libjpeg(const struct fmt_image_page *page, struct file *to)
{
	struct jpeg_compress_struct jpeg;
	struct jpeg_error_mgr manager;
	jpeg.err = jpeg_std_error(&manager);
	jpeg_create_compress(&jpeg);
	to->bytes = NULL;
	jpeg_mem_dest(&jpeg, &to->bytes, &to->length);
	jpeg.image_width = page->width;
	jpeg.image_height = page->height;
	jpeg.input_components = 4;
	jpeg.in_color_space = JCS_EXT_RGBX;
	jpeg_set_defaults(&jpeg);
	jpeg_set_quality(&jpeg, (int)page->quality, TRUE);
	jpeg_start_compress(&jpeg, TRUE);
	while (jpeg.next_scanline < page->height) {
		JSAMPROW row = (uint8_t *)(uintptr_t)page->pixels +
			       jpeg.next_scanline * page->stride;
		jpeg_write_scanlines(&jpeg, &row, 1);
	}
	jpeg_finish_compress(&jpeg);
	jpeg_destroy_compress(&jpeg);
}

/* By one writer after others, in stripes of rows. */
static void
expect_libjpegs(struct fmt_image_writer *writer, const struct page *page)
{
	struct file wanted;
	struct fmt_err err = {0};
	const void *made;
	size_t length;
	write_by_libjpeg(&page->page, &wanted);
	assert_int_equal(fmt_image_writer_begin(writer, &page->page, &err), 0);
	for (uint32_t row = 0; row < page->page.height; row += 7) {
		const uint32_t left = page->page.height - row;
		const struct fmt_image_stripe stripe = {
			page->pixels + row * page->page.stride, page->page.stride,
			left < 7 ? left : 7};
		assert_int_equal(fmt_image_writer_rows(writer, &stripe, &err), 0);
	}
	assert_int_equal(fmt_image_writer_end(writer, &made, &length, &err), 0);
	assert_int_equal(length, wanted.length);
	assert_memory_equal(made, wanted.bytes, length);
	free(wanted.bytes);
}

static void
test_files_are_libjpegs(void **state)
{
	static const unsigned qualities[] = {95, 1, 50, 100, 80};
	struct fmt_image_writer *writer = fmt_image_writer_new(FMT_IMAGE_JPEG);
	(void)state;
	assert_non_null(writer);
	for (uint32_t i = 1; i <= 70; i++)
		for (uint32_t k = 0; k < 5; k++) {
			struct page page;
			paint(&page, i, 1 + (i * 7 + k * 13) % 50, qualities[k]);
			expect_libjpegs(writer, &page);
			free(page.pixels);
		}
	fmt_image_writer_free(writer);
}

enum { SAMPLES = 400 };

static void
try_make(const struct fmt_jpeg_make *ops, uint64_t *seed, uint32_t count)
{
	const struct fmt_jpeg_make *const both[] = {&fmt_jpeg_make_c, ops};
	uint8_t pixels[4 * SAMPLES];
	uint8_t planes[2][3][2 * SAMPLES], means[2][SAMPLES + FMT_JPEG_MAKE_SLACK];
	for (size_t i = 0; i < sizeof pixels; i++)
		pixels[i] = (uint8_t)(draw(seed) % 4 == 0 ? draw(seed) % 2 * 255
							  : draw(seed));
	memset(planes, 0xa5, sizeof planes);
	memset(means, 0xa5, sizeof means);
	for (int i = 0; i < 2; i++) {
		uint8_t(*of)[2 * SAMPLES] = planes[i];
		both[i]->color(pixels, count, of[0], of[1], of[2]);
		both[i]->halve((const uint8_t *const[]){of[0], of[1]},
			(const uint8_t *const[]){of[1], of[2]}, count / 16, means[i]);
		assert_memory_equal(of, planes[0], 3 * sizeof of[0] / 2);
		assert_memory_equal(means[i], means[0], count / 16 * 16);
	}
}

static void
try_transform(const struct fmt_jpeg_make *ops, uint64_t *seed, int round)
{
	const struct fmt_jpeg_make *const both[] = {&fmt_jpeg_make_c, ops};
	_Alignas(32) int16_t blocks[2][2][64];
	_Alignas(64) uint32_t items[2][64];
	struct fmt_jpeg_divisors by;
	uint16_t quantum[64];
	uint8_t samples[8 * 40];
	for (int i = 0; i < 64; i++)
		quantum[i] = (uint16_t)(round % 2 == 0 ? 1 : draw(seed) % 255 + 1);
	fmt_jpeg_make_divisors(quantum, &by);
	for (size_t i = 0; i < sizeof samples; i++)
		samples[i] = (uint8_t)(round % 3 == 0	? draw(seed)
				       : round % 3 == 1 ? draw(seed) % 2 * 255
							: i / 4 % 2 * 255);
	for (int i = 0; i < 2; i++) {
		both[i]->transform(samples, 40, &by, blocks[i][0]);
		const uint64_t set = both[i]->order(blocks[0][round % 2], items[i]);
		assert_true(set == fmt_jpeg_make_c.order(blocks[0][round % 2], items[0]));
	}
	assert_memory_equal(blocks[1], blocks[0], sizeof blocks[0]);
	assert_memory_equal(items[1], items[0], sizeof items[0]);
}

static void
test_variants_agree(void **state)
{
	const struct fmt_jpeg_make *ops;
	(void)state;
	for (unsigned number = 0; (ops = fmt_jpeg_make_variant(number)) != NULL;
		number++) {
		uint64_t seed = 11;
		print_message("%s\n", ops->name);
		for (int round = 0; round < 3000; round++)
			try_transform(ops, &seed, round);
		for (uint32_t count = 1; count <= SAMPLES; count++)
			try_make(ops, &seed, count);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_are_libjpegs),
		cmocka_unit_test(test_variants_agree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
