/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/vpd.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define CENTER	  "\x83\x5a\x83\x93\x83\x5e\x81\x5b" /* センター in cp932 */
#define HEAD	  "Vocaloid Pose Data file\r\n\r\nmiku.osm;\t// model\r\n"
#define ONE(name) "Bone0{" name "\r\n  1,2.5,-3;\r\n 0,0,0,2; // twice a unit\r\n}\r\n"

static const struct fmt_vmd_options strict = {.strict = 1};

static int
read_text(const char *text, const struct fmt_vmd_options *options, struct fmt_vmd *motion,
	struct fmt_err *err)
{
	memset(motion, 0, sizeof *motion);
	memset(err, 0, sizeof *err);
	return fmt_vpd_read(text, strlen(text), options, motion, err);
}

static void
what_is_no_pose_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text, *said;
	} bad[] = {
		{"", "VPD was expected"},
		{"Vocaloid Motion Data 0002", "VPD was expected"},
		{"Vocaloid Pose Data file", "before its number of bones"},
		{HEAD, "before its number of bones"},
		{HEAD "many;", "line 4: expected the number of bones, found 'm'"},
		{HEAD "9999999999;", "the number of bones"},
		{HEAD "1;\r\nBonn0{", "line 5: expected \"Bone\" or \"Morph\""},
		{HEAD "1;\r\nBone0\r\n x ", "line 6: expected '{', found 'x'"},
		{HEAD "1;\r\nBone0{a\r\n1,2;3", "line 6: expected ',', found ';'"},
		{HEAD "1;\r\nBone0{a\r\n1,2,three;", "line 6: expected a number"},
		{HEAD "1;\r\nBone0{a\r\n1,2,nan;0,0,0,1;}", "line 6: expected a finite"},
		{HEAD "1;\r\nBone0{a\r\n1,2,1e99;0,0,0,1;}", "line 6: expected a finite"},
		{HEAD "1;\r\nBone0{a\r\n1,2,3;0,0,0,1;\r\n\x83 ", "found byte 83"},
		{HEAD "1;\r\nMorph0{a\r\n1,2;}", "line 6: expected ';', found ','"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct fmt_vmd motion;
		struct fmt_err err;
		assert_int_equal(read_text(bad[i].text, NULL, &motion, &err), -EBADMSG);
		if (strstr(err.text, bad[i].said) == NULL)
			fail_msg("expected '%s', found '%s'", bad[i].said, err.text);
	}
	struct fmt_err err = {0};
	struct fmt_vmd motion = {0};
	static const char nul[] = HEAD "0;\0";
	assert_int_equal(
		fmt_vpd_read(nul, sizeof nul - 1, NULL, &motion, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "found a NUL at byte 49"));
}

static void
what_is_too_large_is_refused(void **state)
{
	static const char head[] = HEAD "0;";
	size_t length = FMT_VPD_SIZE_MAX + 1;
	char *bytes = malloc(length);
	struct fmt_err err = {0};
	struct fmt_vmd motion = {0};
	(void)state;
	assert_non_null(bytes);
	memset(bytes, ' ', length);
	memcpy(bytes, head, sizeof head - 1);
	assert_int_equal(fmt_vpd_read(bytes, length, NULL, &motion, &err), -EBADMSG);
	assert_int_equal(fmt_vpd_read(bytes, length - 1, NULL, &motion, &err), 0);
	fmt_vmd_free(&motion);
	free(bytes);
}

