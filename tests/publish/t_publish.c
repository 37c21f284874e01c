/* SPDX-License-Identifier: BSD-2-Clause */
/* How outputs appear: names, versions, modes, and what stands already. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "daemon/publish/sidecar.h"
#include "tests/worker/client.h"
#include "tests/worker/scratch.h"

#include <cmocka.h>

#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Drops `text` as in/a.txt and runs a kernel of hostile's that makes a.out and
 * a.preview.out of it. */
static void
run_pair(const char *text, enum kd_collision collision, struct kd_result *result)
{
	static const char *const names[] = {"a.txt", NULL};
	struct kd_manifest manifest;
	scratch_write("in/a.txt", text);
	client_manifest(&manifest, "hostile", "paired", names);
	manifest.collision = collision;
	client_once(&manifest, result);
}

static void
versions_stay_together(void **state)
{
	(void)state;
	struct kd_result result;
	run_pair("one", KD_COLLISION_VERSION, &result);
	client_expect_published(&result, 0);
	assert_string_equal(result.units[0].primary, scratch_path("out/a.out"));
	kd_manifest_result_clear(&result);
	run_pair("two", KD_COLLISION_VERSION, &result);
	client_expect_published(&result, 0);
	assert_string_equal(result.units[0].primary, scratch_path("out/a.2.out"));
	assert_string_equal(
		result.units[0].sidecar, scratch_path("out/a.2.out.kiln.json"));
	kd_manifest_result_clear(&result);
	scratch_expect_text("out/a.out", "one");
	scratch_expect_text("out/a.preview.out", "one");
	scratch_expect_text("out/a.2.out", "two");
	scratch_expect_text("out/a.2.preview.out", "two");
	/* Each content is found where it was published. */
	run_pair("one", KD_COLLISION_VERSION, &result);
	client_expect(&result, 0, KD_UNIT_ALREADY, "out/a.out");
	kd_manifest_result_clear(&result);
	run_pair("two", KD_COLLISION_VERSION, &result);
	client_expect(&result, 0, KD_UNIT_ALREADY, "out/a.2.out");
	kd_manifest_result_clear(&result);
	run_pair("three", KD_COLLISION_VERSION, &result);
	client_expect(&result, 0, KD_UNIT_PUBLISHED, "");
	scratch_expect_text("out/a.3.out", "three");
	kd_manifest_result_clear(&result);
}

static void
a_foreign_file_is_left_alone(void **state)
{
	(void)state;
	struct kd_result result;
	scratch_write("out/a.preview.out", "mine");
	run_pair("one", KD_COLLISION_VERSION, &result);
	client_expect_published(&result, 0);
	scratch_expect_text("out/a.preview.out", "mine");
	scratch_expect_text("out/a.2.out", "one");
	assert_false(scratch_exists("out/a.out"));
	assert_false(scratch_exists("out/a.out.kiln.json"));
	kd_manifest_result_clear(&result);
}

static void
keep_leaves_what_stands_there(void **state)
{
	(void)state;
	struct kd_result result;
	run_pair("one", KD_COLLISION_KEEP, &result);
	client_expect_published(&result, 0);
	kd_manifest_result_clear(&result);
	run_pair("two", KD_COLLISION_KEEP, &result);
	client_expect(&result, 0, KD_UNIT_KEPT, "an older output stands: '");
	scratch_expect_text("out/a.out", "one");
	assert_false(scratch_exists("out/a.2.out"));
	kd_manifest_result_clear(&result);
}

static void
replace_takes_its_place(void **state)
{
	(void)state;
	struct kd_result result;
	run_pair("one", KD_COLLISION_REPLACE, &result);
	kd_manifest_result_clear(&result);
	run_pair("two", KD_COLLISION_REPLACE, &result);
	client_expect(&result, 0, KD_UNIT_PUBLISHED, "");
	client_expect_published(&result, 0);
	scratch_expect_text("out/a.out", "two");
	scratch_expect_text("out/a.preview.out", "two");
	assert_false(scratch_exists("out/a.2.out"));
	kd_manifest_result_clear(&result);
}

/* a.out.kiln.json, edited as an attempt that died would have left it. */
static void
edit_sidecar(void (*edit)(json_t *sidecar))
{
	const char *path = scratch_path("out/a.out.kiln.json");
	json_t *sidecar = json_load_file(path, 0, NULL);
	assert_non_null(sidecar);
	edit(sidecar);
	assert_int_equal(json_dump_file(sidecar, path, 0), 0);
	json_decref(sidecar);
}

