/* SPDX-License-Identifier: BSD-2-Clause */
/* Our rows of JPEGs are libjpeg's, and what is broken is told from what is not. */
#include "plugins/formats/jpeg_band.h"
#include "plugins/formats/jpeg_rows.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static uint32_t
draw(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

/* No head, which libjpeg reads, is longer. */
#define HEAD 720

struct kind {
	const char *name;
	uint32_t width, height;
	int across, down; /* luma's sampling factors; 0: grey */
	unsigned interval;
	int quality, optimize, progressive, apart; /* apart: a scan for each channel */
	int ours;
};

static const struct kind kinds[] = {
	{"halved both ways", 150, 77, 2, 2, 0, 95, 0, 0, 0, 1},
	{"whole units", 64, 64, 2, 2, 0, 80, 0, 0, 0, 1},
	{"one row", 99, 1, 2, 2, 0, 95, 0, 0, 0, 1},
	{"coarse", 200, 50, 2, 2, 0, 5, 0, 0, 0, 1},
	{"finest, own codes", 130, 66, 2, 2, 0, 100, 1, 0, 0, 1},
	{"restarts", 150, 77, 2, 2, 7, 95, 0, 0, 0, 1},
	{"restarts in every unit", 47, 33, 2, 2, 1, 95, 0, 0, 0, 1},
	{"halved across", 151, 77, 2, 1, 0, 95, 0, 0, 0, 1},
	{"not halved", 151, 77, 1, 1, 3, 95, 1, 0, 0, 1},
	/* Enough for what is passed over to be prepared for. */
	{"many units", 250, 290, 1, 1, 0, 97, 0, 0, 0, 1},
	{"many units, own codes", 200, 700, 2, 2, 40, 90, 1, 0, 0, 1},
	{"grey", 151, 77, 0, 0, 5, 95, 0, 0, 0, 1},
	{"narrow", 16, 40, 2, 2, 0, 95, 0, 0, 0, 0},
	{"halved down", 150, 77, 1, 2, 0, 95, 0, 0, 0, 0},
	{"progressive", 150, 77, 2, 2, 0, 95, 0, 1, 0, 0},
	{"scans apart", 150, 77, 2, 2, 0, 95, 0, 0, 1, 0},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

struct picture {
	unsigned char *bytes;
	unsigned long length;
	uint8_t *pixels; /* as libjpeg reads them, four channels */
	size_t stride;
};

static void
encode(const struct kind *kind, struct picture *picture)
{
	static const jpeg_scan_info apart[] = {
		{1, {0}, 0, 63, 0, 0}, {1, {1}, 0, 63, 0, 0}, {1, {2}, 0, 63, 0, 0}};
	struct jpeg_compress_struct jpeg;
	struct jpeg_error_mgr manager;
	uint64_t seed = kind->width + kind->interval;
	uint8_t row[3 * 256];
	JSAMPROW rows[] = {row};
	jpeg.err = jpeg_std_error(&manager);
	jpeg_create_compress(&jpeg);
	picture->bytes = NULL;
	jpeg_mem_dest(&jpeg, &picture->bytes, &picture->length);
	jpeg.image_width = kind->width;
	jpeg.image_height = kind->height;
	jpeg.input_components = 3;
	jpeg.in_color_space = JCS_RGB;
	jpeg_set_defaults(&jpeg);
	if (kind->across == 0)
		jpeg_set_colorspace(&jpeg, JCS_GRAYSCALE);
	else {
		jpeg.comp_info[0].h_samp_factor = kind->across;
		jpeg.comp_info[0].v_samp_factor = kind->down;
	}
	jpeg_set_quality(&jpeg, kind->quality, TRUE);
	jpeg.optimize_coding = kind->optimize;
	jpeg.restart_interval = kind->interval;
	if (kind->progressive)
		jpeg_simple_progression(&jpeg);
	if (kind->apart) {
		jpeg.scan_info = apart;
		jpeg.num_scans = 3;
	}
	jpeg_start_compress(&jpeg, TRUE);
	while (jpeg.next_scanline < kind->height) {
		/* Noise beside edges beside what is even. */
		for (uint32_t i = 0; i < 3 * kind->width; i++)
			row[i] = (uint8_t)(i < kind->width	 ? draw(&seed)
					   : i < 2 * kind->width ? (i / 9 % 2) * 255
								 : 40 * (i % 3 + 1));
		jpeg_write_scanlines(&jpeg, rows, 1);
	}
	jpeg_finish_compress(&jpeg);
	jpeg_destroy_compress(&jpeg);
}

static void
decode(const struct kind *kind, struct picture *picture)
{
	struct jpeg_decompress_struct jpeg;
	struct jpeg_error_mgr manager;
	jpeg.err = jpeg_std_error(&manager);
	jpeg_create_decompress(&jpeg);
	jpeg_mem_src(&jpeg, picture->bytes, picture->length);
	jpeg_read_header(&jpeg, TRUE);
	jpeg.out_color_space = JCS_EXT_RGBA;
	jpeg_start_decompress(&jpeg);
	picture->stride = 4 * (size_t)kind->width;
	picture->pixels = malloc(picture->stride * kind->height);
	assert_non_null(picture->pixels);
	while (jpeg.output_scanline < kind->height) {
		JSAMPROW row = picture->pixels + jpeg.output_scanline * picture->stride;
		jpeg_read_scanlines(&jpeg, &row, 1);
	}
	jpeg_finish_decompress(&jpeg);
	jpeg_destroy_decompress(&jpeg);
}

static void
make(const struct kind *kind, struct picture *picture)
{
	encode(kind, picture);
	decode(kind, picture);
}

static void
discard(struct picture *picture)
{
	free(picture->bytes);
	free(picture->pixels);
}

/* Through our band alone: what it returned, or 1 where it would not. */
static int
read_ours(const struct picture *picture, const struct fmt_image_rows *rows)
{
	struct jpeg_decompress_struct jpeg;
	struct jpeg_error_mgr manager;
	struct fmt_jpeg_band *band;
	struct fmt_err err = {0};
	int rc = 1;
	jpeg.err = jpeg_std_error(&manager);
	jpeg_create_decompress(&jpeg);
	jpeg_mem_src(&jpeg, picture->bytes, picture->length);
	jpeg_read_header(&jpeg, TRUE);
	if (fmt_jpeg_band_new(&jpeg, &band)) {
		rc = fmt_jpeg_band_read(band, rows, &err);
		assert_true(rc == 0 || (rc == -EBADMSG && err.text[0] != '\0'));
		fmt_jpeg_band_free(band);
	}
	jpeg_destroy_decompress(&jpeg);
	return rc;
}

/* Every band of some heights; through image.h, too, whoever reads it there. */
static void
expect_rows(const struct kind *kind, const struct picture *picture, uint32_t first,
	uint32_t count)
{
	static const struct fmt_image_limits limits = {1000, 1000000};
	const size_t length = count * picture->stride;
	struct fmt_image *image;
	struct fmt_err err;
	uint8_t *got = malloc(length);
	const struct fmt_image_rows rows = {first, count, got, picture->stride};
	assert_non_null(got);
	if (kind->ours) {
		memset(got, 0xa5, length);
		assert_int_equal(read_ours(picture, &rows), 0);
		assert_memory_equal(
			got, picture->pixels + first * picture->stride, length);
	}
	memset(got, 0xa5, length);
	assert_int_equal(
		fmt_image_open(picture->bytes, picture->length, &limits, &image, &err),
		0);
	assert_int_equal(fmt_image_read(image, &rows, &err), 0);
	assert_memory_equal(got, picture->pixels + first * picture->stride, length);
	fmt_image_free(image);
	free(got);
}

static void
test_rows_are_libjpegs(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		const struct kind *kind = &kinds[i];
		struct picture picture;
		uint8_t row[4 * 256];
		print_message("%s\n", kind->name);
		make(kind, &picture);
		if (!kind->ours)
			assert_int_equal(read_ours(&picture, &(struct fmt_image_rows){0,
								     1, row, sizeof row}),
				1);
		expect_rows(kind, &picture, 0, kind->height);
		for (uint32_t first = 0; first < kind->height; first++) {
			expect_rows(kind, &picture, first, 1);
			expect_rows(
				kind, &picture, first, (kind->height - first + 1) / 2);
		}
		discard(&picture);
	}
}

/* Wherever a file is cut, its whole is not to be had. */
static void
test_cut_files_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		const struct kind *kind = &kinds[i];
		struct picture picture, cut;
		if (!kind->ours)
			continue;
		make(kind, &picture);
		uint8_t *got = malloc(picture.stride * kind->height);
		const struct fmt_image_rows rows = {0, kind->height, got, picture.stride};
		for (unsigned long gone = 1; gone + HEAD < picture.length;
			gone += 1 + gone / 10) {
			cut = picture;
			cut.length -= gone;
			/* Of its own size, so that what reads beyond is found out. */
			cut.bytes = malloc(cut.length);
			memcpy(cut.bytes, picture.bytes, cut.length);
			if (cut.bytes[cut.length - 1] != 0xff || gone == 1)
				assert_int_equal(read_ours(&cut, &rows), -EBADMSG);
			free(cut.bytes);
		}
		free(got);
		discard(&picture);
	}
}

