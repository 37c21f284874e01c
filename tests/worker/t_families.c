/* SPDX-License-Identifier: BSD-2-Clause */
/* Units of several files: what makes one, where it goes as a whole, and how it comes back
 * from quarantine when somebody has it tried again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "plugins/kiln_plugin.h"
#include "tests/worker/client.h"
#include "tests/worker/scratch.h"

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
	scratch_write_frames("in/s/f_%d.png", from, to);
}

static void
what_is_no_sequence_is_refused(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	scratch_mkdir("in/s");
	write_frames(1, 3);
	client_manifest_unit(&manifest, KILN_SEQUENCE, "s/f_1.png");
	client_expect_once(
		&manifest, 0, KD_UNIT_BAD, "its name is no pattern of numbered files");
	client_manifest_unit(&manifest, KILN_SEQUENCE, "s/g_%d.png");
	client_expect_once(&manifest, 0, KD_UNIT_GONE, "");
	client_manifest_unit(&manifest, KILN_SEQUENCE, "nowhere/f_%d.png");
	client_expect_once(&manifest, 0, KD_UNIT_GONE, "");
	assert_int_equal(symlink("f_3.png", scratch_path("in/s/f_4.png")), 0);
	client_manifest_unit(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	client_expect_once(&manifest, 0, KD_UNIT_BAD, "'f_4.png' is a symbolic link");
}

static void
missing_frames_are_named_or_waited_for(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	scratch_mkdir("in/s");
	write_frames(3, 5);
	write_frames(7, 7);
	write_frames(12, 12);
	client_manifest_unit(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	manifest.sequence_first = 1;
	client_expect_once(
		&manifest, 0, KD_UNIT_BAD, "7 frames are missing: 1 to 2, 6, 8 to 11");
	client_manifest_unit(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	manifest.sequence_first = 3;
	manifest.sequence_last = 7;
	client_expect_once(&manifest, 0, KD_UNIT_BAD, "1 frame is missing: 6");
	client_manifest_unit(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	manifest.sequence_last = 13;
	manifest.sequence_gaps = 1;
	client_expect_once(
		&manifest, 0, KD_UNIT_BUSY, "its last frame, 13, is not there");
	for (int i = 20; i < 60; i += 2)
		write_frames(i, i);
	client_manifest_unit(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	client_expect_once(&manifest, 0, KD_UNIT_BAD, "and more in");
}

static void
a_sequence_is_published_by_number(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	struct kd_result result;
	scratch_mkdir("in/s");
	write_frames(8, 11);
	write_frames(30, 30);
	client_manifest_unit(&manifest, KILN_SEQUENCE, "s/f_%d.png");
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
	assert_true(scratch_exists("out/f/f_10.png"));
	assert_false(scratch_exists("out/f/f_30.png"));
}

static void
a_bundle_moves_as_a_folder(void **state)
{
	(void)state;
	static const char *const files[] = {"chair.obj", "chair.fbx", "chair.mtl",
		"chair_diffuse.png", "chair_big.obj", "stool.png"};
	struct kd_manifest manifest;
	struct kd_result result;
	char name[64];
	scratch_mkdir("in/m");
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(name, sizeof name, "in/m/%s", files[i]);
		scratch_write(name, name);
	}
	client_manifest_unit(&manifest, KILN_BUNDLE, "m/chair.obj");
	manifest.inputs = KD_INPUTS_MOVE;
	manifest.done = strdup(scratch_path("done"));
	client_run_and_finish(&manifest, &result);
	client_expect_published(&result, 0);
	kd_manifest_result_clear(&result);
	for (size_t i = 0; i < 4; i++) {
		snprintf(name, sizeof name, "out/chair/%s", files[i]);
		assert_true(scratch_exists(name));
		snprintf(name, sizeof name, "done/m/chair/%s", files[i]);
		assert_true(scratch_exists(name));
	}
	assert_false(scratch_exists("out/chair/chair_big.obj"));
	assert_true(scratch_exists("in/m/chair_big.obj"));
	assert_true(scratch_exists("in/m/stool.png"));
	assert_false(scratch_exists("in/m/chair.mtl"));
}

static void
a_refused_sequence_is_quarantined_as_a_folder(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	struct kd_result result;
	scratch_mkdir("in/s");
	write_frames(1, 2);
	write_frames(4, 4);
	client_manifest_unit(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	manifest.quarantine = strdup(scratch_path("failed"));
	client_run_and_finish(&manifest, &result);
	client_expect(&result, 0, KD_UNIT_BAD, "1 frame is missing: 3");
	kd_manifest_result_clear(&result);
	assert_true(scratch_exists("failed/s/f/f_4.png"));
	assert_true(scratch_exists("failed/s/f.reason.txt"));
	assert_false(scratch_exists("in/s/f_1.png"));
}

/* A unit that is quarantined, for one that is tried again. */
static void
quarantined(uint32_t kind, const char *path, const char *reason)
{
	struct kd_manifest manifest;
	struct kd_result result;
	client_manifest_unit(&manifest, kind, path);
	manifest.quarantine = strdup(scratch_path("failed"));
	client_run_and_finish(&manifest, &result);
	client_expect(&result, 0, KD_UNIT_BAD, reason);
	kd_manifest_result_clear(&result);
}

