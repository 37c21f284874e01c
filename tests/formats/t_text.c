/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void
expect(enum fmt_text_encoding encoding, const char *bytes, size_t length,
	const char *utf8, unsigned wrong_expected)
{
	unsigned wrong = 99;
	char *text = fmt_text_decode(bytes, length, encoding, &wrong);

	assert_non_null(text);
	assert_string_equal(text, utf8);
	assert_int_equal(wrong, wrong_expected);
	free(text);
}

static void
marks_what_is_no_text(void **state)
{
	(void)state;
	expect(FMT_TEXT_CP932,
		"a\xff"
		"b",
		3,
		"a\xef\xbf\xbd"
		"b",
		1);
	expect(FMT_TEXT_CP932, "\x80", 1, "\xef\xbf\xbd", 1);
	expect(FMT_TEXT_CP932, "\xf0\x40", 2, "\xef\xbf\xbd", 1); /* private use */
	expect(FMT_TEXT_CP932, "\x83\x20z", 3, "\xef\xbf\xbd z", 1);
	expect(FMT_TEXT_UTF8, "\xc0\x80", 2, "\xef\xbf\xbd\xef\xbf\xbd", 2);
	expect(FMT_TEXT_UTF8, "\xed\xa0\x80", 3, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
		3);
	expect(FMT_TEXT_UTF8, "\xf4\x90\x80\x80z", 5,
		"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz", 4);
	expect(FMT_TEXT_UTF16LE,
		"\x00\xdc"
		"a\0",
		4,
		"\xef\xbf\xbd"
		"a",
		1);
	expect(FMT_TEXT_UTF16LE,
		"\x00\xd8"
		"a\0",
		4,
		"\xef\xbf\xbd"
		"a",
		1);
}

/* A VMD name may end in half a character: that half is no error. */
static void
drops_half_a_character_at_the_end(void **state)
{
	(void)state;
	expect(FMT_TEXT_CP932, "\x93\xaa\x83", 3, "頭", 0);
	expect(FMT_TEXT_GBK, "\xd7\xf3\xbc", 3, "左", 0);
	expect(FMT_TEXT_UTF8, "\xe5\xb7\xa6\xe8\x82", 5, "左", 0);
	expect(FMT_TEXT_UTF16LE, "a\0\x3d\xd8", 4, "a", 0);
	expect(FMT_TEXT_UTF16LE, "a\0b", 3, "a", 0);
}

static void
decodes(void **state)
{
	(void)state;
	expect(FMT_TEXT_CP932, "", 0, "", 0);
	expect(FMT_TEXT_CP932, "\x8d\xb6\x91\xab\x82\x68\x82\x6a\0\xfd\xfd", 11,
		"左足ＩＫ", 0);
	expect(FMT_TEXT_CP932, "\xb1\xdd\\", 3, "ｱﾝ\\", 0);
	expect(FMT_TEXT_CP932, "\x87\x40\xfb\xfc", 4, "①髙", 0); /* NEC's and IBM's */
	expect(FMT_TEXT_CP932, "\x81\x60", 2, "～", 0);
	expect(FMT_TEXT_GBK, "\xcd\xb7", 2, "头", 0);
	expect(FMT_TEXT_UTF16LE, "\x2d\x98\x3d\xd8\x00\xde", 6, "頭😀", 0);
	expect(FMT_TEXT_UTF8, "頭😀", 7, "頭😀", 0);
}

static void
encodes_names_for_vmd(void **state)
{
	char name[16];
	(void)state;

	assert_int_equal(fmt_text_vmd_name("左足ＩＫ", name), 0);
	assert_memory_equal(name, "\x8d\xb6\x91\xab\x82\x68\x82\x6a\0\0\0\0\0\0\0\0", 16);
	/* Cut in mid-character at byte 15. */
	assert_int_equal(fmt_text_vmd_name("ああああああああ", name), 0);
	assert_int_equal(strlen(name), 15);
	assert_int_equal((unsigned char)name[14], 0x82);
	assert_int_equal(fmt_text_vmd_name("头", name), -EILSEQ);
	assert_memory_equal(name, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(fmt_text_vmd_name("😀", name), -EILSEQ);
}

/* Every two-byte text that decodes comes back by way of the encoder, save for the
 * doublets of NEC's and IBM's rows, which come back as their twin. */
static void
goes_there_and_back(void **state)
{
	unsigned characters = 0;
	(void)state;

	for (unsigned lead = 0x81; lead <= 0xfc; lead++) {
		for (unsigned trail = 0x40; trail <= 0xfc; trail++) {
			char raw[3] = {(char)lead, (char)trail, 0}, back[16];
			unsigned wrong;
			if (lead >= 0xa0 && lead <= 0xdf)
				continue;
			char *text = fmt_text_decode(raw, 2, FMT_TEXT_CP932, &wrong);
			if (wrong == 0) {
				characters++;
				assert_int_equal(fmt_text_vmd_name(text, back), 0);
				char *again =
					fmt_text_decode(back, 2, FMT_TEXT_CP932, &wrong);
				assert_string_equal(text, again);
				free(again);
			}
			free(text);
		}
	}
	/* JIS X 0208's 6879 with NEC's 83 and 374 and IBM's 388. */
	assert_int_equal(characters, 6879 + 83 + 374 + 388);
}

static void
folds_what_cp932_has_twice(void **state)
{
	/* The same character as NEC's and as IBM's, and one that stands once; half of one at
	 * the end stays. */
	char name[16] = "a\xee\xe0\x8d\x82\xed\x40\xb1\xee";
	(void)state;

	fmt_text_fold_name(name);
	assert_string_equal(name, "a\xfb\xfc\x8d\x82\xfa\x5c\xb1\xee");
	char full[16] = "\xed\x40\xed\x40\xed\x40\xed\x40\xed\x40\xed\x40\xed\x40\xed";
	fmt_text_fold_name(full);
	assert_memory_equal(
		full, "\xfa\x5c\xfa\x5c\xfa\x5c\xfa\x5c\xfa\x5c\xfa\x5c\xfa\x5c\xed", 16);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_what_is_no_text),
		cmocka_unit_test(drops_half_a_character_at_the_end),
		cmocka_unit_test(decodes),
		cmocka_unit_test(encodes_names_for_vmd),
		cmocka_unit_test(goes_there_and_back),
		cmocka_unit_test(folds_what_cp932_has_twice),
	};
	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