static void
a_pose_is_a_motion_of_one_frame(void **state)
{
	struct fmt_vmd motion;
	struct fmt_err err;
	(void)state;
	assert_int_equal(
		read_text(HEAD "2;\r\n" ONE(CENTER) "Bone1{a b \r\n0,0,0;0,0,1,0;}"
						    "Morph0{" CENTER "\n.5;}",
			&strict, &motion, &err),
		0);
	assert_int_equal(motion.bone_count, 2);
	assert_int_equal(motion.last_frame, 0);
	assert_int_equal(motion.bone_keys, 2);
	assert_string_equal(motion.model_name, "miku.osm");
	assert_string_equal(motion.truncated, "");
	const struct fmt_vmd_track *bone = &motion.bones[0];
	assert_string_equal(bone->name, "センター");
	assert_string_equal(bone->vmd_name, CENTER);
	assert_int_equal(bone->count, 1);
	assert_true(bone->move[0] == 1 && bone->move[bone->stride] == 2.5f &&
		    bone->move[2 * bone->stride] == -3);
	assert_true(bone->rotate[3 * bone->stride] == 1);
	assert_string_equal(motion.bones[1].name, "a b");
	assert_true(motion.bones[1].rotate[2 * motion.bones[1].stride] == 1);
	assert_int_equal(motion.morph_count, 1);
	assert_string_equal(motion.morphs[0].name, "センター");
	assert_true(motion.morphs[0].weights[0].weight == 0.5f);
	fmt_vmd_free(&motion);
}

/* ポ ends in 7b, a brace; ソ in 5c; a name of 16 bytes is cut in its last character. */
static void
names_are_bytes(void **state)
{
	struct fmt_vmd motion;
	struct fmt_err err;
	(void)state;
	assert_int_equal(read_text(HEAD "3;" ONE("\x83\x7b\x83\x5c") ONE(
					   "0123456789abcde\x83\x7b") ONE("\xe9\xa6\x96"),
				 NULL, &motion, &err),
		0);
	assert_string_equal(motion.bones[0].name, "ボソ");
	assert_string_equal(motion.bones[1].vmd_name, "0123456789abcde");
	assert_string_not_equal(motion.bones[2].name, "首");
	fmt_vmd_free(&motion);
	assert_int_equal(read_text("\xef\xbb\xbf" HEAD "1;" ONE("\xe9\xa6\x96"), NULL,
				 &motion, &err),
		0);
	assert_string_equal(motion.bones[0].name, "首");
	assert_string_equal(motion.bones[0].vmd_name, "\x8e\xf1");
	fmt_vmd_free(&motion);
}

static void
of_one_name_the_last_counts(void **state)
{
	struct fmt_vmd motion;
	struct fmt_err err;
	(void)state;
	assert_int_equal(read_text(HEAD "2;Bone0{a\n9,9,9;0,0,0,1;}" ONE("a"), NULL,
				 &motion, &err),
		0);
	assert_int_equal(motion.bone_count, 1);
	assert_int_equal(motion.duplicate_keys, 1);
	assert_true(motion.bones[0].move[0] == 1);
	fmt_vmd_free(&motion);
}

static void
what_is_whole_counts_unless_strict(void **state)
{
	static const char whole[] = HEAD "2;" ONE("a") ONE("b");
	(void)state;
	/* From behind the first bone to before the last brace. */
	for (size_t length = strlen(HEAD "2;" ONE("a")); length < sizeof whole - 3;
		length++) {
		struct fmt_vmd motion;
		struct fmt_err err = {0};
		assert_int_equal(fmt_vpd_read(whole, length, NULL, &motion, &err), 0);
		assert_int_equal(motion.bone_count, 1);
		assert_non_null(strstr(motion.truncated, "1 of 2 whole bones"));
		fmt_vmd_free(&motion);
		assert_int_equal(
			fmt_vpd_read(whole, length, &strict, &motion, &err), -EBADMSG);
		assert_non_null(strstr(err.text, "1 of 2 whole bones"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_pose_is_refused_with_its_line),
		cmocka_unit_test(what_is_too_large_is_refused),
		cmocka_unit_test(a_pose_is_a_motion_of_one_frame),
		cmocka_unit_test(names_are_bytes),
		cmocka_unit_test(of_one_name_the_last_counts),
		cmocka_unit_test(what_is_whole_counts_unless_strict),
	};
	return cmocka_run_group_tests_name("formats/vpd", tests, NULL, NULL);
}
