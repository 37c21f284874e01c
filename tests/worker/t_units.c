/* SPDX-License-Identifier: BSD-2-Clause */
/* What can be wrong with a dropped unit, and every status a unit can end with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "daemon/worker/protocol.h"
#include "plugins/kiln_plugin.h"
#include "tests/worker/client.h"
#include "tests/worker/scratch.h"

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
	client_manifest(&manifest, "copy", "copy", names);
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
what_is_no_unit_is_refused_before_the_kernel_runs(void **state)
{
	(void)state;
	scratch_write("in/file", "x");
	assert_int_equal(mkdir(scratch_path("in/folder"), 0755), 0);
	assert_int_equal(mkfifo(scratch_path("in/fifo"), 0644), 0);
	assert_int_equal(symlink("/etc/passwd", scratch_path("in/link")), 0);
	assert_int_equal(symlink("folder", scratch_path("in/dirlink")), 0);
	scratch_write("in/folder/inside", "x");
	expect_one("folder", KD_UNIT_BAD, "expected a regular file, found a directory");
	expect_one("file/", KD_UNIT_BAD, "expected a directory, found a regular file");
	expect_one("fifo", KD_UNIT_BAD, "expected a regular file, found a FIFO");
	expect_one("link", KD_UNIT_BAD, "expected a regular file, found a symbolic link");
	expect_one("dirlink/inside", KD_UNIT_BAD, "it lies behind a symbolic link");
	expect_one("missing", KD_UNIT_GONE, "No such file or directory");
}

static void
what_a_directory_may_not_hold_is_named(void **state)
{
	(void)state;
	assert_int_equal(mkdir(scratch_path("in/d"), 0755), 0);
	expect_one("d/", KD_UNIT_BAD, "the directory holds no files");
	assert_int_equal(mkdir(scratch_path("in/d/sub"), 0755), 0);
	assert_int_equal(symlink("/etc/passwd", scratch_path("in/d/sub/l")), 0);
	expect_one("d/", KD_UNIT_BAD, "it holds 'sub/l', which is a symbolic link");
	assert_int_equal(unlink(scratch_path("in/d/sub/l")), 0);
	assert_int_equal(mkfifo(scratch_path("in/d/f"), 0644), 0);
	expect_one("d/", KD_UNIT_BAD, "it holds 'f', which is a FIFO");
	char deep[400] = "in/e";
	for (int i = 0; i < 40; i++) {
		assert_int_equal(mkdir(scratch_path(deep), 0755), 0);
		strcat(deep, "/d");
	}
	expect_one("e/", KD_UNIT_BAD, "it is nested more than 32 deep");
}

static void
an_empty_file_is_copied(void **state)
{
	(void)state;
	struct kd_result result;
	scratch_write("in/empty.bin", "");
	run_one("empty.bin", &result);
	client_expect_published(&result, 0);
	assert_int_equal(result.units[0].outputs[0].bytes, 0);
	kd_manifest_result_clear(&result);
}

static void
names_are_bytes(void **state)
{
	(void)state;
	static const char name[] = "\xff\nline \"q\" \\ \xe6\xad\x8c.txt";
	struct kd_result result;
	char inside[64];
	snprintf(inside, sizeof inside, "in/%s", name);
	scratch_write(inside, "x");
	run_one(name, &result);
	client_expect_published(&result, 0);
	kd_manifest_result_clear(&result);
}

static void
what_is_still_being_written_is_busy(void **state)
{
	(void)state;
	scratch_write("in/open.txt", "half");
	int fd = open(scratch_path("in/open.txt"), O_WRONLY | O_APPEND);
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
what_cannot_be_read_is_bad(void **state)
{
	(void)state;
	static const char *const names[] = {"secret.txt", NULL};
	struct client_batch batch = {.client = {.user = geteuid() == 0 ? NOBODY : 0}};
	scratch_write("in/secret.txt", "x");
	assert_int_equal(chmod(scratch_path("in/secret.txt"), 0), 0);
	assert_int_equal(chmod(scratch_path("out"), 0777), 0);
	if (batch.client.user != 0) {
		char worker[4200];
		snprintf(worker, sizeof worker, "%s/kiln-worker", scratch_build_folder());
		assert_int_equal(seteuid(NOBODY), 0);
		int reachable = eaccess(worker, X_OK) == 0;
		assert_int_equal(seteuid(0), 0);
		if (!reachable) {
			print_message(
				"# SKIP the build folder is closed to all but root\n");
			skip();
		}
	}
	client_manifest(&batch.manifest, "copy", "copy", names);
	client_batch_run(&batch);
	client_expect(&batch.result, 0, KD_UNIT_BAD,
		"cannot open 'secret.txt': Permission denied");
	client_batch_end(&batch);
}

static int
grow_on_progress(struct client *client, const struct kd_wire_message *message)
{
	(void)client;
	if (message->type == KD_MSG_UNIT_PROGRESS)
		scratch_write("in/a.txt", "longer than it was before");
	return 0;
}

static void
what_changes_while_it_is_read_is_dropped(void **state)
{
	(void)state;
	static const char *const names[] = {"a.txt", NULL};
	struct client_batch batch = {.client = {.hook = grow_on_progress}};
	scratch_write("in/a.txt", "short");
	client_manifest(&batch.manifest, "hostile", "patient", names);
	client_batch_run(&batch);
	client_expect(&batch.result, 0, KD_UNIT_CHANGED,
		"it changed while it was processed; the result was dropped");
	assert_false(scratch_exists("out/a.out"));
	client_batch_end(&batch);
}

/* It settled, was written to before its turn came, and settled again as another unit: the
 * first is not what is there, and the second runs once. */