static void
replaced_companions_go(void **state)
{
	(void)state;
	struct kd_result result;
	run_pair("one", KD_COLLISION_REPLACE, &result);
	kd_manifest_result_clear(&result);
	scratch_write("out/a.notes.out", "mine");
	run_pair("other", KD_COLLISION_REPLACE, &result);
	client_expect_published(&result, 0);
	kd_manifest_result_clear(&result);
	scratch_expect_text("out/a.out", "other");
	scratch_expect_text("out/a.curves.out", "other");
	assert_false(scratch_exists("out/a.preview.out"));
	scratch_expect_text("out/a.notes.out", "mine");
	/* What somebody has changed since is his. */
	scratch_write("out/a.curves.out", "edited");
	run_pair("lone", KD_COLLISION_REPLACE, &result);
	client_expect_published(&result, 0);
	kd_manifest_result_clear(&result);
	scratch_expect_text("out/a.out", "lone");
	scratch_expect_text("out/a.curves.out", "edited");
	assert_false(scratch_exists("out/a.preview.out"));
}

static void
versions_keep_their_companions(void **state)
{
	(void)state;
	struct kd_result result;
	run_pair("one", KD_COLLISION_VERSION, &result);
	kd_manifest_result_clear(&result);
	run_pair("lone", KD_COLLISION_VERSION, &result);
	client_expect_published(&result, 0);
	kd_manifest_result_clear(&result);
	scratch_expect_text("out/a.preview.out", "one");
	scratch_expect_text("out/a.2.out", "lone");
}

/* It died when the new primary stood and the old companion did, too. */
static void
what_a_crash_left_is_removed(void **state)
{
	(void)state;
	struct kd_result result;
	run_pair("one", KD_COLLISION_REPLACE, &result);
	kd_manifest_result_clear(&result);
	run_pair("lone", KD_COLLISION_REPLACE, &result);
	kd_manifest_result_clear(&result);
	assert_false(scratch_exists("out/a.preview.out"));
	scratch_write("out/a.preview.out", "one");
	run_pair("lone", KD_COLLISION_REPLACE, &result);
	client_expect(&result, 0, KD_UNIT_ALREADY, "out/a.out");
	kd_manifest_result_clear(&result);
	assert_false(scratch_exists("out/a.preview.out"));
	/* Another unit's by now: its own sidecar says so. */
	scratch_write("out/a.preview.out", "one");
	scratch_write("out/b.out.kiln.json",
		"{\"format\":1,\"outputs\":[{\"name\":\"a.preview.out\"}]}");
	run_pair("lone", KD_COLLISION_REPLACE, &result);
	client_expect(&result, 0, KD_UNIT_ALREADY, "out/a.out");
	kd_manifest_result_clear(&result);
	scratch_expect_text("out/a.preview.out", "one");
}

/* The sidecar of one that died before its primary: its own companions are not there. */
static void
forget_primary(json_t *sidecar)
{
	json_t *outputs = json_object_get(sidecar, "outputs");
	json_object_set_new(sidecar, "sha256", json_string("another"));
	json_object_set_new(json_array_get(outputs, 0), "sha256", json_string("another"));
}

static void
what_two_have_replaced_goes(void **state)
{
	(void)state;
	struct kd_result result;
	run_pair("one", KD_COLLISION_REPLACE, &result);
	kd_manifest_result_clear(&result);
	run_pair("other", KD_COLLISION_REPLACE, &result);
	kd_manifest_result_clear(&result);
	/* As if "other" had got no further than its sidecar and its companion. */
	scratch_write("out/a.preview.out", "one");
	edit_sidecar(forget_primary);
	run_pair("lone", KD_COLLISION_REPLACE, &result);
	client_expect_published(&result, 0);
	kd_manifest_result_clear(&result);
	scratch_expect_text("out/a.out", "lone");
	assert_false(scratch_exists("out/a.preview.out"));
	assert_false(scratch_exists("out/a.curves.out"));
}

static void
run_directory(enum kd_collision collision, struct kd_result *result)
{
	static const char *const names[] = {"shot/", NULL};
	struct kd_manifest manifest;
	client_manifest(&manifest, "copy", "copy", names);
	manifest.collision = collision;
	free(manifest.units[0].output);
	manifest.units[0].output = strdup("show/day");
	client_once(&manifest, result);
}

