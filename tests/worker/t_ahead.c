/* SPDX-License-Identifier: BSD-2-Clause */
/* Large units: the engine begins before anybody knows what they are, and its work counts
 * only when that is known and let. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "daemon/base/hash.h"
#include "daemon/worker/protocol.h"
#include "plugins/kiln_plugin.h"
#include "tests/worker/client.h"
#include "tests/worker/scratch.h"

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LARGE = 9 << 20 };

/* in/NAME, large; no two seeds give the same. */
static void
write_large(const char *name, uint32_t seed)
{
	char inside[300];
	snprintf(inside, sizeof inside, "in/%s", name);
	uint32_t *words = malloc(LARGE);
	assert_non_null(words);
	for (size_t i = 0; i < LARGE / sizeof *words; i++)
		words[i] = seed = seed * 1664525u + 1013904223u;
	int fd = open(
		scratch_path(inside), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, words, LARGE), LARGE);
	close(fd);
	free(words);
}

static void
append(const char *inside)
{
	int fd = open(scratch_path(inside), O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "more", 4), 4);
	close(fd);
}

static void
copy_of(struct kd_manifest *manifest, const char *const *names, double pause)
{
	client_manifest(manifest, "copy", "copy", names);
	if (pause > 0)
		json_object_set_new(manifest->params, "pause", json_real(pause));
}

static void
move_away(struct kd_manifest *manifest)
{
	manifest->inputs = KD_INPUTS_MOVE;
	manifest->done = strdup(scratch_path("done"));
}

static const char *const one[] = {"a.bin", NULL};

/* The client waits for progress before it says that the unit may run: whoever waits for
 * the client first would wait for ever. */
static void
a_large_unit_runs_before_the_verdict(void **state)
{
	(void)state;
	struct client_batch batch = {.client = {.late = 1}};
	write_large("a.bin", 1);
	copy_of(&batch.manifest, one, 0);
	client_batch_run(&batch);
	client_expect_published(&batch.result, 0);
	assert_int_equal(batch.result.units[0].output_count, 1);
	assert_string_equal(
		batch.result.units[0].sha256, batch.result.units[0].outputs[0].sha256);
	client_batch_end(&batch);
}

/* Small ones that are large together. */
static void
small_ones_that_are_large_together_run_before_it(void **state)
{
	(void)state;
	static const char *const names[] = {"a.bin", "b.txt", "c.txt", "d.txt", NULL};
	struct client_batch batch = {.client = {.late = 1}};
	write_large("a.bin", 1);
	scratch_write("in/b.txt", "one");
	scratch_write("in/c.txt", "two");
	scratch_write("in/d.txt", "three");
	copy_of(&batch.manifest, names, 0);
	move_away(&batch.manifest);
	client_batch_run(&batch);
	for (uint32_t i = 0; i < 4; i++) {
		client_expect_published(&batch.result, i);
		assert_int_equal(batch.result.units[i].output_count, 1);
		assert_string_equal(batch.result.units[i].sha256,
			batch.result.units[i].outputs[0].sha256);
	}
	json_decref(client_finish(&batch.client, 4));
	scratch_expect_text("done/d.txt", "three");
	scratch_expect_text("out/c.txt", "two");
	client_batch_end(&batch);
}

/* The kernel would take ten minutes; it is asked to stop, and stays warm. */
static void
the_same_content_publishes_nothing(void **state)
{
	(void)state;
	struct client_batch batch = {.client = {.late = 1, .same = "/srv/out/earlier"}};
	write_large("a.bin", 1);
	copy_of(&batch.manifest, one, 60);
	client_batch_run(&batch);
	client_expect(&batch.result, 0, KD_UNIT_SAME, "/srv/out/earlier");
	assert_int_equal(batch.result.units[0].output_count, 0);
	assert_int_equal(strlen(batch.result.units[0].sha256), KD_HASH_HEX - 1);
	assert_null(batch.result.failure);
	assert_int_equal(scratch_count("out"), 0);
	pid_t engine = client_engine(&batch.client);
	assert_true(engine > 0);
	client_batch_run_again(&batch);
	client_expect(&batch.result, 0, KD_UNIT_SAME, "/srv/out/earlier");
	assert_int_equal(client_engine(&batch.client), engine);
	client_batch_end(&batch);
}

/* The kernel was done with it when the verdict came. */
static void
a_result_that_waits_is_dropped(void **state)
{
	(void)state;
	static const char *const two[] = {"a.bin", "b.bin", NULL};
	struct client_batch batch = {.client = {.late = 1, .same = "/srv/out/earlier"}};
	write_large("a.bin", 1);
	scratch_write("in/b.bin", "small");
	copy_of(&batch.manifest, two, 0);
	move_away(&batch.manifest);
	client_batch_run(&batch);
	for (uint32_t i = 0; i < 2; i++) {
		client_expect(&batch.result, i, KD_UNIT_SAME, "/srv/out/earlier");
		assert_int_equal(batch.result.units[i].output_count, 0);
	}
	assert_int_equal(scratch_count("out"), 0);
	json_decref(client_finish(&batch.client, 2));
	assert_true(scratch_exists("done/a.bin"));
	assert_true(scratch_exists("done/b.bin"));
	client_batch_end(&batch);
}

