/* SPDX-License-Identifier: BSD-2-Clause */
/* What can be wrong with a dropped unit, and every status a unit can end with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "daemon/worker/protocol.h"
#include "plugins/kiln_plugin.h"
#include "tests/worker/client.h"

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534 };

/* One unit through copy; its result. */
static void
run_one(const char *name, struct kd_result *result)
{
	const char *const names[] = {name, NULL};
	struct kd_manifest manifest;
	client_manifest(&manifest, &client_scratch, "copy", "copy", names);
	manifest.verify_writers = 1;
	client_once(&manifest, result);
}

static void
expect_one(const char *name, enum kd_status status, const char *reason)
{
	struct kd_result result;
	run_one(name, &result);
	client_expect(&result, 0, status, reason);
	kd_manifest_result_clear(&result);
}

static void
test_refused_before_the_kernel_runs(void **state)
{
	(void)state;
	client_write(&client_scratch, "in/file", "x");
	assert_int_equal(mkdir(client_path(&client_scratch, "in/folder"), 0755), 0);
	assert_int_equal(mkfifo(client_path(&client_scratch, "in/fifo"), 0644), 0);
	assert_int_equal(
		symlink("/etc/passwd", client_path(&client_scratch, "in/link")), 0);
	assert_int_equal(
		symlink("folder", client_path(&client_scratch, "in/dirlink")), 0);
	client_write(&client_scratch, "in/folder/inside", "x");
	expect_one("folder", KD_UNIT_BAD, "expected a regular file, found a directory");
	expect_one("file/", KD_UNIT_BAD, "expected a directory, found a regular file");
	expect_one("fifo", KD_UNIT_BAD, "expected a regular file, found a FIFO");
	expect_one("link", KD_UNIT_BAD, "expected a regular file, found a symbolic link");
	expect_one("dirlink/inside", KD_UNIT_BAD, "it lies behind a symbolic link");
	expect_one("missing", KD_UNIT_GONE, "No such file or directory");
}

static void
test_what_a_directory_may_not_hold(void **state)
{
	(void)state;
	assert_int_equal(mkdir(client_path(&client_scratch, "in/d"), 0755), 0);
	expect_one("d/", KD_UNIT_BAD, "the directory holds no files");
	assert_int_equal(mkdir(client_path(&client_scratch, "in/d/sub"), 0755), 0);
	assert_int_equal(
		symlink("/etc/passwd", client_path(&client_scratch, "in/d/sub/l")), 0);
	expect_one("d/", KD_UNIT_BAD, "it holds 'sub/l', which is a symbolic link");
	assert_int_equal(unlink(client_path(&client_scratch, "in/d/sub/l")), 0);
	assert_int_equal(mkfifo(client_path(&client_scratch, "in/d/f"), 0644), 0);
	expect_one("d/", KD_UNIT_BAD, "it holds 'f', which is a FIFO");
	char deep[400] = "in/e";
	for (int i = 0; i < 40; i++) {
		assert_int_equal(mkdir(client_path(&client_scratch, deep), 0755), 0);
		strcat(deep, "/d");
	}
	expect_one("e/", KD_UNIT_BAD, "it is nested more than 32 deep");
}

static void
test_empty_file_is_copied(void **state)
{
	(void)state;
	struct kd_result result;
	client_write(&client_scratch, "in/empty.bin", "");
	run_one("empty.bin", &result);
	client_expect_published(&result, 0);
	assert_int_equal(result.units[0].outputs[0].bytes, 0);
	kd_manifest_result_clear(&result);
}

static void
test_names_are_bytes(void **state)
{
	(void)state;
	static const char name[] = "\xff\nline \"q\" \\ \xe6\xad\x8c.txt";
	struct kd_result result;
	char inside[64];
	snprintf(inside, sizeof inside, "in/%s", name);
	client_write(&client_scratch, inside, "x");
	run_one(name, &result);
	client_expect_published(&result, 0);
	kd_manifest_result_clear(&result);
}

static void
test_still_being_written(void **state)
{
	(void)state;
	client_write(&client_scratch, "in/open.txt", "half");
	int fd = open(client_path(&client_scratch, "in/open.txt"), O_WRONLY | O_APPEND);
	assert_true(fd >= 0);
	expect_one("open.txt", KD_UNIT_BUSY,
		"'open.txt' is still being written: somebody has it open for writing");
	close(fd);
	struct kd_result result;
	run_one("open.txt", &result);
	client_expect_published(&result, 0);
	kd_manifest_result_clear(&result);
}

