/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbered names, and names that belong together by their stem. */
#include "daemon/base/series.h"
#include "daemon/base/stems.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
names_without_a_number(void **state)
{
	(void)state;
	static const char *const names[] = {"", "a", "a.png", "video.mp4", ".7z", "a.b2z",
		"hash_1234567890123456789.png", "....", "-"};
	struct kd_series_place place;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_int_equal(kd_series_find(names[i], &place), -ENOENT);
}

static void
where_the_number_is(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t start;
		uint64_t number;
		int padded;
	} cases[] = {
		{"frame_0001.png", 6, 1, 1},
		{"1.png", 0, 1, 0},
		{"0.png", 0, 0, 0},
		{"00.png", 0, 0, 1},
		{"shot2_v3.0100.exr", 9, 100, 1},
		{"shot2_0007_depth.exr", 6, 7, 1},
		{"render.0042", 7, 42, 1},
		{"frame12.", 5, 12, 0},
		{"a-001.jp2", 2, 1, 1},
		{"t_123456789012345678.png", 2, 123456789012345678, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct kd_series_place place;
		assert_int_equal(kd_series_find(cases[i].name, &place), 0);
		assert_int_equal(place.start, cases[i].start);
		assert_int_equal(place.number, cases[i].number);
		assert_int_equal(place.padded, cases[i].padded);
	}
}

static void
what_is_no_pattern(void **state)
{
	(void)state;
	static const char *const patterns[] = {"", "a.png", "a%", "a%s", "%04x", "%4d",
		"%099d.png", "%04d%04d", "a%04", "%%04d"};
	struct kd_series series;
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
		assert_int_equal(kd_series_parse(patterns[i], &series), -EINVAL);
}

static void
holds(const char *pattern, const char *name, int expected, uint64_t number)
{
	struct kd_series series;
	uint64_t found = 0;
	assert_int_equal(kd_series_parse(pattern, &series), 0);
	assert_int_equal(kd_series_holds(&series, name, &found), expected);
	assert_int_equal(found, number);
	kd_series_clear(&series);
}

static void
which_names_a_pattern_makes(void **state)
{
	(void)state;
	holds("f_%04d.png", "f_0001.png", 1, 1);
	holds("f_%04d.png", "f_1000.png", 1, 1000);
	holds("f_%04d.png", "f_10000.png", 1, 10000);
	holds("f_%04d.png", "f_001.png", 0, 0);
	holds("f_%04d.png", "f_00001.png", 0, 0);
	holds("f_%04d.png", "f_999.png", 0, 0);
	holds("f_%04d.png", "f_0001.exr", 0, 0);
	holds("f_%04d.png", "g_0001.png", 0, 0);
	holds("f_%d.png", "f_1.png", 1, 1);
	holds("f_%d.png", "f_10.png", 1, 10);
	holds("f_%d.png", "f_01.png", 0, 0);
	holds("f_%d.png", "f_0.png", 1, 0);
	holds("100%%_%02d", "100%_07", 1, 7);
}

static void
patterns_there_and_back(void **state)
{
	(void)state;
	struct kd_series series;
	char *pattern = kd_series_pattern("50%_", 4, "_a%d.png");
	assert_string_equal(pattern, "50%%_%04d_a%%d.png");
	assert_int_equal(kd_series_parse(pattern, &series), 0);
	assert_string_equal(series.prefix, "50%_");
	assert_string_equal(series.suffix, "_a%d.png");
	assert_int_equal(series.width, 4);
	kd_series_clear(&series);
	free(pattern);
	pattern = kd_series_pattern("", 0, ".png");
	assert_string_equal(pattern, "%d.png");
	free(pattern);
}

static void
stem(const char *pattern, const char *expected)
{
	struct kd_series series;
	assert_int_equal(kd_series_parse(pattern, &series), 0);
	char *found = kd_series_stem(&series);
	assert_string_equal(found, expected);
	free(found);
	kd_series_clear(&series);
}

static void
what_outputs_are_called(void **state)
{
	(void)state;
	stem("frame_%04d.png", "frame");
	stem("frame.%d.exr", "frame");
	stem("frame_%04d_depth.png", "frame_depth");
	stem("%04d_depth.png", "depth");
	stem("%04d.png", "");
}

static void
companions(void **state)
{
	(void)state;
	char *match[] = {(char *)"*.obj", (char *)"*.fbx", NULL};
	struct kd_stems stems = {0};
	assert_int_equal(kd_stems_add(&stems, "chair.fbx", match), 1);
	assert_int_equal(kd_stems_add(&stems, "chair.obj", match), 1);
	assert_int_equal(kd_stems_add(&stems, "chair_big.obj", match), 1);
	assert_int_equal(kd_stems_add(&stems, "lamp.v2.obj", match), 1);
	assert_int_equal(kd_stems_add(&stems, "chair.mtl", match), 0);
	kd_stems_seal(&stems);
	assert_int_equal(stems.count, 3);
	long chair = kd_stems_find(&stems, "chair", 5);
	long big = kd_stems_find(&stems, "chair_big", 9);
	assert_true(chair >= 0 && big >= 0 && chair != big);
	assert_string_equal(stems.list[chair].main, "chair.obj");
	assert_int_equal(kd_stems_of(&stems, "chair.obj"), chair);
	assert_int_equal(kd_stems_of(&stems, "chair.fbx"), chair);
	assert_int_equal(kd_stems_of(&stems, "chair.mtl"), chair);
	assert_int_equal(kd_stems_of(&stems, "chair"), chair);
	assert_int_equal(kd_stems_of(&stems, "chair_diffuse_2k.png"), chair);
	assert_int_equal(kd_stems_of(&stems, "chair-normal.png"), chair);
	assert_int_equal(kd_stems_of(&stems, "chair_big.mtl"), big);
	assert_int_equal(kd_stems_of(&stems, "chair_big_ao.png"), big);
	assert_int_equal(kd_stems_of(&stems, "chair_bigger.png"), chair);
	assert_int_equal(kd_stems_of(&stems, "chairs.png"), -1);
	assert_int_equal(kd_stems_of(&stems, "lamp.png"), -1);
	assert_int_equal(kd_stems_find(&stems, "chai", 4), -1);
	kd_stems_clear(&stems);
	assert_int_equal(kd_stems_of(&stems, "chair.obj"), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_without_a_number),
		cmocka_unit_test(where_the_number_is),
		cmocka_unit_test(what_is_no_pattern),
		cmocka_unit_test(which_names_a_pattern_makes),
		cmocka_unit_test(patterns_there_and_back),
		cmocka_unit_test(what_outputs_are_called),
		cmocka_unit_test(companions),
	};
	return cmocka_run_group_tests_name("series", tests, NULL, NULL);
}