static void
directories_appear_whole(void **state)
{
	(void)state;
	struct kd_result result;
	assert_int_equal(mkdir(scratch_path("in/shot"), 0755), 0);
	assert_int_equal(mkdir(scratch_path("in/shot/sub"), 0755), 0);
	scratch_write("in/shot/1.png", "one");
	scratch_write("in/shot/sub/2.png", "two");
	run_directory(KD_COLLISION_VERSION, &result);
	client_expect(&result, 0, KD_UNIT_PUBLISHED, "");
	client_expect_published(&result, 0);
	assert_string_equal(
		result.units[0].sidecar, scratch_path("out/show/day/shot/kiln.json"));
	kd_manifest_result_clear(&result);
	struct stat st;
	assert_int_equal(stat(scratch_path("out/show/day/shot/sub"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	run_directory(KD_COLLISION_VERSION, &result);
	client_expect(&result, 0, KD_UNIT_ALREADY, "out/show/day/shot");
	kd_manifest_result_clear(&result);
	scratch_write("in/shot/1.png", "another");
	run_directory(KD_COLLISION_VERSION, &result);
	client_expect_published(&result, 0);
	scratch_expect_text("out/show/day/shot/1.png", "one");
	scratch_expect_text("out/show/day/shot.2/1.png", "another");
	kd_manifest_result_clear(&result);
	scratch_write("in/shot/1.png", "a third");
	run_directory(KD_COLLISION_REPLACE, &result);
	client_expect_published(&result, 0);
	scratch_expect_text("out/show/day/shot/1.png", "a third");
	kd_manifest_result_clear(&result);
}

static void
mode_and_group_are_set_before_it_appears(void **state)
{
	(void)state;
	static const char *const names[] = {"a.txt", NULL};
	static const char *const files[] = {
		"out/a.out", "out/a.preview.out", "out/a.out.kiln.json"};
	struct kd_manifest manifest;
	struct kd_result result;
	struct stat st;
	scratch_write("in/a.txt", "x");
	client_manifest(&manifest, "hostile", "paired", names);
	manifest.mode = 0664;
	gid_t expected = getegid();
	const struct group *games = geteuid() == 0 ? getgrnam("games") : NULL;
	if (games != NULL) {
		manifest.group = strdup("games");
		expected = games->gr_gid;
	}
	client_once(&manifest, &result);
	client_expect_published(&result, 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(stat(scratch_path(files[i]), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0664);
		assert_int_equal(st.st_gid, expected);
	}
	kd_manifest_result_clear(&result);
}

static void
asked_for_again_it_makes_a_new_version(void **state)
{
	(void)state;
	static const char *const names[] = {"a.txt", NULL};
	struct kd_manifest manifest;
	struct kd_result result;
	struct client client = {.again = 1};
	scratch_write("in/a.txt", "x");
	client_manifest(&manifest, "hostile", "paired", names);
	client_start(&client);
	for (int i = 0; i < 3; i++) {
		/* Runs 0 and 1 are two units of the ledger, run 2 repeats the second. */
		manifest.units[0].id = i == 0 ? 1 : 2;
		assert_int_equal(client_run(&client, &manifest, &result), 0);
		client_expect(
			&result, 0, i < 2 ? KD_UNIT_PUBLISHED : KD_UNIT_ALREADY, "");
		kd_manifest_result_clear(&result);
	}
	assert_true(scratch_exists("out/a.2.out"));
	assert_false(scratch_exists("out/a.3.out"));
	assert_int_equal(client_stop(&client), 0);
	kd_manifest_clear(&manifest);
}

static void
the_sidecar_says_where_it_came_from(void **state)
{
	(void)state;
	static const char *const present[] = {"kiln", "rule", "revision", "unit", "path",
		"batch", "attempt", "kernel", "plugin", "plugin_version", "variant",
		"device", "params", "path_params", "inputs", "outputs", "facts",
		"warnings", "started", "finished", "seconds", "host"};
	struct kd_result result;
	run_pair("one", KD_COLLISION_VERSION, &result);
	json_t *sidecar = json_load_file(result.units[0].sidecar, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(sidecar, "format")),
		KD_SIDECAR_FORMAT);
	for (size_t i = 0; i < sizeof present / sizeof *present; i++)
		if (json_object_get(sidecar, present[i]) == NULL)
			fail_msg("the sidecar lacks '%s'", present[i]);
	const char *started = json_string_value(json_object_get(sidecar, "started"));
	unsigned year;
	assert_int_equal(sscanf(started, "%4u-%*2u-%*2uT%*2u:%*2u:%*2u.%*3uZ", &year), 1);
	assert_true(year >= 2024);
	json_decref(sidecar);
	kd_manifest_result_clear(&result);
}

static void
too_long_a_name_is_refused(void **state)
{
	(void)state;
	char name[256], path[300];
	struct kd_manifest manifest;
	memset(name, 'n', 250);
	strcpy(name + 250, ".txt");
	snprintf(path, sizeof path, "in/%s", name);
	scratch_write(path, "x");
	const char *const names[] = {name, NULL};
	client_manifest(&manifest, "copy", "copy", names);
	client_expect_once(&manifest, 0, KD_UNIT_BAD,
		"its output's name would be longer than 255 bytes");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(versions_stay_together),
		SCRATCH_TEST(a_foreign_file_is_left_alone),
		SCRATCH_TEST(keep_leaves_what_stands_there),
		SCRATCH_TEST(replaced_companions_go),
		SCRATCH_TEST(versions_keep_their_companions),
		SCRATCH_TEST(what_a_crash_left_is_removed),
		SCRATCH_TEST(what_two_have_replaced_goes),
		SCRATCH_TEST(replace_takes_its_place),
		SCRATCH_TEST(directories_appear_whole),
		SCRATCH_TEST(mode_and_group_are_set_before_it_appears),
		SCRATCH_TEST(asked_for_again_it_makes_a_new_version),
		SCRATCH_TEST(the_sidecar_says_where_it_came_from),
		SCRATCH_TEST(too_long_a_name_is_refused),
	};
	return cmocka_run_group_tests_name("publish/publish", tests, NULL, NULL);
}
