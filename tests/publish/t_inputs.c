/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of inputs after the client's FINISH, also when it is said twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "daemon/publish/inputs.h"
#include "daemon/publish/quarantine.h"
#include "tests/worker/client.h"

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct scratch elsewhere; /* on another file system, where there is one */

/* a.txt is fine, b.txt is bad. */
static void
run_two(struct client *client, struct kd_manifest *manifest, struct kd_result *result)
{
	static const char *const names[] = {"sub/a.txt", "b.txt", NULL};
	if (!client_exists(&client_scratch, "in/sub"))
		assert_int_equal(mkdir(client_path(&client_scratch, "in/sub"), 0755), 0);
	client_write(&client_scratch, "in/sub/a.txt", "good");
	client_write(&client_scratch, "in/b.txt", "bad");
	client_manifest(manifest, &client_scratch, "hostile", "fussy", names);
	manifest->quarantine = strdup(client_path(&client_scratch, "failed"));
	client_start(client);
	assert_int_equal(client_run(client, manifest, result), 0);
	client_expect_published(result, 0);
	client_expect(result, 1, KD_UNIT_BAD, "byte 0");
}

static void
end(struct client *client, struct kd_manifest *manifest, struct kd_result *result)
{
	kd_manifest_result_clear(result);
	kd_manifest_clear(manifest);
	assert_int_equal(client_stop(client), 0);
}

static void
test_kept_and_quarantined(void **state)
{
	(void)state;
	struct client client = {0};
	struct kd_manifest manifest;
	struct kd_result result;
	run_two(&client, &manifest, &result);
	assert_true(client_exists(&client_scratch, "in/b.txt"));
	client_expect_no_failures(client_finish(&client, 2));
	assert_true(client_exists(&client_scratch, "in/sub/a.txt"));
	assert_false(client_exists(&client_scratch, "in/b.txt"));
	char *moved = client_read(&client_scratch, "failed/b.txt");
	assert_string_equal(moved, "bad");
	free(moved);
	char *reason = client_read(&client_scratch, "failed/b.txt.reason.txt");
	assert_non_null(strstr(reason, "What:     b.txt\n"));
	assert_non_null(strstr(
		reason, "Why:      bad: byte 0: expected 'K', found something else\n"));
	assert_non_null(strstr(reason, "Rule:     rule, kernel fussy, batch 7"));
	assert_non_null(strstr(reason, "What to do next: "));
	free(reason);
	/* Said again after a crash: nothing is left to do, nothing is an error. */
	client_expect_no_failures(client_finish(&client, 2));
	end(&client, &manifest, &result);
	/* The same name once more never overwrites. */
	run_two(&client, &manifest, &result);
	client_expect_no_failures(client_finish(&client, 2));
	assert_true(client_exists(&client_scratch, "failed/b.2.txt"));
	assert_true(client_exists(&client_scratch, "failed/b.2.txt.reason.txt"));
	end(&client, &manifest, &result);
}

