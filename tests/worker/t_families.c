/* SPDX-License-Identifier: BSD-2-Clause */
/* Units of several files: what makes one, where it goes as a whole, and how it comes back
 * from quarantine when somebody has it tried again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "plugins/kiln_plugin.h"
#include "tests/worker/client.h"

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
write_frames(int from, int to)
{
	client_write_frames(&client_scratch, "in/s/f_%d.png", from, to);
}

static void
one_unit(struct kd_manifest *manifest, uint32_t kind, const char *path)
{
	client_manifest_unit(manifest, &client_scratch, kind, path);
}

static void
expect_once(struct kd_manifest *manifest, enum kd_status status, const char *reason)
{
	struct kd_result result;
	client_once(manifest, &result);
	client_expect(&result, 0, status, reason);
	kd_manifest_result_clear(&result);
}

static void
test_what_is_no_sequence(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	client_mkdir(&client_scratch, "in/s");
	write_frames(1, 3);
	one_unit(&manifest, KILN_SEQUENCE, "s/f_1.png");
	expect_once(&manifest, KD_UNIT_BAD, "its name is no pattern of numbered files");
	one_unit(&manifest, KILN_SEQUENCE, "s/g_%d.png");
	expect_once(&manifest, KD_UNIT_GONE, "");
	one_unit(&manifest, KILN_SEQUENCE, "nowhere/f_%d.png");
	expect_once(&manifest, KD_UNIT_GONE, "");
	assert_int_equal(
		symlink("f_3.png", client_path(&client_scratch, "in/s/f_4.png")), 0);
	one_unit(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	expect_once(&manifest, KD_UNIT_BAD, "'f_4.png' is a symbolic link");
}

static void
test_missing_frames(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	client_mkdir(&client_scratch, "in/s");
	write_frames(3, 5);
	write_frames(7, 7);
	write_frames(12, 12);
	one_unit(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	manifest.sequence_first = 1;
	expect_once(&manifest, KD_UNIT_BAD, "7 frames are missing: 1 to 2, 6, 8 to 11");
	one_unit(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	manifest.sequence_first = 3;
	manifest.sequence_last = 7;
	expect_once(&manifest, KD_UNIT_BAD, "1 frame is missing: 6");
	one_unit(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	manifest.sequence_last = 13;
	manifest.sequence_gaps = 1;
	expect_once(&manifest, KD_UNIT_BUSY, "its last frame, 13, is not there");
	for (int i = 20; i < 60; i += 2)
		write_frames(i, i);
	one_unit(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	expect_once(&manifest, KD_UNIT_BAD, "and more in");
}

static void
test_a_sequence_is_published_by_number(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	struct kd_result result;
	client_mkdir(&client_scratch, "in/s");
	write_frames(8, 11);
	write_frames(30, 30);
	one_unit(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	manifest.sequence_last = 11;
	client_once(&manifest, &result);
	client_expect_published(&result, 0);
	assert_int_equal(result.units[0].output_count, 4);
	json_t *sidecar = json_load_file(result.units[0].sidecar, 0, NULL);
	const json_t *inputs = json_object_get(sidecar, "inputs");
	static const char *const order[] = {"f_8.png", "f_9.png", "f_10.png", "f_11.png"};
	assert_int_equal(json_array_size(inputs), 4);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(order[i],
			json_string_value(
				json_object_get(json_array_get(inputs, i), "name")));
	json_decref(sidecar);
	kd_manifest_result_clear(&result);
	assert_true(client_exists(&client_scratch, "out/f/f_10.png"));
	assert_false(client_exists(&client_scratch, "out/f/f_30.png"));
}

static void
test_a_bundle_moves_as_a_folder(void **state)
{
	(void)state;
	static const char *const files[] = {"chair.obj", "chair.fbx", "chair.mtl",
		"chair_diffuse.png", "chair_big.obj", "stool.png"};
	struct kd_manifest manifest;
	struct kd_result result;
	char name[64];
	client_mkdir(&client_scratch, "in/m");
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(name, sizeof name, "in/m/%s", files[i]);
		client_write(&client_scratch, name, name);
	}
	one_unit(&manifest, KILN_BUNDLE, "m/chair.obj");
	manifest.inputs = KD_INPUTS_MOVE;
	manifest.done = strdup(client_path(&client_scratch, "done"));
	client_run_and_finish(&manifest, &result);
	client_expect_published(&result, 0);
	kd_manifest_result_clear(&result);
	for (size_t i = 0; i < 4; i++) {
		snprintf(name, sizeof name, "out/chair/%s", files[i]);
		assert_true(client_exists(&client_scratch, name));
		snprintf(name, sizeof name, "done/m/chair/%s", files[i]);
		assert_true(client_exists(&client_scratch, name));
	}
	assert_false(client_exists(&client_scratch, "out/chair/chair_big.obj"));
	assert_true(client_exists(&client_scratch, "in/m/chair_big.obj"));
	assert_true(client_exists(&client_scratch, "in/m/stool.png"));
	assert_false(client_exists(&client_scratch, "in/m/chair.mtl"));
}

static void
test_a_refused_sequence_is_quarantined_as_a_folder(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	struct kd_result result;
	client_mkdir(&client_scratch, "in/s");
	write_frames(1, 2);
	write_frames(4, 4);
	one_unit(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	manifest.quarantine = strdup(client_path(&client_scratch, "failed"));
	client_run_and_finish(&manifest, &result);
	client_expect(&result, 0, KD_UNIT_BAD, "1 frame is missing: 3");
	kd_manifest_result_clear(&result);
	assert_true(client_exists(&client_scratch, "failed/s/f/f_4.png"));
	assert_true(client_exists(&client_scratch, "failed/s/f.reason.txt"));
	assert_false(client_exists(&client_scratch, "in/s/f_1.png"));
}

/* A unit that is quarantined, for one that is tried again. */
static void
quarantined(uint32_t kind, const char *path, const char *reason)
{
	struct kd_manifest manifest;
	struct kd_result result;
	one_unit(&manifest, kind, path);
	manifest.quarantine = strdup(client_path(&client_scratch, "failed"));
	client_run_and_finish(&manifest, &result);
	client_expect(&result, 0, KD_UNIT_BAD, reason);
	kd_manifest_result_clear(&result);
}

