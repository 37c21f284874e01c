/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/bytes.h"
#include "plugins/formats/vmd.h"
#include "tests/formats/build.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#define CENTER "\x83\x5a\x83\x93\x83\x5e\x81\x5b" /* センター in cp932 */
#define HEAD   "\x93\xaa"			  /* 頭 */

static const struct fmt_vmd_options strict = {.strict = 1};

static void
head(struct build *b)
{
	memset(b, 0, sizeof *b);
	build_bytes(b, "Vocaloid Motion Data 0002\0\0\0\0", 30);
	build_name(b, "model", 20);
}

static void
bone_key(struct build *b, const char *name, uint32_t frame, float x)
{
	build_name(b, name, 15);
	build_u32(b, frame);
	build_f32(b, x);
	build_f32(b, 2);
	build_f32(b, 3);
	build_zeros(b, 12);
	build_f32(b, 2); /* w: to be normalised */
	for (int i = 0; i < 64; i++)
		build_u8(b, (unsigned)i);
}

static void
morph_key(struct build *b, const char *name, uint32_t frame, float weight)
{
	build_name(b, name, 15);
	build_u32(b, frame);
	build_f32(b, weight);
}

static void
property_key(struct build *b, uint32_t frame, unsigned enabled)
{
	build_u32(b, frame);
	build_u8(b, 1);
	build_u32(b, 1);
	build_name(b, HEAD, 20);
	build_u8(b, enabled);
}

enum {
	BONES_AT = 50,
	MORPHS_AT = BONES_AT + 4 + 4 * 111,
	CAMERAS_AT = MORPHS_AT + 4 + 2 * 23
};

/* Every section has something; bones are unsorted and hold one duplicate. */
static void
whole(struct build *b)
{
	head(b);
	build_u32(b, 4);
	bone_key(b, CENTER, 20, 1);
	bone_key(b, HEAD, 5, 2);
	bone_key(b, CENTER, 10, 3);
	bone_key(b, CENTER, 20, 4);
	build_u32(b, 2);
	morph_key(b, "a", 30, .5f);
	morph_key(b, "a", 0, .25f);
	build_u32(b, 1);
	build_u32(b, 7);
	build_f32(b, -45);
	build_zeros(b, 24 + 24);
	build_u32(b, 30);
	build_u8(b, 1);
	build_u32(b, 1);
	build_zeros(b, 28);
	build_u32(b, 2);
	build_zeros(b, 18);
	build_u32(b, 2);
	property_key(b, 9, 0);
	property_key(b, 0, 1);
}

static int
read_built(const struct build *b, const struct fmt_vmd_options *options,
	struct fmt_vmd *motion, struct fmt_err *err)
{
	uint8_t *copy = build_copy(b->data, b->length);
	memset(err, 0, sizeof *err);
	int rc = fmt_vmd_read(copy, b->length, options, motion, err);
	free(copy);
	return rc;
}

static void
expect_refused(
	const struct build *b, const struct fmt_vmd_options *options, const char *part)
{
	struct fmt_vmd motion;
	struct fmt_err err;

	assert_int_equal(read_built(b, options, &motion, &err), -EBADMSG);
	assert_int_equal(err.code, -EBADMSG);
	if (strstr(err.text, part) == NULL)
		fail_msg("'%s' was expected in '%s'", part, err.text);
}

static void
refuses_what_is_no_vmd(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		const char *message;
	} cases[] = {
		{"", 0, "empty"},
		{"\x89PNG\r\n\x1a\n", 8, "PNG"},
		{"Vocaloid Pose Data file\r\n", 25, "VPD"},
		{"PMX \0\0\0@", 8, "PMX"},
		{"Pmd\0\0\x80?", 7, "PMD"},
		{"hello, world, I am no motion", 28, "bytes 68 65 6c 6c were found"},
		{"V", 1, "ends inside the header"},
		{"Vocaloid Motion Data 0009\0\0\0\0\0", 30, "'0009'"},
	};
	struct build b;
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		b.length = 0;
		build_bytes(&b, cases[i].bytes, cases[i].length);
		expect_refused(&b, NULL, cases[i].message);
	}
}

/* Cut at every byte: refused before the bones' count, from there on what is whole counts;
 * a cut between sections is legal. */