/* Root reads everything, so the keeper is started as somebody else. */
static void
test_unreadable(void **state)
{
	(void)state;
	static const char *const names[] = {"secret.txt", NULL};
	struct kd_manifest manifest;
	struct kd_result result;
	struct client client = {.user = geteuid() == 0 ? NOBODY : 0};
	client_write(&client_scratch, "in/secret.txt", "x");
	assert_int_equal(chmod(client_path(&client_scratch, "in/secret.txt"), 0), 0);
	assert_int_equal(chmod(client_path(&client_scratch, "out"), 0777), 0);
	const char *folder = getenv("top_builddir");
	if (client.user != 0) {
		char worker[4200];
		snprintf(worker, sizeof worker, "%s/kiln-worker",
			folder == NULL ? "." : folder);
		assert_int_equal(seteuid(NOBODY), 0);
		int reachable = eaccess(worker, X_OK) == 0;
		assert_int_equal(seteuid(0), 0);
		if (!reachable) {
			print_message(
				"# SKIP the build folder is closed to all but root\n");
			skip();
		}
	}
	client_start(&client);
	client_manifest(&manifest, &client_scratch, "copy", "copy", names);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect(
		&result, 0, KD_UNIT_BAD, "cannot open 'secret.txt': Permission denied");
	kd_manifest_result_clear(&result);
	assert_int_equal(client_stop(&client), 0);
	kd_manifest_clear(&manifest);
}

static int
grow_on_progress(struct client *client, const struct kd_wire_message *message)
{
	(void)client;
	if (message->type == KD_MSG_UNIT_PROGRESS)
		client_write(&client_scratch, "in/a.txt", "longer than it was before");
	return 0;
}

static void
test_changed_while_read(void **state)
{
	(void)state;
	static const char *const names[] = {"a.txt", NULL};
	struct kd_manifest manifest;
	struct kd_result result;
	struct client client = {.hook = grow_on_progress};
	client_write(&client_scratch, "in/a.txt", "short");
	client_manifest(&manifest, &client_scratch, "hostile", "patient", names);
	client_start(&client);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect(&result, 0, KD_UNIT_CHANGED,
		"it changed while it was processed; the result was dropped");
	assert_false(client_exists(&client_scratch, "out/a.out"));
	kd_manifest_result_clear(&result);
	assert_int_equal(client_stop(&client), 0);
	kd_manifest_clear(&manifest);
}

/* It settled, was written to before its turn came, and settled again as another unit: the
 * first is not what is there, and the second runs once. */
static void
test_written_to_before_its_turn(void **state)
{
	(void)state;
	static const char *const names[] = {"a.txt", "a.txt", NULL};
	struct kd_manifest manifest;
	struct kd_result result;
	struct stat st;
	client_write(&client_scratch, "in/a.txt", "whole");
	assert_int_equal(stat(client_path(&client_scratch, "in/a.txt"), &st), 0);
	uint64_t written =
		(uint64_t)st.st_mtim.tv_sec * 1000000000 + (uint64_t)st.st_mtim.tv_nsec;
	for (int spoilt = 0; spoilt < 2; spoilt++) {
		client_manifest(&manifest, &client_scratch, "copy", "copy", names);
		for (int i = 0; i < 2; i++) {
			manifest.units[i].bytes = 5;
			manifest.units[i].written = written;
		}
		/* By its size, or by its time alone. */
		manifest.units[0].bytes -= spoilt == 0;
		manifest.units[0].written -= spoilt == 1;
		client_once(&manifest, &result);
		client_expect(&result, 0, KD_UNIT_CHANGED,
			"it changed before it was processed");
		client_expect_published(&result, 1);
		kd_manifest_result_clear(&result);
	}
}

static void
test_already_published(void **state)
{
	(void)state;
	struct kd_result result;
	client_write(&client_scratch, "in/a.txt", "content");
	run_one("a.txt", &result);
	client_expect(&result, 0, KD_UNIT_PUBLISHED, "");
	client_expect_published(&result, 0);
	kd_manifest_result_clear(&result);
	run_one("a.txt", &result);
	client_expect(&result, 0, KD_UNIT_ALREADY, "published before as '");
	client_expect_published(&result, 0);
	kd_manifest_result_clear(&result);
	assert_false(client_exists(&client_scratch, "out/a.2.txt"));
}