static void
again(struct kd_manifest *manifest, uint32_t kind, const char *path)
{
	one_unit(manifest, kind, path);
	manifest->quarantine = strdup(client_path(&client_scratch, "failed"));
	manifest->units[0].restore = 1;
	manifest->units[0].attempt = 2;
}

static void
expect_published(struct kd_manifest *manifest)
{
	struct kd_result result;
	client_run_and_finish(manifest, &result);
	client_expect_published(&result, 0);
	kd_manifest_result_clear(&result);
	assert_false(client_exists(&client_scratch, "in/.kiln-claim"));
}

/* Nothing at all is left of it in quarantine. */
static void
expect_quarantine_empty(const char *folder)
{
	const char *path = client_path(&client_scratch, folder);
	/* Only an empty folder can be removed. */
	if (rmdir(path) < 0)
		fail_msg("%s: %s", path, strerror(errno));
}

static void
gap_in_quarantine(void)
{
	client_mkdir(&client_scratch, "in/s");
	write_frames(1, 2);
	write_frames(4, 4);
	quarantined(KILN_SEQUENCE, "s/f_%d.png", "1 frame is missing: 3");
	assert_true(client_exists(&client_scratch, "failed/s/f/f_4.png"));
}

static void
test_a_sequence_comes_back_to_its_place(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	struct stat before, after;
	gap_in_quarantine();
	assert_int_equal(
		stat(client_path(&client_scratch, "failed/s/f/f_1.png"), &before), 0);
	/* The frame that was missing has come meanwhile. */
	write_frames(3, 3);
	again(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	expect_published(&manifest);
	assert_int_equal(stat(client_path(&client_scratch, "in/s/f_1.png"), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	client_expect_text(&client_scratch, "in/s/f_4.png", "in/s/f_4.png");
	client_expect_text(&client_scratch, "out/f/f_3.png", "in/s/f_3.png");
	expect_quarantine_empty("failed/s");
}

static void
test_a_sequence_comes_back_to_be_moved(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	gap_in_quarantine();
	write_frames(3, 3);
	again(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	manifest.inputs = KD_INPUTS_MOVE;
	manifest.done = strdup(client_path(&client_scratch, "done"));
	expect_published(&manifest);
	client_expect_text(&client_scratch, "done/s/f/f_3.png", "in/s/f_3.png");
	client_expect_text(&client_scratch, "done/s/f/f_4.png", "in/s/f_4.png");
	expect_quarantine_empty("failed/s");
	expect_quarantine_empty("in/s");
}

static void
test_what_is_still_wrong_goes_back_as_it_was(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	struct kd_result result;
	gap_in_quarantine();
	again(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	client_run_and_finish(&manifest, &result);
	client_expect(&result, 0, KD_UNIT_BAD, "1 frame is missing: 3");
	kd_manifest_result_clear(&result);
	assert_true(client_exists(&client_scratch, "failed/s/f/f_4.png"));
	assert_true(client_exists(&client_scratch, "failed/s/f.reason.txt"));
	assert_false(client_exists(&client_scratch, "failed/s/f.2"));
	expect_quarantine_empty("in/s");
}

static void
test_frames_that_are_there_are_not_touched(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	struct kd_result result;
	gap_in_quarantine();
	client_write(&client_scratch, "in/s/f_1.png", "another");
	again(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	manifest.sequence_last = 4;
	client_once(&manifest, &result);
	client_expect(&result, 0, KD_UNIT_BUSY, "its last frame, 4, is not there");
	kd_manifest_result_clear(&result);
	client_expect_text(&client_scratch, "in/s/f_1.png", "another");
	assert_true(client_exists(&client_scratch, "failed/s/f/f_1.png"));
	assert_true(client_exists(&client_scratch, "failed/s/f/f_4.png"));
	assert_true(client_exists(&client_scratch, "failed/s/f.reason.txt"));
}

/* It died when the frames were back, in part, and the reason was not removed. */
static void
test_a_return_that_was_cut_off_is_taken_up(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	gap_in_quarantine();
	write_frames(3, 3);
	client_mkdir(&client_scratch, "in/.kiln-claim");
	assert_int_equal(chmod(client_path(&client_scratch, "in/.kiln-claim"), 0700), 0);
	assert_int_equal(
		rename(client_path(&client_scratch, "failed/s/f"),
			client_path(&client_scratch, "in/.kiln-claim/100~f_%d.png")),
		0);
	assert_int_equal(rename(client_path(&client_scratch,
					"in/.kiln-claim/100~f_%d.png/f_2.png"),
				 client_path(&client_scratch, "in/s/f_2.png")),
		0);
	again(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	expect_published(&manifest);
	client_expect_text(&client_scratch, "out/f/f_2.png", "in/s/f_2.png");
	client_expect_text(&client_scratch, "in/s/f_4.png", "in/s/f_4.png");
	expect_quarantine_empty("failed/s");
}

static void
test_a_bundle_comes_back_when_it_was_put_right(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	client_mkdir(&client_scratch, "in/m");
	client_write(&client_scratch, "in/m/chair.obj", "v");
	client_write(&client_scratch, "in/m/chair_big.obj", "another");
	assert_int_equal(
		symlink("/etc/passwd", client_path(&client_scratch, "in/m/chair.mtl")),
		0);
	quarantined(KILN_BUNDLE, "m/chair.obj", "'chair.mtl' is a symbolic link");
	assert_int_equal(
		unlink(client_path(&client_scratch, "failed/m/chair/chair.mtl")), 0);
	client_write(&client_scratch, "failed/m/chair/chair.mtl", "red");
	again(&manifest, KILN_BUNDLE, "m/chair.obj");
	expect_published(&manifest);
	client_expect_text(&client_scratch, "in/m/chair.obj", "v");
	client_expect_text(&client_scratch, "in/m/chair.mtl", "red");
	client_expect_text(&client_scratch, "in/m/chair_big.obj", "another");
	client_expect_text(&client_scratch, "out/chair/chair.mtl", "red");
	expect_quarantine_empty("failed/m");
}

static void
test_a_directory_comes_back_when_it_was_put_right(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	client_mkdir(&client_scratch, "in/d");
	client_mkdir(&client_scratch, "in/d/sub");
	client_write(&client_scratch, "in/d/sub/a", "a");
	assert_int_equal(
		symlink("/etc/passwd", client_path(&client_scratch, "in/d/b")), 0);
	quarantined(KILN_DIRECTORY, "d", "it holds 'b', which is a symbolic link");
	assert_int_equal(unlink(client_path(&client_scratch, "failed/d/b")), 0);
	again(&manifest, KILN_DIRECTORY, "d");
	expect_published(&manifest);
	client_expect_text(&client_scratch, "in/d/sub/a", "a");
	client_expect_text(&client_scratch, "out/d/sub/a", "a");
	expect_quarantine_empty("failed");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CLIENT_TEST(test_what_is_no_sequence),
		CLIENT_TEST(test_missing_frames),
		CLIENT_TEST(test_a_sequence_is_published_by_number),
		CLIENT_TEST(test_a_bundle_moves_as_a_folder),
		CLIENT_TEST(test_a_refused_sequence_is_quarantined_as_a_folder),
		CLIENT_TEST(test_a_sequence_comes_back_to_its_place),
		CLIENT_TEST(test_a_sequence_comes_back_to_be_moved),
		CLIENT_TEST(test_what_is_still_wrong_goes_back_as_it_was),
		CLIENT_TEST(test_frames_that_are_there_are_not_touched),
		CLIENT_TEST(test_a_return_that_was_cut_off_is_taken_up),
		CLIENT_TEST(test_a_bundle_comes_back_when_it_was_put_right),
		CLIENT_TEST(test_a_directory_comes_back_when_it_was_put_right),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
