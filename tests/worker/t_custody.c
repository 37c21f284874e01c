/* SPDX-License-Identifier: BSD-2-Clause */
/* Claims: what a rule may move is out of everybody's reach while it is worked on, and back
 * or on its way whatever happens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "daemon/worker/claim.h"
#include "daemon/worker/protocol.h"
#include "plugins/kiln_plugin.h"
#include "tests/worker/client.h"
#include "tests/worker/scratch.h"

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

static int was_claimed;

static int
look_on_progress(struct client *client, const struct kd_wire_message *message)
{
	struct stat st;
	(void)client;
	if (message->type == KD_MSG_UNIT_PROGRESS)
		was_claimed = stat(scratch_path("in/.kiln-claim"), &st) == 0 &&
			      (st.st_mode & 0777) == 0700 &&
			      scratch_exists("in/.kiln-claim/100~a.txt") &&
			      !scratch_exists("in/sub/a.txt");
	return 0;
}

static int
drop_on_progress(struct client *client, const struct kd_wire_message *message)
{
	(void)client;
	if (message->type == KD_MSG_UNIT_PROGRESS)
		scratch_write("in/sub/a.txt", "the next one");
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
	scratch_mkdir("in/sub");
	scratch_write("in/sub/a.txt", "content");
	client_manifest(manifest, "copy", "copy", names);
	json_object_set_new(manifest->params, "pause", json_real(pause));
	manifest->inputs = KD_INPUTS_MOVE;
	manifest->done = strdup(scratch_path("done"));
}

/* A keeper dies over it; what is to come of it in the next life is the caller's. */
static void
die_over_one(struct kd_manifest *manifest)
{
	struct client client = {.hook = kill_on_progress};
	struct kd_result result;
	move_one(manifest, 60);
	client_start(&client);
	assert_true(client_run(&client, manifest, &result) < 0);
	client_stop(&client);
	json_object_del(manifest->params, "pause");
	assert_false(scratch_exists("in/sub/a.txt"));
	assert_true(scratch_exists("in/.kiln-claim/100~a.txt"));
}

/* The next life, in which it is published, and disposed of as the rule says. */
static void
expect_taken_up(struct kd_manifest *manifest)
{
	struct kd_result result;
	client_run_and_finish(manifest, &result);
	client_expect_published(&result, 0);
	kd_manifest_result_clear(&result);
	assert_false(scratch_exists("in/.kiln-claim/100~a.txt"));
}

static void
a_unit_is_claimed_while_it_runs(void **state)
{
	(void)state;
	struct client_batch batch = {.client = {.hook = look_on_progress}};
	was_claimed = 0;
	move_one(&batch.manifest, 0);
	client_batch_run(&batch);
	client_expect_published(&batch.result, 0);
	assert_true(was_claimed);
	/* A drop of that name that came meanwhile is another. */
	scratch_write("in/sub/a.txt", "the next one");
	client_expect_no_failures(client_finish(&batch.client, 1));
	client_expect_no_failures(client_finish(&batch.client, 1));
	scratch_expect_text("done/sub/a.txt", "content");
	scratch_expect_text("in/sub/a.txt", "the next one");
	assert_false(scratch_exists("in/.kiln-claim"));
	client_batch_end(&batch);
}

static void
a_claim_left_by_a_crash_is_taken_up(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	die_over_one(&manifest);
	expect_taken_up(&manifest);
	scratch_expect_text("done/sub/a.txt", "content");
}

/* Whoever waits for a writer puts the claim back; where that fails it must come again, or
 * nobody would ever look into the claim folder for it. */
static void
what_cannot_go_back_comes_again(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	struct client client = {0};
	struct kd_result result;
	die_over_one(&manifest);
	int writer = open(scratch_path("in/.kiln-claim/100~a.txt"), O_WRONLY | O_CLOEXEC);
	assert_true(writer >= 0);
	assert_int_equal(rmdir(scratch_path("in/sub")), 0);
	scratch_write("in/sub", "in the way");
	manifest.verify_writers = 1;
	client_start(&client);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect(&result, 0, KD_UNIT_HELD, "it could not be put back yet");
	kd_manifest_result_clear(&result);
	client_stop(&client);
	assert_true(scratch_exists("in/.kiln-claim/100~a.txt"));
	close(writer);
	assert_int_equal(unlink(scratch_path("in/sub")), 0);
	expect_taken_up(&manifest);
	scratch_expect_text("done/sub/a.txt", "content");
}

