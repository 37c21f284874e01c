/* SPDX-License-Identifier: BSD-2-Clause */
/* Units of several files, and claims: what a rule may move is out of everybody's reach
 * while it is worked on, and back or on its way whatever happens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "daemon/worker/claim.h"
#include "daemon/worker/protocol.h"
#include "plugins/kiln_plugin.h"
#include "tests/worker/client.h"

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct scratch scratch;

static int
set_up(void **state)
{
	(void)state;
	client_scratch_make(&scratch);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	client_scratch_remove(&scratch);
	return 0;
}

static void
make_folder(const char *name)
{
	assert_int_equal(mkdir(client_path(&scratch, name), 0755), 0);
}

static void
write_frames(int from, int to)
{
	char name[64];
	for (int i = from; i <= to; i++) {
		snprintf(name, sizeof name, "in/s/f_%d.png", i);
		client_write(&scratch, name, name);
	}
}

/* A manifest of one unit of that kind. */
static void
one_unit(struct kd_manifest *manifest, uint32_t kind, const char *path)
{
	const char *const names[] = {path, NULL};
	static const char *const meshes[] = {"*.obj", "*.fbx"};
	client_manifest(manifest, &scratch, "copy", "copy", names);
	manifest->units[0].kind = kind;
	manifest->sequence_first = manifest->sequence_last = -1;
	manifest->match = calloc(3, sizeof *manifest->match);
	for (int i = 0; i < 2; i++)
		manifest->match[i] = strdup(meshes[i]);
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
	make_folder("in/s");
	write_frames(1, 3);
	one_unit(&manifest, KILN_SEQUENCE, "s/f_1.png");
	expect_once(&manifest, KD_UNIT_BAD, "its name is no pattern of numbered files");
	one_unit(&manifest, KILN_SEQUENCE, "s/g_%d.png");
	expect_once(&manifest, KD_UNIT_GONE, "");
	one_unit(&manifest, KILN_SEQUENCE, "nowhere/f_%d.png");
	expect_once(&manifest, KD_UNIT_GONE, "");
	assert_int_equal(symlink("f_3.png", client_path(&scratch, "in/s/f_4.png")), 0);
	one_unit(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	expect_once(&manifest, KD_UNIT_BAD, "'f_4.png' is a symbolic link");
}

static void
test_missing_frames(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	make_folder("in/s");
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
	make_folder("in/s");
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
	assert_true(client_exists(&scratch, "out/f/f_10.png"));
	assert_false(client_exists(&scratch, "out/f/f_30.png"));
}

static void
expect_no_failures(json_t *failed)
{
	if (json_array_size(failed) != 0)
		fail_msg("%s", json_string_value(json_object_get(
				       json_array_get(failed, 0), "reason")));
	json_decref(failed);
}

/* Runs the manifest and says FINISH. */
static void
run_and_finish(struct kd_manifest *manifest, struct kd_result *result)
{
	struct client client = {0};
	client_start(&client);
	assert_int_equal(client_run(&client, manifest, result), 0);
	expect_no_failures(client_finish(&client, 1));
	assert_int_equal(client_stop(&client), 0);
	kd_manifest_clear(manifest);
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
	make_folder("in/m");
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(name, sizeof name, "in/m/%s", files[i]);
		client_write(&scratch, name, name);
	}
	one_unit(&manifest, KILN_BUNDLE, "m/chair.obj");
	manifest.inputs = KD_INPUTS_MOVE;
	manifest.done = strdup(client_path(&scratch, "done"));
	run_and_finish(&manifest, &result);
	client_expect_published(&result, 0);
	kd_manifest_result_clear(&result);
	for (size_t i = 0; i < 4; i++) {
		snprintf(name, sizeof name, "out/chair/%s", files[i]);
		assert_true(client_exists(&scratch, name));
		snprintf(name, sizeof name, "done/m/chair/%s", files[i]);
		assert_true(client_exists(&scratch, name));
	}
	assert_false(client_exists(&scratch, "out/chair/chair_big.obj"));
	assert_true(client_exists(&scratch, "in/m/chair_big.obj"));
	assert_true(client_exists(&scratch, "in/m/stool.png"));
	assert_false(client_exists(&scratch, "in/m/chair.mtl"));
}

