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
		was_claimed =
			stat(client_path(&client_scratch, "in/.kiln-claim"), &st) == 0 &&
			(st.st_mode & 0777) == 0700 &&
			client_exists(&client_scratch, "in/.kiln-claim/100~a.txt") &&
			!client_exists(&client_scratch, "in/sub/a.txt");
	return 0;
}

static int
drop_on_progress(struct client *client, const struct kd_wire_message *message)
{
	(void)client;
	if (message->type == KD_MSG_UNIT_PROGRESS)
		client_write(&client_scratch, "in/sub/a.txt", "the next one");
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
	client_manifest(manifest, &client_scratch, "copy", "copy", names);
	json_object_set_new(manifest->params, "pause", json_real(pause));
	manifest->inputs = KD_INPUTS_MOVE;
	manifest->done = strdup(client_path(&client_scratch, "done"));
}

static void
test_claimed_while_it_runs(void **state)
{
	(void)state;
	struct client client = {.hook = look_on_progress};
	struct kd_manifest manifest;
	struct kd_result result;
	client_mkdir(&client_scratch, "in/sub");
	client_write(&client_scratch, "in/sub/a.txt", "content");
	move_one(&manifest, 0);
	client_start(&client);
	was_claimed = 0;
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect_published(&result, 0);
	assert_true(was_claimed);
	kd_manifest_result_clear(&result);
	/* A drop of that name that came meanwhile is another. */
	client_write(&client_scratch, "in/sub/a.txt", "the next one");
	client_expect_no_failures(client_finish(&client, 1));
	client_expect_no_failures(client_finish(&client, 1));
	client_expect_text(&client_scratch, "done/sub/a.txt", "content");
	client_expect_text(&client_scratch, "in/sub/a.txt", "the next one");
	assert_false(client_exists(&client_scratch, "in/.kiln-claim"));
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
	client_mkdir(&client_scratch, "in/sub");
	client_write(&client_scratch, "in/sub/a.txt", "content");
	move_one(&manifest, 60);
	client_start(&client);
	assert_true(client_run(&client, &manifest, &result) < 0);
	client_stop(&client);
	assert_false(client_exists(&client_scratch, "in/sub/a.txt"));
	assert_true(client_exists(&client_scratch, "in/.kiln-claim/100~a.txt"));
	json_object_del(manifest.params, "pause");
	client_run_and_finish(&manifest, &result);
	client_expect_published(&result, 0);
	kd_manifest_result_clear(&result);
	client_expect_text(&client_scratch, "done/sub/a.txt", "content");
	assert_false(client_exists(&client_scratch, "in/.kiln-claim/100~a.txt"));
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
	client_mkdir(&client_scratch, "in/sub");
	client_write(&client_scratch, "in/sub/a.txt", "content");
	move_one(&manifest, 60);
	client_start(&client);
	assert_true(client_run(&client, &manifest, &result) < 0);
	client_stop(&client);
	json_object_del(manifest.params, "pause");
	int writer = open(client_path(&client_scratch, "in/.kiln-claim/100~a.txt"),
		O_WRONLY | O_CLOEXEC);
	assert_true(writer >= 0);
	assert_int_equal(rmdir(client_path(&client_scratch, "in/sub")), 0);
	client_write(&client_scratch, "in/sub", "in the way");
	manifest.verify_writers = 1;
	client = (struct client){0};
	client_start(&client);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect(&result, 0, KD_UNIT_HELD, "it could not be put back yet");
	kd_manifest_result_clear(&result);
	client_stop(&client);
	assert_true(client_exists(&client_scratch, "in/.kiln-claim/100~a.txt"));
	close(writer);
	assert_int_equal(unlink(client_path(&client_scratch, "in/sub")), 0);
	client_run_and_finish(&manifest, &result);
	client_expect_published(&result, 0);
	kd_manifest_result_clear(&result);
	client_expect_text(&client_scratch, "done/sub/a.txt", "content");
	assert_false(client_exists(&client_scratch, "in/.kiln-claim/100~a.txt"));
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
	original.root = open(
		client_path(&client_scratch, "in"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(original.root >= 0);
	/* No claim folder, and one that is none, say that nothing is claimed. */
	assert_int_equal(kd_claim_find(&claim, 100, &original), 0);
	client_write(&client_scratch, "in/.kiln-claim", "a file");
	assert_int_equal(kd_claim_find(&claim, 100, &original), 0);
	assert_false(claim.held);
	/* The rest of a sequence lies where nobody can look. */
	assert_int_equal(unlink(client_path(&client_scratch, "in/.kiln-claim")), 0);
	client_mkdir(&client_scratch, "in/.kiln-claim");
	client_mkdir(&client_scratch, "in/.kiln-claim/100~f_%d.png");
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
	client_mkdir(&client_scratch, "in/sub");
	client_write(&client_scratch, "in/sub/a.txt", "content");
	move_one(&manifest, 60);
	client_start(&client);
	assert_true(client_run(&client, &manifest, &result) < 0);
	client_stop(&client);
	manifest.inputs = KD_INPUTS_KEEP;
	json_object_del(manifest.params, "pause");
	client_run_and_finish(&manifest, &result);
	client_expect_published(&result, 0);
	kd_manifest_result_clear(&result);
	client_expect_text(&client_scratch, "in/sub/a.txt", "content");
}

static void
test_a_sequence_claimed_in_part_is_taken_up(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	struct kd_result result;
	client_mkdir(&client_scratch, "in/s");
	client_write_frames(&client_scratch, "in/s/f_%d.png", 1, 4);
	/* As if it had died after two of the renames. */
	client_mkdir(&client_scratch, "in/.kiln-claim");
	assert_int_equal(chmod(client_path(&client_scratch, "in/.kiln-claim"), 0700), 0);
	client_mkdir(&client_scratch, "in/.kiln-claim/100~f_%d.png");
	for (int i = 1; i <= 2; i++) {
		char from[64], to[64];
		snprintf(from, sizeof from, "in/s/f_%d.png", i);
		snprintf(to, sizeof to, "in/.kiln-claim/100~f_%%d.png/f_%d.png", i);
		assert_int_equal(rename(client_path(&client_scratch, from),
					 client_path(&client_scratch, to)),
			0);
	}
	client_manifest_unit(&manifest, &client_scratch, KILN_SEQUENCE, "s/f_%d.png");
	manifest.sequence_first = 1;
	manifest.sequence_last = 4;
	manifest.inputs = KD_INPUTS_DELETE;
	client_run_and_finish(&manifest, &result);
	client_expect_published(&result, 0);
	assert_int_equal(result.units[0].output_count, 4);
	kd_manifest_result_clear(&result);
	assert_false(client_exists(&client_scratch, "in/.kiln-claim/100~f_%d.png"));
	assert_false(client_exists(&client_scratch, "in/s/f_3.png"));
	assert_true(client_exists(&client_scratch, "out/f/f_1.png"));
}

/* Whatever of a bundle was claimed, or put back, when its keeper died. */
static void
test_a_bundle_claimed_in_part_is_taken_up(void **state)
{
	(void)state;
	static const char *const files[] = {"chair.mtl", "chair.obj", "chair_wood.png"};
	for (unsigned claimed = 0; claimed < 8; claimed++) {
		/* The main file is claimed last, and put back first. */
		if (claimed == 2 || claimed == 3 || claimed == 6)
			continue;
		struct kd_manifest manifest;
		struct kd_result result;
		client_mkdir(&client_scratch, "in/.kiln-claim");
		client_mkdir(&client_scratch, "in/.kiln-claim/100~chair.obj");
		assert_int_equal(
			chmod(client_path(&client_scratch, "in/.kiln-claim"), 0700), 0);
		for (unsigned i = 0; i < 3; i++) {
			char name[64];
			snprintf(name, sizeof name, "in/%s%s",
				(claimed & 1 << i) != 0 ? ".kiln-claim/100~chair.obj/"
							: "",
				files[i]);
			client_write(&client_scratch, name, files[i]);
		}
		client_manifest_unit(
			&manifest, &client_scratch, KILN_BUNDLE, "chair.obj");
		manifest.inputs = KD_INPUTS_DELETE;
		client_run_and_finish(&manifest, &result);
		client_expect_published(&result, 0);
		assert_int_equal(result.units[0].output_count, 3);
		kd_manifest_result_clear(&result);
		/* Only an empty folder can be removed. */
		assert_int_equal(rmdir(client_path(&client_scratch, "in")), 0);
		client_mkdir(&client_scratch, "in");
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
test_what_is_cancelled_goes_back(void **state)
{
	(void)state;
	static const char *const names[] = {"sub/a.txt", NULL};
	struct client client = {.hook = cancel_on_progress};
	struct kd_manifest manifest;
	struct kd_result result;
	client_mkdir(&client_scratch, "in/sub");
	client_write(&client_scratch, "in/sub/a.txt", "content");
	client_manifest(&manifest, &client_scratch, "copy", "copy", names);
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
	client_expect_text(&client_scratch, "in/sub/a.txt", "the next one");
	client_expect_text(&client_scratch, "in/sub/a.2.txt", "content");
}

static void
test_a_claim_folder_of_others_is_not_used(void **state)
{
	(void)state;
	struct client client = {.hook = look_on_progress};
	struct kd_manifest manifest;
	struct kd_result result;
	client_mkdir(&client_scratch, "in/sub");
	client_mkdir(&client_scratch, "in/.kiln-claim");
	client_write(&client_scratch, "in/sub/a.txt", "content");
	move_one(&manifest, 0);
	client_start(&client);
	was_claimed = 0;
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect_published(&result, 0);
	assert_false(was_claimed);
	client_expect_no_failures(client_finish(&client, 1));
	client_expect_text(&client_scratch, "done/sub/a.txt", "content");
	kd_manifest_result_clear(&result);
	assert_int_equal(client_stop(&client), 0);
	kd_manifest_clear(&manifest);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CLIENT_TEST(test_claimed_while_it_runs),
		CLIENT_TEST(test_a_claim_left_by_a_crash_is_taken_up),
		CLIENT_TEST(test_what_cannot_go_back_comes_again),
		CLIENT_TEST(test_not_seen_is_not_absent),
		CLIENT_TEST(test_a_claim_is_put_back_when_the_rule_keeps),
		CLIENT_TEST(test_a_sequence_claimed_in_part_is_taken_up),
		CLIENT_TEST(test_a_bundle_claimed_in_part_is_taken_up),
		CLIENT_TEST(test_what_is_cancelled_goes_back),
		CLIENT_TEST(test_a_claim_folder_of_others_is_not_used),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