static void
again(struct kd_manifest *manifest, uint32_t kind, const char *path)
{
	client_manifest_unit(manifest, kind, path);
	manifest->quarantine = strdup(scratch_path("failed"));
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
	assert_false(scratch_exists("in/.kiln-claim"));
}

/* Nothing at all is left of it in quarantine. */
static void
expect_quarantine_empty(const char *folder)
{
	const char *path = scratch_path(folder);
	/* Only an empty folder can be removed. */
	if (rmdir(path) < 0)
		fail_msg("%s: %s", path, strerror(errno));
}

static void
gap_in_quarantine(void)
{
	scratch_mkdir("in/s");
	write_frames(1, 2);
	write_frames(4, 4);
	quarantined(KILN_SEQUENCE, "s/f_%d.png", "1 frame is missing: 3");
	assert_true(scratch_exists("failed/s/f/f_4.png"));
}

static void
a_sequence_comes_back_to_its_place(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	struct stat before, after;
	gap_in_quarantine();
	assert_int_equal(stat(scratch_path("failed/s/f/f_1.png"), &before), 0);
	/* The frame that was missing has come meanwhile. */
	write_frames(3, 3);
	again(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	expect_published(&manifest);
	assert_int_equal(stat(scratch_path("in/s/f_1.png"), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	scratch_expect_text("in/s/f_4.png", "in/s/f_4.png");
	scratch_expect_text("out/f/f_3.png", "in/s/f_3.png");
	expect_quarantine_empty("failed/s");
}

static void
a_sequence_comes_back_to_be_moved(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	gap_in_quarantine();
	write_frames(3, 3);
	again(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	manifest.inputs = KD_INPUTS_MOVE;
	manifest.done = strdup(scratch_path("done"));
	expect_published(&manifest);
	scratch_expect_text("done/s/f/f_3.png", "in/s/f_3.png");
	scratch_expect_text("done/s/f/f_4.png", "in/s/f_4.png");
	expect_quarantine_empty("failed/s");
	expect_quarantine_empty("in/s");
}

static void
what_is_still_wrong_goes_back_as_it_was(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	struct kd_result result;
	gap_in_quarantine();
	again(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	client_run_and_finish(&manifest, &result);
	client_expect(&result, 0, KD_UNIT_BAD, "1 frame is missing: 3");
	kd_manifest_result_clear(&result);
	assert_true(scratch_exists("failed/s/f/f_4.png"));
	assert_true(scratch_exists("failed/s/f.reason.txt"));
	assert_false(scratch_exists("failed/s/f.2"));
	expect_quarantine_empty("in/s");
}

static void
frames_that_are_there_are_not_touched(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	gap_in_quarantine();
	scratch_write("in/s/f_1.png", "another");
	again(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	manifest.sequence_last = 4;
	client_expect_once(&manifest, 0, KD_UNIT_BUSY, "its last frame, 4, is not there");
	scratch_expect_text("in/s/f_1.png", "another");
	assert_true(scratch_exists("failed/s/f/f_1.png"));
	assert_true(scratch_exists("failed/s/f/f_4.png"));
	assert_true(scratch_exists("failed/s/f.reason.txt"));
}

/* It died when the frames were back, in part, and the reason was not removed. */
static void
a_return_that_was_cut_off_is_taken_up(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	gap_in_quarantine();
	write_frames(3, 3);
	scratch_mkdir("in/.kiln-claim");
	assert_int_equal(chmod(scratch_path("in/.kiln-claim"), 0700), 0);
	assert_int_equal(rename(scratch_path("failed/s/f"),
				 scratch_path("in/.kiln-claim/100~f_%d.png")),
		0);
	assert_int_equal(rename(scratch_path("in/.kiln-claim/100~f_%d.png/f_2.png"),
				 scratch_path("in/s/f_2.png")),
		0);
	again(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	expect_published(&manifest);
	scratch_expect_text("out/f/f_2.png", "in/s/f_2.png");
	scratch_expect_text("in/s/f_4.png", "in/s/f_4.png");
	expect_quarantine_empty("failed/s");
}

static void
a_bundle_comes_back_when_it_was_put_right(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	scratch_mkdir("in/m");
	scratch_write("in/m/chair.obj", "v");
	scratch_write("in/m/chair_big.obj", "another");
	assert_int_equal(symlink("/etc/passwd", scratch_path("in/m/chair.mtl")), 0);
	quarantined(KILN_BUNDLE, "m/chair.obj", "'chair.mtl' is a symbolic link");
	assert_int_equal(unlink(scratch_path("failed/m/chair/chair.mtl")), 0);
	scratch_write("failed/m/chair/chair.mtl", "red");
	again(&manifest, KILN_BUNDLE, "m/chair.obj");
	expect_published(&manifest);
	scratch_expect_text("in/m/chair.obj", "v");
	scratch_expect_text("in/m/chair.mtl", "red");
	scratch_expect_text("in/m/chair_big.obj", "another");
	scratch_expect_text("out/chair/chair.mtl", "red");
	expect_quarantine_empty("failed/m");
}

static void
a_directory_comes_back_when_it_was_put_right(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	scratch_mkdir("in/d");
	scratch_mkdir("in/d/sub");
	scratch_write("in/d/sub/a", "a");
	assert_int_equal(symlink("/etc/passwd", scratch_path("in/d/b")), 0);
	quarantined(KILN_DIRECTORY, "d", "it holds 'b', which is a symbolic link");
	assert_int_equal(unlink(scratch_path("failed/d/b")), 0);
	again(&manifest, KILN_DIRECTORY, "d");
	expect_published(&manifest);
	scratch_expect_text("in/d/sub/a", "a");
	scratch_expect_text("out/d/sub/a", "a");
	expect_quarantine_empty("failed");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(what_is_no_sequence_is_refused),
		SCRATCH_TEST(missing_frames_are_named_or_waited_for),
		SCRATCH_TEST(a_sequence_is_published_by_number),
		SCRATCH_TEST(a_bundle_moves_as_a_folder),
		SCRATCH_TEST(a_refused_sequence_is_quarantined_as_a_folder),
		SCRATCH_TEST(a_sequence_comes_back_to_its_place),
		SCRATCH_TEST(a_sequence_comes_back_to_be_moved),
		SCRATCH_TEST(what_is_still_wrong_goes_back_as_it_was),
		SCRATCH_TEST(frames_that_are_there_are_not_touched),
		SCRATCH_TEST(a_return_that_was_cut_off_is_taken_up),
		SCRATCH_TEST(a_bundle_comes_back_when_it_was_put_right),
		SCRATCH_TEST(a_directory_comes_back_when_it_was_put_right),
	};
	return cmocka_run_group_tests_name("worker/families", tests, NULL, NULL);
}
