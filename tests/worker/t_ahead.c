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

#include <cmocka.h>

#include <dirent.h>
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
	int fd = open(client_path(&client_scratch, inside),
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, words, LARGE), LARGE);
	close(fd);
	free(words);
}

static void
append(const char *inside)
{
	int fd = open(
		client_path(&client_scratch, inside), O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "more", 4), 4);
	close(fd);
}

/* Names in out/ but the stage's. */
static int
count_outputs(void)
{
	DIR *dir = opendir(client_path(&client_scratch, "out"));
	const struct dirent *entry;
	int count = 0;
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static void
copy_of(struct kd_manifest *manifest, const char *const *names, double pause)
{
	client_manifest(manifest, &client_scratch, "copy", "copy", names);
	if (pause > 0)
		json_object_set_new(manifest->params, "pause", json_real(pause));
}

static void
move_away(struct kd_manifest *manifest)
{
	manifest->inputs = KD_INPUTS_MOVE;
	manifest->done = strdup(client_path(&client_scratch, "done"));
}

static const char *const one[] = {"a.bin", NULL};

/* The client waits for progress before it says that the unit may run: whoever waits for
 * the client first would wait for ever. */
static void
test_runs_before_the_verdict(void **state)
{
	(void)state;
	struct client client = {.late = 1};
	struct kd_manifest manifest;
	struct kd_result result;
	write_large("a.bin", 1);
	copy_of(&manifest, one, 0);
	client_start(&client);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect_published(&result, 0);
	assert_int_equal(result.units[0].output_count, 1);
	assert_string_equal(result.units[0].sha256, result.units[0].outputs[0].sha256);
	assert_int_equal(client_stop(&client), 0);
	kd_manifest_result_clear(&result);
	kd_manifest_clear(&manifest);
}

/* Small ones that are large together. */
static void
test_many_together(void **state)
{
	(void)state;
	static const char *const names[] = {"a.bin", "b.txt", "c.txt", "d.txt", NULL};
	struct client client = {.late = 1};
	struct kd_manifest manifest;
	struct kd_result result;
	write_large("a.bin", 1);
	client_write(&client_scratch, "in/b.txt", "one");
	client_write(&client_scratch, "in/c.txt", "two");
	client_write(&client_scratch, "in/d.txt", "three");
	copy_of(&manifest, names, 0);
	move_away(&manifest);
	client_start(&client);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	for (uint32_t i = 0; i < 4; i++) {
		client_expect_published(&result, i);
		assert_int_equal(result.units[i].output_count, 1);
		assert_string_equal(
			result.units[i].sha256, result.units[i].outputs[0].sha256);
	}
	json_decref(client_finish(&client, 4));
	client_expect_text(&client_scratch, "done/d.txt", "three");
	client_expect_text(&client_scratch, "out/c.txt", "two");
	assert_int_equal(client_stop(&client), 0);
	kd_manifest_result_clear(&result);
	kd_manifest_clear(&manifest);
}

/* The kernel would take ten minutes; it is asked to stop, and stays warm. */
static void
test_same_content_publishes_nothing(void **state)
{
	(void)state;
	struct client client = {.late = 1, .same = "/srv/out/earlier"};
	struct kd_manifest manifest;
	struct kd_result result;
	write_large("a.bin", 1);
	copy_of(&manifest, one, 60);
	client_start(&client);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect(&result, 0, KD_UNIT_SAME, "/srv/out/earlier");
	assert_int_equal(result.units[0].output_count, 0);
	assert_int_equal(strlen(result.units[0].sha256), KD_HASH_HEX - 1);
	assert_null(result.failure);
	assert_int_equal(count_outputs(), 0);
	kd_manifest_result_clear(&result);
	pid_t engine = client_engine(&client);
	assert_true(engine > 0);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect(&result, 0, KD_UNIT_SAME, "/srv/out/earlier");
	assert_int_equal(client_engine(&client), engine);
	assert_int_equal(client_stop(&client), 0);
	kd_manifest_result_clear(&result);
	kd_manifest_clear(&manifest);
}

/* The kernel was done with it when the verdict came. */
static void
test_a_result_that_waits_is_dropped(void **state)
{
	(void)state;
	static const char *const two[] = {"a.bin", "b.bin", NULL};
	struct client client = {.late = 1, .same = "/srv/out/earlier"};
	struct kd_manifest manifest;
	struct kd_result result;
	write_large("a.bin", 1);
	client_write(&client_scratch, "in/b.bin", "small");
	copy_of(&manifest, two, 0);
	move_away(&manifest);
	client_start(&client);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	for (uint32_t i = 0; i < 2; i++) {
		client_expect(&result, i, KD_UNIT_SAME, "/srv/out/earlier");
		assert_int_equal(result.units[i].output_count, 0);
	}
	assert_int_equal(count_outputs(), 0);
	json_decref(client_finish(&client, 2));
	assert_true(client_exists(&client_scratch, "done/a.bin"));
	assert_true(client_exists(&client_scratch, "done/b.bin"));
	assert_int_equal(client_stop(&client), 0);
	kd_manifest_result_clear(&result);
	kd_manifest_clear(&manifest);
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
	struct client client = {.late = 1, .hook = change_on_progress};
	struct kd_manifest manifest;
	struct kd_result result;
	write_large("a.bin", 1);
	copy_of(&manifest, one, 0);
	if (moves)
		move_away(&manifest);
	client_start(&client);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	/* It depends on who was faster: seen by whoever hashes, or by who compares. */
	if (result.units[0].status != KD_UNIT_BUSY)
		client_expect(&result, 0, KD_UNIT_CHANGED, "it changed while");
	assert_int_equal(count_outputs(), 0);
	assert_true(client_exists(&client_scratch, "in/a.bin"));
	assert_false(client_exists(&client_scratch, "in/.kiln-claim/100~a.bin"));
	assert_int_equal(client_stop(&client), 0);
	kd_manifest_result_clear(&result);
	kd_manifest_clear(&manifest);
}

static void
test_changed_while_it_is_hashed(void **state)
{
	(void)state;
	expect_changed(0);
}

static void
test_changed_before_it_is_claimed(void **state)
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
		*claimed |= client_exists(&client_scratch, "in/.kiln-claim/100~a.bin");
	return 0;
}