/* What cannot be looked at may be there: it is not disposed of. */
static void
test_not_seen_is_not_gone(void **state)
{
	(void)state;
	char name[NAME_MAX + 64];
	struct kd_err err;
	memset(name, 'n', sizeof name);
	name[sizeof name - 1] = '\0';
	int root = open(
		client_path(&client_scratch, "in"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	struct kd_input input = {.root = root, .place = name, .path = "a.txt"};
	const struct kd_quarantine why = {
		.folder = client_path(&client_scratch, "failed"),
		.status = "bad",
		.reason = "",
		.rule = "",
		.kernel = "",
		.sha256 = ""};
	assert_int_equal(kd_inputs_delete(&input, &err), -ENAMETOOLONG);
	assert_int_equal(
		kd_inputs_move(&input, client_path(&client_scratch, "done"), &err),
		-ENAMETOOLONG);
	assert_int_equal(kd_quarantine_put(&input, &why, &err), -ENAMETOOLONG);
	input.place = "gone.txt";
	assert_int_equal(kd_inputs_delete(&input, &err), 0);
	close(root);
}

static void
test_reason_of_a_dead_attempt_is_taken_up(void **state)
{
	(void)state;
	struct client client = {0};
	struct kd_manifest manifest;
	struct kd_result result;
	run_two(&client, &manifest, &result);
	client_expect_no_failures(client_finish(&client, 2));
	end(&client, &manifest, &result);
	/* As if it had died between the reason file and the move. */
	assert_int_equal(unlink(client_path(&client_scratch, "failed/b.txt")), 0);
	run_two(&client, &manifest, &result);
	client_expect_no_failures(client_finish(&client, 2));
	assert_true(client_exists(&client_scratch, "failed/b.txt"));
	assert_false(client_exists(&client_scratch, "failed/b.2.txt"));
	end(&client, &manifest, &result);
}

static void
test_deleted(void **state)
{
	(void)state;
	static const char *const names[] = {"d/", "f", NULL};
	struct client client = {0};
	struct kd_manifest manifest;
	struct kd_result result;
	assert_int_equal(mkdir(client_path(&client_scratch, "in/d"), 0755), 0);
	client_write(&client_scratch, "in/d/x", "x");
	client_write(&client_scratch, "in/f", "f");
	client_manifest(&manifest, &client_scratch, "copy", "copy", names);
	manifest.inputs = KD_INPUTS_DELETE;
	client_start(&client);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect_no_failures(client_finish(&client, 2));
	assert_false(client_exists(&client_scratch, "in/d"));
	assert_false(client_exists(&client_scratch, "in/f"));
	assert_true(client_exists(&client_scratch, "out/d/x"));
	end(&client, &manifest, &result);
}

/* Moves a directory and a file to `done` and looks for them there. */
static void
move_to(const char *done)
{
	static const char *const names[] = {"d/", "f", NULL};
	struct client client = {0};
	struct kd_manifest manifest;
	struct kd_result result;
	char path[300];
	assert_int_equal(mkdir(client_path(&client_scratch, "in/d"), 0755), 0);
	client_write(&client_scratch, "in/d/x", "x");
	client_write(&client_scratch, "in/f", "f");
	client_manifest(&manifest, &client_scratch, "copy", "copy", names);
	manifest.inputs = KD_INPUTS_MOVE;
	manifest.done = strdup(done);
	client_start(&client);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect_no_failures(client_finish(&client, 2));
	client_expect_no_failures(client_finish(&client, 2));
	assert_false(client_exists(&client_scratch, "in/d"));
	assert_false(client_exists(&client_scratch, "in/f"));
	snprintf(path, sizeof path, "%s/d/x", done);
	assert_int_equal(access(path, F_OK), 0);
	snprintf(path, sizeof path, "%s/f", done);
	assert_int_equal(access(path, F_OK), 0);
	end(&client, &manifest, &result);
}

static void
test_moved(void **state)
{
	(void)state;
	char done[300];
	snprintf(done, sizeof done, "%s/done/by/now", client_scratch.base);
	move_to(done);
}

static void
make_elsewhere(void)
{
	struct stat here, there;
	strcpy(elsewhere.base, "/dev/shm/kiln-test-XXXXXX");
	if (mkdtemp(elsewhere.base) == NULL || stat(elsewhere.base, &there) < 0 ||
		stat(client_scratch.base, &here) < 0 || here.st_dev == there.st_dev) {
		print_message("# SKIP /dev/shm is no other file system\n");
		skip();
	}
}

static void
remove_elsewhere(void)
{
	char command[100];
	snprintf(command, sizeof command, "rm -r %s", elsewhere.base);
	assert_int_equal(system(command), 0);
}

static void
test_moved_across_file_systems(void **state)
{
	(void)state;
	make_elsewhere();
	move_to(elsewhere.base);
	remove_elsewhere();
}

/* What is in a folder of both file systems after a death between copy and removal. */
static void
write_twice(const char *name, const char *text)
{
	char here[100];
	snprintf(here, sizeof here, "in/%s", name);
	client_write(&client_scratch, here, text);
	client_write(&elsewhere, name, text);
}

static int
fetch(const char *path, int64_t unit)
{
	struct kd_err err;
	int root = open(
		client_path(&client_scratch, "in"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct kd_quarantine_fetch given = {.root = root,
		.path = path,
		.place = path,
		.folder = elsewhere.base,
		.unit = unit};
	int rc = kd_quarantine_fetch(&given, &err);
	close(root);
	return rc;
}

static void
test_fetch_that_died_is_ended(void **state)
{
	(void)state;
	make_elsewhere();
	client_mkdir(&client_scratch, "in/room");
	client_mkdir(&client_scratch, "in/room/deep");
	client_mkdir(&elsewhere, "room");
	client_mkdir(&elsewhere, "room/deep");
	write_twice("a.txt", "text");
	write_twice("room/one", "1");
	write_twice("room/deep/two", "2");
	write_twice("b.txt", "text");
	client_write(&elsewhere, "a.txt.reason.txt",
		"Identity: a.txt, unit 1, SHA-256 unknown\n");
	client_write(&elsewhere, "room.reason.txt",
		"Identity: room, unit 2, SHA-256 unknown\n");
	client_write(&elsewhere, "b.txt.reason.txt",
		"Identity: b.txt, unit 3, SHA-256 unknown\n");
	/* Another file of the same name is not to be lost. */
	client_write(&client_scratch, "in/b.txt", "dropped anew");
	assert_int_equal(fetch("a.txt", 1), 1);
	assert_false(client_exists(&elsewhere, "a.txt"));
	assert_false(client_exists(&elsewhere, "a.txt.reason.txt"));
	client_expect_text(&client_scratch, "in/a.txt", "text");
	assert_int_equal(fetch("room", 2), 1);
	assert_false(client_exists(&elsewhere, "room"));
	assert_false(client_exists(&elsewhere, "room.reason.txt"));
	client_expect_text(&client_scratch, "in/room/deep/two", "2");
	assert_int_equal(fetch("b.txt", 3), 0);
	client_expect_text(&elsewhere, "b.txt", "text");
	assert_true(client_exists(&elsewhere, "b.txt.reason.txt"));
	remove_elsewhere();
}

/* A folder that was copied is not copied again; one that only begins alike is another. */
static void
test_folder_that_was_copied_goes(void **state)
{
	(void)state;
	struct kd_err err;
	make_elsewhere();
	client_mkdir(&client_scratch, "in/room");
	client_mkdir(&elsewhere, "room");
	write_twice("room/one", "1");
	client_write(&elsewhere, "room/more", "2");
	int root = open(
		client_path(&client_scratch, "in"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct kd_input input = {.root = root, .place = "room", .path = "room"};
	assert_int_equal(kd_inputs_move(&input, elsewhere.base, &err), 0);
	client_expect_text(&elsewhere, "room.2/one", "1");
	client_mkdir(&client_scratch, "in/room");
	client_write(&client_scratch, "in/room/one", "1");
	client_write(&client_scratch, "in/room/more", "2");
	assert_int_equal(kd_inputs_move(&input, elsewhere.base, &err), 0);
	assert_false(client_exists(&client_scratch, "in/room"));
	assert_false(client_exists(&elsewhere, "room.3"));
	close(root);
	remove_elsewhere();
}

static void
test_what_a_dead_removal_left_is_removed(void **state)
{
	(void)state;
	static const char *const names[] = {"a.txt", NULL};
	struct client client = {0};
	struct kd_manifest manifest;
	struct kd_result result;
	/* As if it had died between the two steps of a removal, the ledger open. */
	assert_int_equal(
		mkdir(client_path(&client_scratch, "in/.kiln-gone.a.txt"), 0755), 0);
	client_write(&client_scratch, "in/.kiln-gone.a.txt/rest", "rest");
	client_manifest(&manifest, &client_scratch, "copy", "copy", names);
	client_start(&client);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect(&result, 0, KD_UNIT_GONE, "cannot open it");
	client_expect_no_failures(client_finish(&client, 1));
	assert_false(client_exists(&client_scratch, "in/.kiln-gone.a.txt"));
	end(&client, &manifest, &result);
}

static void
test_changed_inputs_stay(void **state)
{
	(void)state;
	struct client client = {0};
	struct kd_manifest manifest;
	struct kd_result result;
	run_two(&client, &manifest, &result);
	client_write(&client_scratch, "in/b.txt", "dropped anew meanwhile");
	json_t *failed = client_finish(&client, 2);
	assert_int_equal(json_array_size(failed), 1);
	const char *reason =
		json_string_value(json_object_get(json_array_get(failed, 0), "reason"));
	assert_string_equal(
		reason, "'b.txt' is not what was processed any more; it stays");
	json_decref(failed);
	assert_true(client_exists(&client_scratch, "in/b.txt"));
	end(&client, &manifest, &result);
}

static void
test_what_is_no_file_is_quarantined_too(void **state)
{
	(void)state;
	static const char *const names[] = {"fifo", "link", NULL};
	struct client client = {0};
	struct kd_manifest manifest;
	struct kd_result result;
	struct stat st;
	assert_int_equal(mkfifo(client_path(&client_scratch, "in/fifo"), 0644), 0);
	assert_int_equal(
		symlink("/etc/passwd", client_path(&client_scratch, "in/link")), 0);
	client_manifest(&manifest, &client_scratch, "copy", "copy", names);
	manifest.quarantine = strdup(client_path(&client_scratch, "failed"));
	client_start(&client);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect_no_failures(client_finish(&client, 2));
	assert_int_equal(lstat(client_path(&client_scratch, "failed/link"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_true(client_exists(&client_scratch, "failed/fifo"));
	assert_true(client_exists(&client_scratch, "failed/fifo.reason.txt"));
	end(&client, &manifest, &result);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CLIENT_TEST(test_kept_and_quarantined),
		CLIENT_TEST(test_not_seen_is_not_gone),
		CLIENT_TEST(test_reason_of_a_dead_attempt_is_taken_up),
		CLIENT_TEST(test_deleted),
		CLIENT_TEST(test_moved),
		CLIENT_TEST(test_moved_across_file_systems),
		CLIENT_TEST(test_fetch_that_died_is_ended),
		CLIENT_TEST(test_folder_that_was_copied_goes),
		CLIENT_TEST(test_what_a_dead_removal_left_is_removed),
		CLIENT_TEST(test_changed_inputs_stay),
		CLIENT_TEST(test_what_is_no_file_is_quarantined_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