static int
change_on_progress(struct client *client, const struct kd_wire_message *message)
{
	if (message->type == KD_MSG_UNIT_PROGRESS && !client->progressed)
		append("in/a.bin");
	return 0;
}

static void
expect_changed(int moves)
{
	struct client_batch batch = {.client = {.late = 1, .hook = change_on_progress}};
	write_large("a.bin", 1);
	copy_of(&batch.manifest, one, 0);
	if (moves)
		move_away(&batch.manifest);
	client_batch_run(&batch);
	/* It depends on who was faster: seen by whoever hashes, or by who compares. */
	if (batch.result.units[0].status != KD_UNIT_BUSY)
		client_expect(&batch.result, 0, KD_UNIT_CHANGED, "it changed while");
	assert_int_equal(scratch_count("out"), 0);
	assert_true(scratch_exists("in/a.bin"));
	assert_false(scratch_exists("in/.kiln-claim/100~a.bin"));
	client_batch_end(&batch);
}

static void
one_that_changes_while_it_is_hashed_is_dropped(void **state)
{
	(void)state;
	expect_changed(0);
}

static void
one_that_changes_before_it_is_claimed_is_dropped(void **state)
{
	(void)state;
	expect_changed(1);
}

/* Claimed once it may run, which the engine that reads it does not notice. */
static int
look_for_claim(struct client *client, const struct kd_wire_message *message)
{
	int *claimed = client->context;
	if (message->type == KD_MSG_UNIT_PROGRESS)
		*claimed |= scratch_exists("in/.kiln-claim/100~a.bin");
	return 0;
}

static void
it_is_claimed_while_it_runs(void **state)
{
	(void)state;
	int claimed = 0;
	struct client_batch batch = {
		.client = {.late = 1, .hook = look_for_claim, .context = &claimed}};
	write_large("a.bin", 1);
	copy_of(&batch.manifest, one, .2);
	move_away(&batch.manifest);
	client_batch_run(&batch);
	client_expect_published(&batch.result, 0);
	assert_true(claimed);
	json_decref(client_finish(&batch.client, 1));
	assert_true(scratch_exists("done/a.bin"));
	assert_false(scratch_exists("in/a.bin"));
	client_batch_end(&batch);
}

/* An attempt that died before it could tell: the next one finds what it published, however
 * far the engine has come. */
static void
what_was_published_is_not_published_again(void **state)
{
	(void)state;
	struct client_batch batch = {.client = {.late = 1, .again = 1}};
	write_large("a.bin", 1);
	for (int i = 0; i < 2; i++) {
		copy_of(&batch.manifest, one, 0);
		client_batch_run(&batch);
		if (i == 1)
			client_expect(
				&batch.result, 0, KD_UNIT_ALREADY, "published before as");
		client_expect_published(&batch.result, 0);
		assert_int_equal(scratch_count("out"), 2);
		client_batch_end(&batch);
	}
}

/* What crashes an engine has an identity all the same. */
static void
a_crash_is_known_by_its_content(void **state)
{
	(void)state;
	static const char *const names[] = {"poison.bin", NULL};
	char hex[KD_HASH_HEX];
	struct kd_manifest manifest;
	struct kd_result result;
	write_large("poison.bin", 1);
	int fd = open(scratch_path("in/poison.bin"), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(kd_hash_file(fd, hex, NULL), 0);
	close(fd);
	client_manifest(&manifest, "hostile", "crash-on-name", names);
	client_once(&manifest, &result);
	client_expect(&result, 0, KD_UNIT_CRASHED, "was killed by SIGSEGV");
	assert_string_equal(result.units[0].sha256, hex);
	kd_manifest_result_clear(&result);
}

static int
cancel_on_progress(struct client *client, const struct kd_wire_message *message)
{
	if (message->type == KD_MSG_UNIT_PROGRESS && !client->progressed)
		client_cancel(client);
	return 0;
}

static void
it_is_cancelled_without_a_verdict(void **state)
{
	(void)state;
	struct client_batch batch = {.client = {.late = 1, .hook = cancel_on_progress}};
	write_large("a.bin", 1);
	copy_of(&batch.manifest, one, 60);
	client_batch_run(&batch);
	client_expect(&batch.result, 0, KD_UNIT_CANCELLED, "cancelled");
	assert_int_equal(scratch_count("out"), 0);
	client_batch_end(&batch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(a_large_unit_runs_before_the_verdict),
		SCRATCH_TEST(small_ones_that_are_large_together_run_before_it),
		SCRATCH_TEST(the_same_content_publishes_nothing),
		SCRATCH_TEST(a_result_that_waits_is_dropped),
		SCRATCH_TEST(one_that_changes_while_it_is_hashed_is_dropped),
		SCRATCH_TEST(one_that_changes_before_it_is_claimed_is_dropped),
		SCRATCH_TEST(it_is_claimed_while_it_runs),
		SCRATCH_TEST(what_was_published_is_not_published_again),
		SCRATCH_TEST(a_crash_is_known_by_its_content),
		SCRATCH_TEST(it_is_cancelled_without_a_verdict),
	};
	return cmocka_run_group_tests_name("worker/ahead", tests, NULL, NULL);
}