static void
survives_every_cut(void **state)
{
	struct build b;
	struct fmt_vmd motion;
	struct fmt_err err;
	(void)state;

	whole(&b);
	const size_t length = b.length;
	for (size_t cut = 0; cut < length; cut++) {
		b.length = cut;
		int rc = read_built(&b, NULL, &motion, &err);
		if (cut < BONES_AT + 4) {
			assert_int_equal(rc, -EBADMSG);
			assert_true(err.text[0] != '\0');
			continue;
		}
		assert_int_equal(rc, 0);
		uint32_t bone_keys =
			cut < MORPHS_AT ? (uint32_t)(cut - BONES_AT - 4) / 111 : 4;
		assert_int_equal(motion.bone_keys, bone_keys);
		assert_int_equal(motion.property_count, 0 + (cut >= length - 30));
		const int between =
			cut == MORPHS_AT || cut == CAMERAS_AT || cut == CAMERAS_AT + 65 ||
			cut == CAMERAS_AT + 65 + 32 || cut == CAMERAS_AT + 65 + 32 + 22;
		assert_int_equal(motion.truncated[0] == '\0', between);
		fmt_vmd_free(&motion);
		if (!between)
			expect_refused(&b, &strict, "the file ends at byte");
	}
	b.length = length;
	assert_int_equal(read_built(&b, &strict, &motion, &err), 0);
	assert_string_equal(motion.truncated, "");
	fmt_vmd_free(&motion);
}

static void
refuses_counts_beyond_any_file(void **state)
{
	static const uint32_t counts[] = {0xffffffff, 0x80000000, 20000000};
	struct build b;
	(void)state;

	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		head(&b);
		build_u32(&b, counts[i]);
		bone_key(&b, CENTER, 0, 0);
		expect_refused(&b, NULL, "corrupt: byte 50 states");
		/* The same behind good sections. */
		whole(&b);
		b.length = CAMERAS_AT;
		build_u32(&b, counts[i]);
		expect_refused(&b, NULL, "camera keys");
	}
}

static void
keeps_what_is_whole_however_little(void **state)
{
	static const uint32_t beyond[] = {3, 20000, 9000000};
	struct build b;
	struct fmt_vmd motion;
	struct fmt_err err;
	(void)state;

	for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
		char said[40];
		head(&b);
		build_u32(&b, beyond[i]);
		bone_key(&b, CENTER, 0, 0);
		assert_int_equal(read_built(&b, NULL, &motion, &err), 0);
		assert_int_equal(motion.bone_keys, 1);
		snprintf(said, sizeof said, "1 of %u whole ones", beyond[i]);
		assert_non_null(strstr(motion.truncated, said));
		fmt_vmd_free(&motion);
	}
	/* Cut inside a count, there is none to tell. */
	whole(&b);
	b.length = CAMERAS_AT + 2;
	assert_int_equal(read_built(&b, NULL, &motion, &err), 0);
	assert_non_null(strstr(motion.truncated, "inside its number of camera keys"));
	fmt_vmd_free(&motion);
	/* A property key that claims more switches than there are bytes. */
	head(&b);
	build_zeros(&b, 4 * 5);
	build_u32(&b, 1);
	build_u32(&b, 0);
	build_u8(&b, 1);
	build_u32(&b, 0xffffffff);
	assert_int_equal(read_built(&b, NULL, &motion, &err), 0);
	assert_int_equal(motion.property_count, 0);
	assert_non_null(strstr(motion.truncated, "property keys"));
	fmt_vmd_free(&motion);
}