static void
test_claimed_while_it_runs(void **state)
{
	(void)state;
	int claimed = 0;
	struct client client = {.late = 1, .hook = look_for_claim, .context = &claimed};
	struct kd_manifest manifest;
	struct kd_result result;
	write_large("a.bin", 1);
	copy_of(&manifest, one, .2);
	move_away(&manifest);
	client_start(&client);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect_published(&result, 0);
	assert_true(claimed);
	json_decref(client_finish(&client, 1));
	assert_true(client_exists(&client_scratch, "done/a.bin"));
	assert_false(client_exists(&client_scratch, "in/a.bin"));
	assert_int_equal(client_stop(&client), 0);
	kd_manifest_result_clear(&result);
	kd_manifest_clear(&manifest);
}

/* An attempt that died before it could tell: the next one finds what it published, however
 * far the engine has come. */
static void
test_what_was_published_is_not_published_again(void **state)
{
	(void)state;
	struct client client = {.late = 1, .again = 1};
	struct kd_manifest manifest;
	struct kd_result result;
	write_large("a.bin", 1);
	copy_of(&manifest, one, 0);
	for (int i = 0; i < 2; i++) {
		client_start(&client);
		assert_int_equal(client_run(&client, &manifest, &result), 0);
		if (i == 1)
			client_expect(&result, 0, KD_UNIT_ALREADY, "published before as");
		client_expect_published(&result, 0);
		assert_int_equal(count_outputs(), 2);
		assert_int_equal(client_stop(&client), 0);
		kd_manifest_result_clear(&result);
	}
	kd_manifest_clear(&manifest);
}

/* What crashes an engine has an identity all the same. */
static void
test_a_crash_is_known_by_its_content(void **state)
{
	(void)state;
	static const char *const names[] = {"poison.bin", NULL};
	char hex[KD_HASH_HEX];
	struct kd_manifest manifest;
	struct kd_result result;
	write_large("poison.bin", 1);
	int fd =
		open(client_path(&client_scratch, "in/poison.bin"), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(kd_hash_file(fd, hex, NULL), 0);
	close(fd);
	client_manifest(&manifest, &client_scratch, "hostile", "crash-on-name", names);
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
test_cancelled_without_a_verdict(void **state)
{
	(void)state;
	struct client client = {.late = 1, .hook = cancel_on_progress};
	struct kd_manifest manifest;
	struct kd_result result;
	write_large("a.bin", 1);
	copy_of(&manifest, one, 60);
	client_start(&client);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect(&result, 0, KD_UNIT_CANCELLED, "cancelled");
	assert_int_equal(count_outputs(), 0);
	assert_int_equal(client_stop(&client), 0);
	kd_manifest_result_clear(&result);
	kd_manifest_clear(&manifest);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CLIENT_TEST(test_runs_before_the_verdict),
		CLIENT_TEST(test_many_together),
		CLIENT_TEST(test_same_content_publishes_nothing),
		CLIENT_TEST(test_a_result_that_waits_is_dropped),
		CLIENT_TEST(test_changed_while_it_is_hashed),
		CLIENT_TEST(test_changed_before_it_is_claimed),
		CLIENT_TEST(test_claimed_while_it_runs),
		CLIENT_TEST(test_what_was_published_is_not_published_again),
		CLIENT_TEST(test_a_crash_is_known_by_its_content),
		CLIENT_TEST(test_cancelled_without_a_verdict),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