static void
test_same_by_the_clients_verdict(void **state)
{
	(void)state;
	static const char *const names[] = {"a.txt", NULL};
	struct kd_manifest manifest;
	struct kd_result result;
	struct client client = {.same = "/elsewhere/a.npz"};
	client_write(&client_scratch, "in/a.txt", "content");
	client_manifest(&manifest, &client_scratch, "copy", "copy", names);
	client_start(&client);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect(&result, 0, KD_UNIT_SAME, "same content as '/elsewhere/a.npz'");
	assert_string_equal(result.units[0].primary, "/elsewhere/a.npz");
	assert_false(client_exists(&client_scratch, "out/a.txt"));
	kd_manifest_result_clear(&result);
	assert_int_equal(client_stop(&client), 0);
	kd_manifest_clear(&manifest);
}

static int
cancel_on_hashed(struct client *client, const struct kd_wire_message *message)
{
	if (message->type == KD_MSG_HASHED)
		client_cancel(client);
	return 0;
}

static void
test_cancelled_by_a_kind_kernel(void **state)
{
	(void)state;
	static const char *const names[] = {"a.txt", "b.txt", NULL};
	struct kd_manifest manifest;
	struct kd_result result;
	struct client client = {.hook = cancel_on_hashed};
	client_write(&client_scratch, "in/a.txt", "1");
	client_write(&client_scratch, "in/b.txt", "2");
	client_manifest(&manifest, &client_scratch, "copy", "copy", names);
	client_start(&client);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect(&result, 1, KD_UNIT_CANCELLED, "cancelled");
	kd_manifest_result_clear(&result);
	/* The same keeper goes on. */
	client.hook = NULL;
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect_published(&result, 1);
	kd_manifest_result_clear(&result);
	assert_int_equal(client_stop(&client), 0);
	kd_manifest_clear(&manifest);
}

static void
expect_fact(const char *path)
{
	json_t *sidecar = json_load_file(path, 0, NULL);
	const json_t *place = json_object_get(json_object_get(sidecar, "facts"), "place");
	const json_t *of = json_object_get(json_array_get(place, 1), "of");
	assert_int_equal(json_integer_value(of), 2);
	json_decref(sidecar);
}

static void
test_verdicts_of_a_kernel(void **state)
{
	(void)state;
	static const char *const names[] = {"a.txt", "b.txt", NULL};
	static const char *const directory[] = {"d/", NULL};
	struct kd_manifest manifest;
	struct kd_result result;
	client_write(&client_scratch, "in/a.txt", "1");
	client_write(&client_scratch, "in/b.txt", "2");
	client_manifest(&manifest, &client_scratch, "hostile", "transient", names);
	client_once(&manifest, &result);
	client_expect(&result, 1, KD_UNIT_TRANSIENT, "the GPU is busy");
	kd_manifest_result_clear(&result);
	client_manifest(&manifest, &client_scratch, "hostile", "fussy", names);
	client_once(&manifest, &result);
	client_expect_published(&result, 0);
	client_expect(
		&result, 1, KD_UNIT_BAD, "byte 0: expected 'K', found something else");
	assert_int_equal(result.units[0].warning_count, 1);
	assert_string_equal(
		result.units[0].warnings[0], "seen with \"quotes\"\\x0aand a line break");
	expect_fact(result.units[0].sidecar);
	kd_manifest_result_clear(&result);
	assert_int_equal(mkdir(client_path(&client_scratch, "in/d"), 0755), 0);
	client_write(&client_scratch, "in/d/f", "x");
	client_manifest(&manifest, &client_scratch, "hostile", "fussy", directory);
	client_once(&manifest, &result);
	client_expect(
		&result, 0, KD_UNIT_BAD, "kernel 'fussy' does not take directories");
	kd_manifest_result_clear(&result);
}

static void
test_repeats_publish_once(void **state)
{
	(void)state;
	static const char *const names[] = {"a.txt", NULL};
	struct kd_manifest manifest;
	struct kd_result result;
	client_write(&client_scratch, "in/a.txt", "1");
	client_manifest(&manifest, &client_scratch, "copy", "copy", names);
	manifest.repeat = 5;
	client_once(&manifest, &result);
	client_expect_published(&result, 0);
	assert_int_equal(result.units[0].output_count, 1);
	kd_manifest_result_clear(&result);
}