/* As whoever reads pictures does, the head included. */
static int
read_all(const struct picture *picture, const struct fmt_image_rows *rows)
{
	const struct fmt_image_limits limits = {
		rows->count > 256 ? rows->count : 256, 1 << 16};
	struct fmt_image *image;
	struct fmt_err err = {0};
	int rc = fmt_image_open(picture->bytes, picture->length, &limits, &image, &err);
	if (rc < 0)
		return rc;
	const struct fmt_image_info *info = fmt_image_info(image);
	if (info->width * (size_t)4 <= rows->stride && info->height >= rows->count)
		rc = fmt_image_read(image, rows, &err);
	fmt_image_free(image);
	return rc;
}

/* Nothing may crash or hang; what comes of it is not told. */
static void
test_spoilt_files_are_survived(void **state)
{
	uint64_t seed = 1;
	unsigned refused = 0;
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		const struct kind *kind = &kinds[i];
		struct picture picture;
		if (!kind->ours)
			continue;
		make(kind, &picture);
		uint8_t *got = malloc(picture.stride * kind->height);
		const struct fmt_image_rows rows = {0, kind->height, got, picture.stride};
		for (int round = 0; round < 200; round++) {
			const unsigned long at =
				HEAD + draw(&seed) % (picture.length - HEAD);
			unsigned char was = picture.bytes[at];
			picture.bytes[at] = (unsigned char)draw(&seed);
			refused += read_ours(&picture, &rows) != 0;
			picture.bytes[at] = was;
			was = picture.bytes[at % HEAD];
			picture.bytes[at % HEAD] = (unsigned char)draw(&seed);
			refused += read_all(&picture, &rows) != 0;
			picture.bytes[at % HEAD] = was;
		}
		free(got);
		discard(&picture);
	}
	assert_true(refused > 0);
}