static void
refuses_numbers_that_are_none(void **state)
{
	static const struct {
		size_t offset;
		const char *what;
	} places[] = {
		{BONES_AT + 4 + 19, "position of a bone key"},
		{BONES_AT + 4 + 111 + 31 + 12, "rotation of a bone key"},
		{MORPHS_AT + 4 + 19, "weight of a morph key"},
		{CAMERAS_AT + 4 + 4, "a camera key"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		for (int infinite = 0; infinite < 2; infinite++) {
			struct build b;
			char place[64];
			whole(&b);
			size_t length = b.length;
			b.length = places[i].offset;
			build_f32(&b, infinite ? -INFINITY : NAN);
			b.length = length;
			expect_refused(&b, NULL, places[i].what);
			expect_refused(&b, NULL, infinite ? "infinity" : "NaN");
			snprintf(place, sizeof place, "byte %zu,", places[i].offset);
			expect_refused(&b, NULL, place);
		}
	}
}

static void
groups_sorts_and_decodes(void **state)
{
	struct build b;
	struct fmt_vmd motion;
	struct fmt_err err;
	(void)state;

	whole(&b);
	assert_int_equal(read_built(&b, NULL, &motion, &err), 0);
	assert_string_equal(motion.model_name, "model");
	assert_int_equal(motion.bone_count, 2);
	assert_int_equal(motion.duplicate_keys, 1);
	assert_int_equal(motion.last_frame, 30);
	const struct fmt_vmd_track *center = &motion.bones[0];
	assert_string_equal(center->name, "センター");
	assert_string_equal(motion.bones[1].name, "頭");
	/* No garbage behind the NUL. */
	assert_memory_equal(center->vmd_name, CENTER "\0\0\0\0\0\0\0", 16);
	assert_int_equal(center->count, 2);
	assert_int_equal(center->frames[0], 10);
	assert_true(center->move[0] == 3);
	/* The later key in the file wins. */
	assert_int_equal(center->frames[1], 20);
	assert_true(center->move[1] == 4);
	assert_true(center->rotate[3 * center->stride + 1] == 1);
	for (int channel = 0; channel < 4; channel++) {
		for (int i = 0; i < 4; i++)
			assert_int_equal(
				center->curves[0][channel][i], 16 * channel + 4 * i);
	}
	assert_int_equal(motion.morphs[0].count, 2);
	assert_true(motion.morphs[0].weights[0].weight == .25f);
	assert_int_equal(motion.camera_count, 1);
	assert_true(motion.cameras[0].distance == -45);
	assert_int_equal(motion.cameras[0].angle, 30);
	assert_int_equal(motion.light_count, 1);
	assert_int_equal(motion.shadow_count, 2);
	assert_int_equal(motion.property_count, 2);
	assert_int_equal(motion.properties[0].frame, 0);
	assert_int_equal(motion.properties[0].ik[0].enabled, 1);
	assert_int_equal(motion.properties[1].ik[0].enabled, 0);
	assert_memory_equal(
		motion.properties[1].ik[0].vmd_name, HEAD "\0\0\0\0\0\0\0\0", 10);
	fmt_vmd_free(&motion);
	fmt_vmd_free(&motion); /* twice is nothing */
}

static void
reads_the_old_header_and_edge_keys(void **state)
{
	struct build b = {.length = 0};
	struct fmt_vmd motion;
	struct fmt_err err;
	(void)state;

	build_bytes(&b, "Vocaloid Motion Data file\0\0\0\0", 30);
	build_name(&b, "old", 10);
	build_u32(&b, 2);
	bone_key(&b, HEAD, 1, 1);
	size_t key = b.length;
	bone_key(&b, HEAD, 3, 1);
	memset(b.data + key + 31, 0, 16); /* an all-zero rotation */
	b.data[key + 47 + 2] = 0x63;	  /* physics off: no curve's */
	b.data[key + 47 + 3] = 0x0f;
	b.data[key + 47 + 16] = 200; /* beyond a curve's range */
	assert_int_equal(read_built(&b, &strict, &motion, &err), 0);
	assert_string_equal(motion.model_name, "old");
	assert_true(motion.bones[0].rotate[3 * motion.bones[0].stride + 1] == 1);
	assert_int_equal(motion.bones[0].curves[1][FMT_VMD_X][1], 4);
	assert_int_equal(motion.bones[0].curves[1][FMT_VMD_Y][0], 127);
	fmt_vmd_free(&motion);
}

/* 头 is not in cp932; 左肩 in GBK would be half-width katakana there. */
static void
falls_back_for_a_whole_file(void **state)
{
	static const struct fmt_vmd_options gbk = {.fallback = FMT_VMD_GBK};
	static const struct fmt_vmd_options utf8 = {.fallback = FMT_VMD_UTF8};
	struct build b;
	struct fmt_vmd motion;
	struct fmt_err err;
	(void)state;

	head(&b);
	build_u32(&b, 2);
	bone_key(&b, "\xa5\xbb\xa5\xf3\xa5\xbf\xa9\x60", 0, 0); /* センター */
	bone_key(&b, "\xd7\xf3\xbc\xe7", 0, 0);			/* 左肩 */
	assert_int_equal(read_built(&b, &gbk, &motion, &err), 0);
	assert_string_equal(motion.bones[0].name, "センター");
	assert_string_equal(motion.bones[0].vmd_name, CENTER);
	assert_string_equal(motion.bones[1].name, "左肩");
	fmt_vmd_free(&motion);

	head(&b);
	build_u32(&b, 2);
	bone_key(&b, "センター", 0, 0);
	bone_key(&b, "上半身２ＸＹＺ", 0, 0); /* cut in mid-character at 15 */
	assert_int_equal(read_built(&b, &utf8, &motion, &err), 0);
	assert_string_equal(motion.bones[0].name, "センター");
	assert_string_equal(motion.bones[0].vmd_name, CENTER);
	assert_string_equal(motion.bones[1].name, "上半身２Ｘ");
	fmt_vmd_free(&motion);

	/* A cp932 file stays one, whatever the fallback. */
	whole(&b);
	assert_int_equal(read_built(&b, &gbk, &motion, &err), 0);
	assert_string_equal(motion.bones[0].name, "センター");
	fmt_vmd_free(&motion);
}

static void
reads_many_names(void **state)
{
	static struct build b;
	struct fmt_vmd motion;
	struct fmt_err err;
	(void)state;

	head(&b);
	build_u32(&b, 500);
	for (int i = 0; i < 500; i++) {
		char name[16];
		snprintf(name, sizeof name, "bone%d", i * 7919 % 250);
		bone_key(&b, name, (uint32_t)i, 0);
	}
	assert_int_equal(read_built(&b, &strict, &motion, &err), 0);
	assert_int_equal(motion.bone_count, 250);
	for (uint32_t i = 0; i < motion.bone_count; i++) {
		assert_int_equal(motion.bones[i].count, 2);
		assert_int_equal(motion.bones[i].frames[0], i);
		assert_int_equal(motion.bones[i].frames[1], i + 250);
	}
	fmt_vmd_free(&motion);
}

static int
file_of(const struct build *b)
{
	int fd = memfd_create("vmd", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, b->data, b->length), (ssize_t)b->length);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void
same_track(const struct fmt_vmd_track *a, const struct fmt_vmd_track *b)
{
	assert_memory_equal(a->vmd_name, b->vmd_name, 16);
	assert_int_equal(a->count, b->count);
	for (uint32_t k = 0; k < a->count; k++) {
		assert_int_equal(a->frames[k], b->frames[k]);
		assert_memory_equal(a->curves[k], b->curves[k], sizeof *a->curves);
		for (size_t c = 0; c < 3; c++)
			assert_true(
				a->move[c * a->stride + k] == b->move[c * b->stride + k]);
		for (size_t c = 0; c < 4; c++)
			assert_true(a->rotate[c * a->stride + k] ==
				    b->rotate[c * b->stride + k]);
	}
}

/*
 * Larger than the buffer, so that records lie across its end and the first ones do not
 * tell how long the tracks become: HEAD is baked from frame 2 on, CENTER begins baked and
 * then goes back, and "late" is met when the room was shared out.
 */
static void
large(struct build *b)
{
	enum { HEADS = 2500, CENTERS = 3000, LATE = 700 };
	head(b);
	build_u32(b, HEADS + CENTERS + LATE);
	for (uint32_t i = 0; i < HEADS; i++)
		bone_key(b, HEAD, 2 + i, (float)i);
	for (uint32_t i = 0; i < CENTERS; i++)
		bone_key(b, CENTER, i < 1000 ? 10 + i : CENTERS - i, (float)i);
	for (uint32_t i = 0; i < LATE; i++)
		bone_key(b, "late", 3 * i, (float)i);
	build_u32(b, 1);
	morph_key(b, "a", 3, .5f);
}

static void
reads_files_in_pieces(void **state)
{
	static struct build b;
	struct fmt_vmd whole_one, pieces;
	struct fmt_err err = {0};
	(void)state;

	large(&b);
	assert_true(b.length > 2 * FMT_BYTES_BUFFER);
	assert_int_equal(read_built(&b, &strict, &whole_one, &err), 0);
	int fd = file_of(&b);
	assert_int_equal(fmt_vmd_read_file(fd, b.length, &strict, &pieces, &err), 0);
	close(fd);
	assert_int_equal(pieces.bone_count, 3);
	assert_int_equal(pieces.morph_count, 1);
	for (uint32_t i = 0; i < 3; i++)
		same_track(&pieces.bones[i], &whole_one.bones[i]);
	const struct fmt_vmd_track *track = &pieces.bones[0];
	assert_int_equal(track->count, 2500);
	assert_int_equal(track->frames[2499], 2501);
	assert_true(track->move[2499] == 2499);
	/* Frames 10 to 1009, then 2000 down to 1; of two at one frame the later one. */
	track = &pieces.bones[1];
	assert_int_equal(track->count, 2000);
	assert_int_equal(track->frames[0], 1);
	assert_true(track->move[0] == 2999 && track->move[1999] == 1000);
	track = &pieces.bones[2];
	assert_int_equal(track->frames[699], 2097);
	assert_int_equal(track->curves[699][FMT_VMD_R][3], 60);
	fmt_vmd_free(&whole_one);
	fmt_vmd_free(&pieces);
}

static void
refuses_files_that_change(void **state)
{
	static struct build b;
	struct fmt_vmd motion;
	struct fmt_err err = {0};
	(void)state;

	large(&b);
	int fd = file_of(&b);
	assert_int_equal(ftruncate(fd, (off_t)b.length - 200000), 0);
	assert_int_equal(fmt_vmd_read_file(fd, b.length, NULL, &motion, &err), -EAGAIN);
	assert_non_null(strstr(err.text, "shorter"));
	close(fd);
	memset(&err, 0, sizeof err);
	whole(&b);
	fd = file_of(&b);
	assert_int_equal(lseek(fd, 0, SEEK_END), (off_t)b.length);
	assert_int_equal(write(fd, "!", 1), 1);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(fmt_vmd_read_file(fd, b.length, NULL, &motion, &err), -EAGAIN);
	assert_non_null(strstr(err.text, "grew"));
	close(fd);
	memset(&err, 0, sizeof err);
	assert_int_equal(fmt_vmd_read_file(-1, b.length, NULL, &motion, &err), -EBADF);
}

/* Key counts of real files, taken with another reader's eyes: see the data's README. */
static void
reads_real_files(void **state)
{
	static const struct {
		const char *name;
		uint32_t bones, bone_keys, morph_keys, last, properties;
	} files[] = {
		{"gene/motion/02_laugh.vmd", 222, 548, 393, 300, 1},
		{"gene/motion/00_normal.vmd", 0, 0, 449, 10, 0},
		{"gene/motion/stand.vmd", 222, 470, 184, 120, 1},
		{"synth/semi_toggle.vmd", 24, 156, 0, 88, 4},
	};
	(void)state;

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct fmt_vmd motion;
		struct fmt_err err = {0};
		size_t length;
		uint8_t *bytes = build_read_shared(files[i].name, &length);
		assert_int_equal(fmt_vmd_read(bytes, length, &strict, &motion, &err), 0);
		free(bytes);
		assert_int_equal(motion.bone_count, files[i].bones);
		assert_int_equal(motion.bone_keys, files[i].bone_keys);
		assert_int_equal(motion.morph_keys, files[i].morph_keys);
		assert_int_equal(motion.last_frame, files[i].last);
		assert_int_equal(motion.property_count, files[i].properties);
		fmt_vmd_free(&motion);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_no_vmd),
		cmocka_unit_test(survives_every_cut),
		cmocka_unit_test(refuses_counts_beyond_any_file),
		cmocka_unit_test(keeps_what_is_whole_however_little),
		cmocka_unit_test(refuses_numbers_that_are_none),
		cmocka_unit_test(groups_sorts_and_decodes),
		cmocka_unit_test(reads_the_old_header_and_edge_keys),
		cmocka_unit_test(falls_back_for_a_whole_file),
		cmocka_unit_test(reads_many_names),
		cmocka_unit_test(reads_files_in_pieces),
		cmocka_unit_test(refuses_files_that_change),
		cmocka_unit_test(reads_real_files),
	};
	return cmocka_run_group_tests_name("vmd", tests, NULL, NULL);
}