static void
expect_no_beginning(
	struct kd_manifest *manifest, enum kd_status status, const char *reason)
{
	struct kd_result result;
	client_once(manifest, &result);
	client_expect(&result, 0, status, reason);
	assert_non_null(strstr(result.failure, reason));
	kd_manifest_result_clear(&result);
}

static void
test_batches_that_cannot_begin(void **state)
{
	(void)state;
	static const char *const names[] = {"a.txt", NULL};
	struct kd_manifest manifest;
	client_write(&client_scratch, "in/a.txt", "1");
	client_manifest(&manifest, &client_scratch, "nowhere", "copy", names);
	expect_no_beginning(&manifest, KD_UNIT_TRANSIENT, "cannot find plugin '");
	client_manifest(&manifest, &client_scratch, "copy", "bake", names);
	expect_no_beginning(
		&manifest, KD_UNIT_TRANSIENT, "plugin 'copy' has no kernel 'bake'");
	client_manifest(&manifest, &client_scratch, "copy", "copy", names);
	json_object_set_new(manifest.params, "chunk", json_string("big"));
	expect_no_beginning(
		&manifest, KD_UNIT_TRANSIENT, "parameter 'chunk' is not an integer");
	client_manifest(&manifest, &client_scratch, "copy", "copy", names);
	manifest.group = strdup("no-such-group-here");
	expect_no_beginning(&manifest, KD_UNIT_HELD,
		"group 'no-such-group-here' for outputs is not known here");
	assert_int_equal(chmod(client_path(&client_scratch, "plugins/copy.so"), 0777), 0);
	client_manifest(&manifest, &client_scratch, "copy", "copy", names);
	expect_no_beginning(
		&manifest, KD_UNIT_TRANSIENT, "can be written by others (mode 0777)");
	assert_int_equal(chmod(client_path(&client_scratch, "plugins/copy.so"), 0755), 0);
	assert_int_equal(chmod(client_path(&client_scratch, "plugins"), 0775), 0);
	client_manifest(&manifest, &client_scratch, "copy", "copy", names);
	expect_no_beginning(
		&manifest, KD_UNIT_TRANSIENT, "can be written by others (mode 0775)");
}

static pid_t engine_seen;

static int
remember_engine(struct client *client, const struct kd_wire_message *message)
{
	if (message->type == KD_MSG_UNIT_PROGRESS)
		engine_seen = client_engine(client);
	return 0;
}

static void
test_engine_stays_warm(void **state)
{
	(void)state;
	static const char *const names[] = {"a.txt", NULL};
	struct kd_manifest manifest;
	struct kd_result result;
	struct client client = {.hook = remember_engine};
	pid_t engines[3];
	client_manifest(&manifest, &client_scratch, "copy", "copy", names);
	client_start(&client);
	for (int i = 0; i < 3; i++) {
		char text[20];
		snprintf(text, sizeof text, "content %d", i);
		client_write(&client_scratch, "in/a.txt", text);
		/* Other parameters: another engine. */
		if (i == 2)
			json_object_set_new(manifest.params, "suffix", json_string("-x"));
		engine_seen = 0;
		assert_int_equal(client_run(&client, &manifest, &result), 0);
		client_expect_published(&result, 0);
		kd_manifest_result_clear(&result);
		assert_true(engine_seen != 0);
		engines[i] = engine_seen;
	}
	assert_int_equal(engines[0], engines[1]);
	assert_int_not_equal(engines[1], engines[2]);
	assert_int_equal(client_stop(&client), 0);
	kd_manifest_clear(&manifest);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CLIENT_TEST(test_refused_before_the_kernel_runs),
		CLIENT_TEST(test_what_a_directory_may_not_hold),
		CLIENT_TEST(test_empty_file_is_copied),
		CLIENT_TEST(test_names_are_bytes),
		CLIENT_TEST(test_still_being_written),
		CLIENT_TEST(test_unreadable),
		CLIENT_TEST(test_changed_while_read),
		CLIENT_TEST(test_written_to_before_its_turn),
		CLIENT_TEST(test_already_published),
		CLIENT_TEST(test_same_by_the_clients_verdict),
		CLIENT_TEST(test_cancelled_by_a_kind_kernel),
		CLIENT_TEST(test_verdicts_of_a_kernel),
		CLIENT_TEST(test_repeats_publish_once),
		CLIENT_TEST(test_batches_that_cannot_begin),
		CLIENT_TEST(test_engine_stays_warm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