/* --- the variants ------------------------------------------------------------ */

enum { SAMPLES = 400 };

static void
try_idct(const struct fmt_jpeg_rows *ops, uint64_t *seed, int round)
{
	_Alignas(32) int16_t block[64], quantum[64];
	uint8_t wanted[8 * 24], got[8 * 24];
	for (int i = 0; i < 64; i++) {
		/* All bits; what encoders write; few. */
		block[i] = (int16_t)(draw(seed) >> (round % 3 == 0 ? 0 : 16));
		if (round % 3 != 0)
			block[i] = (int16_t)(block[i] % (round % 3 == 1 ? 64 : 2));
		quantum[i] = (int16_t)(round % 3 == 0 ? draw(seed) : draw(seed) % 16 + 1);
	}
	memset(wanted, 0xa5, sizeof wanted);
	memset(got, 0xa5, sizeof got);
	fmt_jpeg_rows_c.idct(block, quantum, wanted, 24);
	ops->idct(block, quantum, got, 24);
	assert_memory_equal(got, wanted, sizeof got);
}

static void
try_rows(const struct fmt_jpeg_rows *ops, uint64_t *seed, uint32_t count)
{
	static const uint16_t bias[2] = {8, 7};
	uint8_t in[3][SAMPLES + FMT_JPEG_ROWS_SLACK];
	uint16_t blends[2][SAMPLES + FMT_JPEG_ROWS_SLACK];
	uint8_t wide[2][2 * SAMPLES + FMT_JPEG_ROWS_SLACK];
	uint8_t pixels[2][4 * SAMPLES];
	const struct fmt_jpeg_rows *const both[] = {&fmt_jpeg_rows_c, ops};
	for (size_t i = 0; i < 3 * sizeof in[0]; i++)
		in[i % 3][i / 3] = (uint8_t)(draw(seed) % 4 == 0 ? draw(seed) % 2 * 255
								 : draw(seed));
	memset(pixels, 0xa5, sizeof pixels);
	for (int i = 0; i < 2; i++) {
		both[i]->blend(in[0], in[1], count, blends[i] + 1);
		blends[i][0] = blends[i][1];
		blends[i][count + 1] = blends[i][count];
		both[i]->spread(blends[i] + 1, count, bias, wide[i]);
		both[i]->color(in[0], in[1], in[2], count, pixels[i]);
	}
	assert_memory_equal(blends[1], blends[0], (count + 2) * sizeof blends[0][0]);
	assert_memory_equal(wide[1], wide[0], 2 * (size_t)count);
	assert_memory_equal(pixels[1], pixels[0], sizeof pixels[0]);
}

static void
test_variants_agree(void **state)
{
	const struct fmt_jpeg_rows *ops;
	(void)state;
	for (unsigned number = 0; (ops = fmt_jpeg_rows_variant(number)) != NULL;
		number++) {
		uint64_t seed = 7;
		print_message("%s\n", ops->name);
		for (int round = 0; round < 3000; round++)
			try_idct(ops, &seed, round);
		for (uint32_t count = 1; count <= SAMPLES; count++)
			try_rows(ops, &seed, count);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_files_are_refused),
		cmocka_unit_test(test_spoilt_files_are_survived),
		cmocka_unit_test(test_rows_are_libjpegs),
		cmocka_unit_test(test_variants_agree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