static void
what_is_not_seen_is_not_absent(void **state)
{
	(void)state;
	char name[NAME_MAX + 64], path[NAME_MAX + 80];
	struct kd_claim claim;
	struct kd_content_source original = {.root = -1, .path = "a.txt"};
	original.kind = KILN_FILE;
	assert_int_equal(kd_claim_find(&claim, 100, &original), -EBADF);
	assert_false(claim.held);
	original.root = open(scratch_path("in"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(original.root >= 0);
	/* No claim folder, and one that is none, say that nothing is claimed. */
	assert_int_equal(kd_claim_find(&claim, 100, &original), 0);
	scratch_write("in/.kiln-claim", "a file");
	assert_int_equal(kd_claim_find(&claim, 100, &original), 0);
	assert_false(claim.held);
	/* The rest of a sequence lies where nobody can look. */
	assert_int_equal(unlink(scratch_path("in/.kiln-claim")), 0);
	scratch_mkdir("in/.kiln-claim");
	scratch_mkdir("in/.kiln-claim/100~f_%d.png");
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
a_claim_is_put_back_when_the_rule_keeps(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	die_over_one(&manifest);
	manifest.inputs = KD_INPUTS_KEEP;
	expect_taken_up(&manifest);
	scratch_expect_text("in/sub/a.txt", "content");
}

static void
a_sequence_claimed_in_part_is_taken_up(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	struct kd_result result;
	scratch_mkdir("in/s");
	scratch_write_frames("in/s/f_%d.png", 1, 4);
	/* As if it had died after two of the renames. */
	scratch_mkdir("in/.kiln-claim");
	assert_int_equal(chmod(scratch_path("in/.kiln-claim"), 0700), 0);
	scratch_mkdir("in/.kiln-claim/100~f_%d.png");
	for (int i = 1; i <= 2; i++) {
		char from[64], to[64];
		snprintf(from, sizeof from, "in/s/f_%d.png", i);
		snprintf(to, sizeof to, "in/.kiln-claim/100~f_%%d.png/f_%d.png", i);
		assert_int_equal(rename(scratch_path(from), scratch_path(to)), 0);
	}
	client_manifest_unit(&manifest, KILN_SEQUENCE, "s/f_%d.png");
	manifest.sequence_first = 1;
	manifest.sequence_last = 4;
	manifest.inputs = KD_INPUTS_DELETE;
	client_run_and_finish(&manifest, &result);
	client_expect_published(&result, 0);
	assert_int_equal(result.units[0].output_count, 4);
	kd_manifest_result_clear(&result);
	assert_false(scratch_exists("in/.kiln-claim/100~f_%d.png"));
	assert_false(scratch_exists("in/s/f_3.png"));
	assert_true(scratch_exists("out/f/f_1.png"));
}

/* Whatever of a bundle was claimed, or put back, when its keeper died. */
static void
a_bundle_claimed_in_part_is_taken_up(void **state)
{
	(void)state;
	static const char *const files[] = {"chair.mtl", "chair.obj", "chair_wood.png"};
	for (unsigned claimed = 0; claimed < 8; claimed++) {
		/* The main file is claimed last, and put back first. */
		if (claimed == 2 || claimed == 3 || claimed == 6)
			continue;
		struct kd_manifest manifest;
		struct kd_result result;
		scratch_mkdir("in/.kiln-claim");
		scratch_mkdir("in/.kiln-claim/100~chair.obj");
		assert_int_equal(chmod(scratch_path("in/.kiln-claim"), 0700), 0);
		for (unsigned i = 0; i < 3; i++) {
			char name[64];
			snprintf(name, sizeof name, "in/%s%s",
				(claimed & 1 << i) != 0 ? ".kiln-claim/100~chair.obj/"
							: "",
				files[i]);
			scratch_write(name, files[i]);
		}
		client_manifest_unit(&manifest, KILN_BUNDLE, "chair.obj");
		manifest.inputs = KD_INPUTS_DELETE;
		client_run_and_finish(&manifest, &result);
		client_expect_published(&result, 0);
		assert_int_equal(result.units[0].output_count, 3);
		kd_manifest_result_clear(&result);
		/* Only an empty folder can be removed. */
		assert_int_equal(rmdir(scratch_path("in")), 0);
		scratch_mkdir("in");
	}
}

static int
cancel_on_progress(struct client *client, const struct kd_wire_message *message)
{
	if (message->type == KD_MSG_UNIT_PROGRESS)
		client_cancel(client);
	return drop_on_progress(client, message);
}

static void
what_is_cancelled_goes_back(void **state)
{
	(void)state;
	struct client_batch batch = {.client = {.hook = cancel_on_progress}};
	move_one(&batch.manifest, 60);
	json_object_set_new(batch.manifest.params, "chunk", json_integer(1));
	batch.manifest.inputs = KD_INPUTS_DELETE;
	client_batch_run(&batch);
	client_expect(&batch.result, 0, KD_UNIT_CANCELLED, "cancelled");
	client_batch_end(&batch);
	/* Its name was taken meanwhile: neither is lost. */
	scratch_expect_text("in/sub/a.txt", "the next one");
	scratch_expect_text("in/sub/a.2.txt", "content");
}

static void
a_claim_folder_of_others_is_not_used(void **state)
{
	(void)state;
	struct client_batch batch = {.client = {.hook = look_on_progress}};
	was_claimed = 0;
	scratch_mkdir("in/.kiln-claim");
	move_one(&batch.manifest, 0);
	client_batch_run(&batch);
	client_expect_published(&batch.result, 0);
	assert_false(was_claimed);
	client_expect_no_failures(client_finish(&batch.client, 1));
	scratch_expect_text("done/sub/a.txt", "content");
	client_batch_end(&batch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(a_unit_is_claimed_while_it_runs),
		SCRATCH_TEST(a_claim_left_by_a_crash_is_taken_up),
		SCRATCH_TEST(what_cannot_go_back_comes_again),
		SCRATCH_TEST(what_is_not_seen_is_not_absent),
		SCRATCH_TEST(a_claim_is_put_back_when_the_rule_keeps),
		SCRATCH_TEST(a_sequence_claimed_in_part_is_taken_up),
		SCRATCH_TEST(a_bundle_claimed_in_part_is_taken_up),
		SCRATCH_TEST(what_is_cancelled_goes_back),
		SCRATCH_TEST(a_claim_folder_of_others_is_not_used),
	};
	return cmocka_run_group_tests_name("worker/custody", tests, NULL, NULL);
}
