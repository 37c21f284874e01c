/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names as text: whatever bytes a dropper chose, the escaped form is UTF-8 without
 * control characters and leads back to the same bytes.
 */
#include "daemon/base/name.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
escapes_to(const char *name, const char *expected)
{
	char *escaped = kd_name_escape(name);
	assert_string_equal(escaped, expected);
	char *back = kd_name_unescape(escaped);
	assert_non_null(back);
	assert_string_equal(back, name);
	free(back);
	free(escaped);
}

static void
hostile_names_are_escaped(void **state)
{
	(void)state;
	escapes_to("", "");
	escapes_to("plain.vmd", "plain.vmd");
	escapes_to("ダンス.vmd", "ダンス.vmd");
	escapes_to("a\nb", "a\\x0ab");
	escapes_to("\x1b[31mred", "\\x1b[31mred");
	escapes_to("back\\slash", "back\\x5cslash");
	escapes_to("\xff\xfe", "\\xff\\xfe");
	escapes_to("cut \xe3\x83", "cut \\xe3\\x83");
	escapes_to("over\xc0\xaflong", "over\\xc0\\xaflong");
	escapes_to("surrogate \xed\xa0\x80", "surrogate \\xed\\xa0\\x80");
	escapes_to("C1 \xc2\x9b", "C1 \\xc2\\x9b");
}

static void
every_byte_pair_comes_back(void **state)
{
	(void)state;
	for (int a = 1; a < 256; a++) {
		for (int b = 1; b < 256; b++) {
			char name[3] = {(char)a, (char)b, '\0'};
			char *escaped = kd_name_escape(name);
			char *back = kd_name_unescape(escaped);
			assert_string_equal(back, name);
			for (const char *c = escaped; *c != '\0'; c++)
				assert_true((unsigned char)*c >= 0x20 && *c != 0x7f);
			free(back);
			free(escaped);
		}
	}
}

static void
broken_escapes_are_refused(void **state)
{
	(void)state;
	static const char *const broken[] = {
		"\\", "\\x", "\\x1", "\\xg0", "\\X41", "\\x00", "\\n"};
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		errno = 0;
		assert_null(kd_name_unescape(broken[i]));
		assert_int_equal(errno, EINVAL);
	}
}

static void
only_paths_beneath_are_beneath(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "/", "/etc", "..", "a/..", "../a", "a/../b",
		".", "./a", "a//b", "a/"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(kd_name_is_beneath(bad[i]));
	assert_true(kd_name_is_beneath("a"));
	assert_true(kd_name_is_beneath("a/b.c/..d"));
	char longest[258];
	memset(longest, 'x', sizeof longest);
	longest[256] = '\0';
	assert_false(kd_name_is_beneath(longest));
	longest[255] = '\0';
	assert_true(kd_name_is_beneath(longest));
}

static void
long_names_are_cut_for_the_log(void **state)
{
	(void)state;
	char buffer[16];
	assert_string_equal(kd_name_print(buffer, sizeof buffer, "short"), "short");
	assert_string_equal(kd_name_print(buffer, sizeof buffer, "0123456789abcdefghi"),
		"0123456789ab...");
	assert_string_equal(kd_name_print(buffer, sizeof buffer, NULL), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broken_escapes_are_refused),
		cmocka_unit_test(hostile_names_are_escaped),
		cmocka_unit_test(every_byte_pair_comes_back),
		cmocka_unit_test(only_paths_beneath_are_beneath),
		cmocka_unit_test(long_names_are_cut_for_the_log),
	};
	return cmocka_run_group_tests_name("base/name", tests, NULL, NULL);
}