static void
test_a_refused_sequence_is_quarantined_as_a_folder(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	struct kd_result result;
	make_folder("in/s");
	write_frames(1, 2);
	write_frames(4, 4);
	one_unit(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	manifest.quarantine = strdup(client_path(&scratch, "failed"));
	run_and_finish(&manifest, &result);
	client_expect(&result, 0, KD_UNIT_BAD, "1 frame is missing: 3");
	kd_manifest_result_clear(&result);
	assert_true(client_exists(&scratch, "failed/s/f/f_4.png"));
	assert_true(client_exists(&scratch, "failed/s/f.reason.txt"));
	assert_false(client_exists(&scratch, "in/s/f_1.png"));
}

static int was_claimed;

static int
look_on_progress(struct client *client, const struct kd_wire_message *message)
{
	struct stat st;
	(void)client;
	if (message->type == KD_MSG_UNIT_PROGRESS)
		was_claimed = stat(client_path(&scratch, "in/.kiln-claim"), &st) == 0 &&
			      (st.st_mode & 0777) == 0700 &&
			      client_exists(&scratch, "in/.kiln-claim/100~a.txt") &&
			      !client_exists(&scratch, "in/sub/a.txt");
	return 0;
}

static int
drop_on_progress(struct client *client, const struct kd_wire_message *message)
{
	(void)client;
	if (message->type == KD_MSG_UNIT_PROGRESS)
		client_write(&scratch, "in/sub/a.txt", "the next one");
	return 0;
}

static int
kill_on_progress(struct client *client, const struct kd_wire_message *message)
{
	if (message->type == KD_MSG_UNIT_PROGRESS)
		kill(client->keeper, SIGKILL);
	return 0;
}

/* sub/a.txt in a rule that moves; the kernel sits on it for so many seconds. */
static void
move_one(struct kd_manifest *manifest, double pause)
{
	static const char *const names[] = {"sub/a.txt", NULL};
	client_manifest(manifest, &scratch, "copy", "copy", names);
	json_object_set_new(manifest->params, "pause", json_real(pause));
	manifest->inputs = KD_INPUTS_MOVE;
	manifest->done = strdup(client_path(&scratch, "done"));
}

static void
expect_text(const char *name, const char *expected)
{
	char *text = client_read(&scratch, name);
	assert_string_equal(text, expected);
	free(text);
}

static void
test_claimed_while_it_runs(void **state)
{
	(void)state;
	struct client client = {.hook = look_on_progress};
	struct kd_manifest manifest;
	struct kd_result result;
	make_folder("in/sub");
	client_write(&scratch, "in/sub/a.txt", "content");
	move_one(&manifest, 0);
	client_start(&client);
	was_claimed = 0;
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect_published(&result, 0);
	assert_true(was_claimed);
	kd_manifest_result_clear(&result);
	/* A drop of that name that came meanwhile is another. */
	client_write(&scratch, "in/sub/a.txt", "the next one");
	expect_no_failures(client_finish(&client, 1));
	expect_no_failures(client_finish(&client, 1));
	expect_text("done/sub/a.txt", "content");
	expect_text("in/sub/a.txt", "the next one");
	assert_false(client_exists(&scratch, "in/.kiln-claim"));
	assert_int_equal(client_stop(&client), 0);
	kd_manifest_clear(&manifest);
}

static void
test_a_claim_left_by_a_crash_is_taken_up(void **state)
{
	(void)state;
	struct client client = {.hook = kill_on_progress};
	struct kd_manifest manifest;
	struct kd_result result;
	make_folder("in/sub");
	client_write(&scratch, "in/sub/a.txt", "content");
	move_one(&manifest, 60);
	client_start(&client);
	assert_true(client_run(&client, &manifest, &result) < 0);
	client_stop(&client);
	assert_false(client_exists(&scratch, "in/sub/a.txt"));
	assert_true(client_exists(&scratch, "in/.kiln-claim/100~a.txt"));
	json_object_del(manifest.params, "pause");
	run_and_finish(&manifest, &result);
	client_expect_published(&result, 0);
	kd_manifest_result_clear(&result);
	expect_text("done/sub/a.txt", "content");
	assert_false(client_exists(&scratch, "in/.kiln-claim/100~a.txt"));
}

/* Whoever waits for a writer puts the claim back; where that fails it must come again, or
 * nobody would ever look into the claim folder for it. */
static void
test_what_cannot_go_back_comes_again(void **state)
{
	(void)state;
	struct client client = {.hook = kill_on_progress};
	struct kd_manifest manifest;
	struct kd_result result;
	make_folder("in/sub");
	client_write(&scratch, "in/sub/a.txt", "content");
	move_one(&manifest, 60);
	client_start(&client);
	assert_true(client_run(&client, &manifest, &result) < 0);
	client_stop(&client);
	json_object_del(manifest.params, "pause");
	int writer = open(
		client_path(&scratch, "in/.kiln-claim/100~a.txt"), O_WRONLY | O_CLOEXEC);
	assert_true(writer >= 0);
	assert_int_equal(rmdir(client_path(&scratch, "in/sub")), 0);
	client_write(&scratch, "in/sub", "in the way");
	manifest.verify_writers = 1;
	client = (struct client){0};
	client_start(&client);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect(&result, 0, KD_UNIT_HELD, "it could not be put back yet");
	kd_manifest_result_clear(&result);
	client_stop(&client);
	assert_true(client_exists(&scratch, "in/.kiln-claim/100~a.txt"));
	close(writer);
	assert_int_equal(unlink(client_path(&scratch, "in/sub")), 0);
	run_and_finish(&manifest, &result);
	client_expect_published(&result, 0);
	kd_manifest_result_clear(&result);
	expect_text("done/sub/a.txt", "content");
	assert_false(client_exists(&scratch, "in/.kiln-claim/100~a.txt"));
}

static void
test_not_seen_is_not_absent(void **state)
{
	(void)state;
	char name[NAME_MAX + 64], path[NAME_MAX + 80];
	struct kd_claim claim;
	struct kd_content_source original = {.root = -1, .path = "a.txt"};
	original.kind = KILN_FILE;
	assert_int_equal(kd_claim_find(&claim, 100, &original), -EBADF);
	assert_false(claim.held);
	original.root =
		open(client_path(&scratch, "in"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(original.root >= 0);
	/* No claim folder, and one that is none, say that nothing is claimed. */
	assert_int_equal(kd_claim_find(&claim, 100, &original), 0);
	client_write(&scratch, "in/.kiln-claim", "a file");
	assert_int_equal(kd_claim_find(&claim, 100, &original), 0);
	assert_false(claim.held);
	/* The rest of a sequence lies where nobody can look. */
	assert_int_equal(unlink(client_path(&scratch, "in/.kiln-claim")), 0);
	make_folder("in/.kiln-claim");
	make_folder("in/.kiln-claim/100~f_%d.png");
	memset(name, 'n', sizeof name);
	name[sizeof name - 1] = '\0';
	snprintf(path, sizeof path, "%s/f_%%d.png", name);
	original.kind = KILN_SEQUENCE;
	original.path = path;
	original.first = original.last = -1;
	assert_int_equal(kd_claim_find(&claim, 100, &original), -ENAMETOOLONG);
	assert_false(claim.held);
	/* It was claimed whole. */
	original.path = "f_%d.png";
	assert_int_equal(kd_claim_find(&claim, 100, &original), 0);
	assert_true(claim.held);
	close(original.root);
}

static void
test_a_claim_is_put_back_when_the_rule_keeps(void **state)
{
	(void)state;
	struct client client = {.hook = kill_on_progress};
	struct kd_manifest manifest;
	struct kd_result result;
	make_folder("in/sub");
	client_write(&scratch, "in/sub/a.txt", "content");
	move_one(&manifest, 60);
	client_start(&client);
	assert_true(client_run(&client, &manifest, &result) < 0);
	client_stop(&client);
	manifest.inputs = KD_INPUTS_KEEP;
	json_object_del(manifest.params, "pause");
	run_and_finish(&manifest, &result);
	client_expect_published(&result, 0);
	kd_manifest_result_clear(&result);
	expect_text("in/sub/a.txt", "content");
}

static void
test_a_sequence_claimed_in_part_is_taken_up(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	struct kd_result result;
	make_folder("in/s");
	write_frames(1, 4);
	/* As if it had died after two of the renames. */
	make_folder("in/.kiln-claim");
	assert_int_equal(chmod(client_path(&scratch, "in/.kiln-claim"), 0700), 0);
	make_folder("in/.kiln-claim/100~f_%d.png");
	for (int i = 1; i <= 2; i++) {
		char from[64], to[64];
		snprintf(from, sizeof from, "in/s/f_%d.png", i);
		snprintf(to, sizeof to, "in/.kiln-claim/100~f_%%d.png/f_%d.png", i);
		assert_int_equal(
			rename(client_path(&scratch, from), client_path(&scratch, to)),
			0);
	}
	one_unit(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	manifest.sequence_first = 1;
	manifest.sequence_last = 4;
	manifest.inputs = KD_INPUTS_DELETE;
	run_and_finish(&manifest, &result);
	client_expect_published(&result, 0);
	assert_int_equal(result.units[0].output_count, 4);
	kd_manifest_result_clear(&result);
	assert_false(client_exists(&scratch, "in/.kiln-claim/100~f_%d.png"));
	assert_false(client_exists(&scratch, "in/s/f_3.png"));
	assert_true(client_exists(&scratch, "out/f/f_1.png"));
}

static int
cancel_on_progress(struct client *client, const struct kd_wire_message *message)
{
	if (message->type == KD_MSG_UNIT_PROGRESS)
		client_cancel(client);
	return drop_on_progress(client, message);
}

static void
test_what_is_cancelled_goes_back(void **state)
{
	(void)state;
	static const char *const names[] = {"sub/a.txt", NULL};
	struct client client = {.hook = cancel_on_progress};
	struct kd_manifest manifest;
	struct kd_result result;
	make_folder("in/sub");
	client_write(&scratch, "in/sub/a.txt", "content");
	client_manifest(&manifest, &scratch, "copy", "copy", names);
	json_object_set_new(manifest.params, "chunk", json_integer(1));
	json_object_set_new(manifest.params, "pause", json_real(60));
	manifest.inputs = KD_INPUTS_DELETE;
	client_start(&client);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect(&result, 0, KD_UNIT_CANCELLED, "cancelled");
	kd_manifest_result_clear(&result);
	assert_int_equal(client_stop(&client), 0);
	kd_manifest_clear(&manifest);
	/* Its name was taken meanwhile: neither is lost. */
	expect_text("in/sub/a.txt", "the next one");
	expect_text("in/sub/a.2.txt", "content");
}

static void
test_a_claim_folder_of_others_is_not_used(void **state)
{
	(void)state;
	struct client client = {.hook = look_on_progress};
	struct kd_manifest manifest;
	struct kd_result result;
	make_folder("in/sub");
	make_folder("in/.kiln-claim");
	client_write(&scratch, "in/sub/a.txt", "content");
	move_one(&manifest, 0);
	client_start(&client);
	was_claimed = 0;
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect_published(&result, 0);
	assert_false(was_claimed);
	expect_no_failures(client_finish(&client, 1));
	expect_text("done/sub/a.txt", "content");
	kd_manifest_result_clear(&result);
	assert_int_equal(client_stop(&client), 0);
	kd_manifest_clear(&manifest);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_is_no_sequence),
		TEST(test_missing_frames),
		TEST(test_a_sequence_is_published_by_number),
		TEST(test_a_bundle_moves_as_a_folder),
		TEST(test_a_refused_sequence_is_quarantined_as_a_folder),
		TEST(test_claimed_while_it_runs),
		TEST(test_a_claim_left_by_a_crash_is_taken_up),
		TEST(test_what_cannot_go_back_comes_again),
		TEST(test_not_seen_is_not_absent),
		TEST(test_a_claim_is_put_back_when_the_rule_keeps),
		TEST(test_a_sequence_claimed_in_part_is_taken_up),
		TEST(test_what_is_cancelled_goes_back),
		TEST(test_a_claim_folder_of_others_is_not_used),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