static void
what_was_written_to_before_its_turn_is_another(void **state)
{
	(void)state;
	static const char *const names[] = {"a.txt", "a.txt", NULL};
	struct kd_manifest manifest;
	struct kd_result result;
	struct stat st;
	scratch_write("in/a.txt", "whole");
	assert_int_equal(stat(scratch_path("in/a.txt"), &st), 0);
	uint64_t written =
		(uint64_t)st.st_mtim.tv_sec * 1000000000 + (uint64_t)st.st_mtim.tv_nsec;
	for (int spoilt = 0; spoilt < 2; spoilt++) {
		client_manifest(&manifest, "copy", "copy", names);
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
what_was_published_is_not_published_again(void **state)
{
	(void)state;
	struct kd_result result;
	scratch_write("in/a.txt", "content");
	run_one("a.txt", &result);
	client_expect(&result, 0, KD_UNIT_PUBLISHED, "");
	client_expect_published(&result, 0);
	kd_manifest_result_clear(&result);
	run_one("a.txt", &result);
	client_expect(&result, 0, KD_UNIT_ALREADY, "published before as '");
	client_expect_published(&result, 0);
	kd_manifest_result_clear(&result);
	assert_false(scratch_exists("out/a.2.txt"));
}

static void
what_the_client_calls_the_same_is_not_run(void **state)
{
	(void)state;
	static const char *const names[] = {"a.txt", NULL};
	struct client_batch batch = {.client = {.same = "/elsewhere/a.npz"}};
	scratch_write("in/a.txt", "content");
	client_manifest(&batch.manifest, "copy", "copy", names);
	client_batch_run(&batch);
	client_expect(
		&batch.result, 0, KD_UNIT_SAME, "same content as '/elsewhere/a.npz'");
	assert_string_equal(batch.result.units[0].primary, "/elsewhere/a.npz");
	assert_false(scratch_exists("out/a.txt"));
	client_batch_end(&batch);
}

static int
cancel_on_hashed(struct client *client, const struct kd_wire_message *message)
{
	if (message->type == KD_MSG_HASHED)
		client_cancel(client);
	return 0;
}

static void
a_kind_kernel_stops_when_it_is_cancelled(void **state)
{
	(void)state;
	static const char *const names[] = {"a.txt", "b.txt", NULL};
	struct client_batch batch = {.client = {.hook = cancel_on_hashed}};
	scratch_write("in/a.txt", "1");
	scratch_write("in/b.txt", "2");
	client_manifest(&batch.manifest, "copy", "copy", names);
	client_batch_run(&batch);
	client_expect(&batch.result, 1, KD_UNIT_CANCELLED, "cancelled");
	/* The same keeper goes on. */
	batch.client.hook = NULL;
	client_batch_run_again(&batch);
	client_expect_published(&batch.result, 1);
	client_batch_end(&batch);
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
the_verdicts_of_a_kernel_are_its_units_ends(void **state)
{
	(void)state;
	static const char *const names[] = {"a.txt", "b.txt", NULL};
	static const char *const directory[] = {"d/", NULL};
	struct kd_manifest manifest;
	struct kd_result result;
	scratch_write("in/a.txt", "1");
	scratch_write("in/b.txt", "2");
	client_manifest(&manifest, "hostile", "transient", names);
	client_expect_once(&manifest, 1, KD_UNIT_TRANSIENT, "the GPU is busy");
	client_manifest(&manifest, "hostile", "fussy", names);
	client_once(&manifest, &result);
	client_expect_published(&result, 0);
	client_expect(
		&result, 1, KD_UNIT_BAD, "byte 0: expected 'K', found something else");
	assert_int_equal(result.units[0].warning_count, 1);
	assert_string_equal(
		result.units[0].warnings[0], "seen with \"quotes\"\\x0aand a line break");
	expect_fact(result.units[0].sidecar);
	kd_manifest_result_clear(&result);
	assert_int_equal(mkdir(scratch_path("in/d"), 0755), 0);
	scratch_write("in/d/f", "x");
	client_manifest(&manifest, "hostile", "fussy", directory);
	client_expect_once(
		&manifest, 0, KD_UNIT_BAD, "kernel 'fussy' does not take directories");
}

static void
repeats_publish_once(void **state)
{
	(void)state;
	static const char *const names[] = {"a.txt", NULL};
	struct kd_manifest manifest;
	struct kd_result result;
	scratch_write("in/a.txt", "1");
	client_manifest(&manifest, "copy", "copy", names);
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
batches_that_cannot_begin_say_why(void **state)
{
	(void)state;
	static const char *const names[] = {"a.txt", NULL};
	struct kd_manifest manifest;
	scratch_write("in/a.txt", "1");
	client_manifest(&manifest, "nowhere", "copy", names);
	expect_no_beginning(&manifest, KD_UNIT_TRANSIENT, "cannot find plugin '");
	client_manifest(&manifest, "copy", "bake", names);
	expect_no_beginning(
		&manifest, KD_UNIT_TRANSIENT, "plugin 'copy' has no kernel 'bake'");
	client_manifest(&manifest, "copy", "copy", names);
	json_object_set_new(manifest.params, "chunk", json_string("big"));
	expect_no_beginning(
		&manifest, KD_UNIT_TRANSIENT, "parameter 'chunk' is not an integer");
	client_manifest(&manifest, "copy", "copy", names);
	manifest.group = strdup("no-such-group-here");
	expect_no_beginning(&manifest, KD_UNIT_HELD,
		"group 'no-such-group-here' for outputs is not known here");
	assert_int_equal(chmod(scratch_path("plugins/copy.so"), 0777), 0);
	client_manifest(&manifest, "copy", "copy", names);
	expect_no_beginning(
		&manifest, KD_UNIT_TRANSIENT, "can be written by others (mode 0777)");
	assert_int_equal(chmod(scratch_path("plugins/copy.so"), 0755), 0);
	assert_int_equal(chmod(scratch_path("plugins"), 0775), 0);
	client_manifest(&manifest, "copy", "copy", names);
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
an_engine_stays_warm_while_it_fits(void **state)
{
	(void)state;
	static const char *const names[] = {"a.txt", NULL};
	struct kd_manifest manifest;
	struct kd_result result;
	struct client client = {.hook = remember_engine};
	pid_t engines[3];
	client_manifest(&manifest, "copy", "copy", names);
	client_start(&client);
	for (int i = 0; i < 3; i++) {
		char text[20];
		snprintf(text, sizeof text, "content %d", i);
		scratch_write("in/a.txt", text);
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
		SCRATCH_TEST(what_is_no_unit_is_refused_before_the_kernel_runs),
		SCRATCH_TEST(what_a_directory_may_not_hold_is_named),
		SCRATCH_TEST(an_empty_file_is_copied),
		SCRATCH_TEST(names_are_bytes),
		SCRATCH_TEST(what_is_still_being_written_is_busy),
		SCRATCH_TEST(what_cannot_be_read_is_bad),
		SCRATCH_TEST(what_changes_while_it_is_read_is_dropped),
		SCRATCH_TEST(what_was_written_to_before_its_turn_is_another),
		SCRATCH_TEST(what_was_published_is_not_published_again),
		SCRATCH_TEST(what_the_client_calls_the_same_is_not_run),
		SCRATCH_TEST(a_kind_kernel_stops_when_it_is_cancelled),
		SCRATCH_TEST(the_verdicts_of_a_kernel_are_its_units_ends),
		SCRATCH_TEST(repeats_publish_once),
		SCRATCH_TEST(batches_that_cannot_begin_say_why),
		SCRATCH_TEST(an_engine_stays_warm_while_it_fits),
	};
	return cmocka_run_group_tests_name("worker/units", tests, NULL, NULL);
}
