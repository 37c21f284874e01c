/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of inputs after the client's FINISH, also when it is said twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "daemon/publish/inputs.h"
#include "daemon/publish/quarantine.h"
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
#include <unistd.h>

static char elsewhere[64]; /* on another file system, where there is one */

/* a.txt is fine, b.txt is bad. */
static void
run_two(struct client_batch *batch)
{
	static const char *const names[] = {"sub/a.txt", "b.txt", NULL};
	if (!scratch_exists("in/sub"))
		assert_int_equal(mkdir(scratch_path("in/sub"), 0755), 0);
	scratch_write("in/sub/a.txt", "good");
	scratch_write("in/b.txt", "bad");
	client_manifest(&batch->manifest, "hostile", "fussy", names);
	batch->manifest.quarantine = strdup(scratch_path("failed"));
	client_batch_run(batch);
	client_expect_published(&batch->result, 0);
	client_expect(&batch->result, 1, KD_UNIT_BAD, "byte 0");
}

static void
what_is_kept_stays_and_what_is_bad_is_quarantined(void **state)
{
	(void)state;
	struct client_batch batch = {0};
	run_two(&batch);
	assert_true(scratch_exists("in/b.txt"));
	client_expect_no_failures(client_finish(&batch.client, 2));
	assert_true(scratch_exists("in/sub/a.txt"));
	assert_false(scratch_exists("in/b.txt"));
	char *moved = scratch_read("failed/b.txt");
	assert_string_equal(moved, "bad");
	free(moved);
	char *reason = scratch_read("failed/b.txt.reason.txt");
	assert_non_null(strstr(reason, "What:     b.txt\n"));
	assert_non_null(strstr(
		reason, "Why:      bad: byte 0: expected 'K', found something else\n"));
	assert_non_null(strstr(reason, "Rule:     rule, kernel fussy, batch 7"));
	assert_non_null(strstr(reason, "What to do next: "));
	free(reason);
	/* Said again after a crash: nothing is left to do, nothing is an error. */
	client_expect_no_failures(client_finish(&batch.client, 2));
	client_batch_end(&batch);
	/* The same name once more never overwrites. */
	run_two(&batch);
	client_expect_no_failures(client_finish(&batch.client, 2));
	assert_true(scratch_exists("failed/b.2.txt"));
	assert_true(scratch_exists("failed/b.2.txt.reason.txt"));
	client_batch_end(&batch);
}

/* What cannot be looked at may be there: it is not disposed of. */
static void
what_is_not_seen_is_not_gone(void **state)
{
	(void)state;
	char name[NAME_MAX + 64];
	struct kd_err err;
	memset(name, 'n', sizeof name);
	name[sizeof name - 1] = '\0';
	int root = open(scratch_path("in"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	struct kd_input input = {.root = root, .place = name, .path = "a.txt"};
	const struct kd_quarantine why = {.folder = scratch_path("failed"),
		.status = "bad",
		.reason = "",
		.rule = "",
		.kernel = "",
		.sha256 = ""};
	assert_int_equal(kd_inputs_delete(&input, &err), -ENAMETOOLONG);
	assert_int_equal(
		kd_inputs_move(&input, scratch_path("done"), &err), -ENAMETOOLONG);
	assert_int_equal(kd_quarantine_put(&input, &why, &err), -ENAMETOOLONG);
	input.place = "gone.txt";
	assert_int_equal(kd_inputs_delete(&input, &err), 0);
	close(root);
}

static void
the_reason_of_a_dead_attempt_is_taken_up(void **state)
{
	(void)state;
	struct client_batch batch = {0};
	run_two(&batch);
	client_expect_no_failures(client_finish(&batch.client, 2));
	client_batch_end(&batch);
	/* As if it had died between the reason file and the move. */
	assert_int_equal(unlink(scratch_path("failed/b.txt")), 0);
	run_two(&batch);
	client_expect_no_failures(client_finish(&batch.client, 2));
	assert_true(scratch_exists("failed/b.txt"));
	assert_false(scratch_exists("failed/b.2.txt"));
	client_batch_end(&batch);
}

static void
what_is_done_with_is_deleted(void **state)
{
	(void)state;
	static const char *const names[] = {"d/", "f", NULL};
	struct client_batch batch = {0};
	assert_int_equal(mkdir(scratch_path("in/d"), 0755), 0);
	scratch_write("in/d/x", "x");
	scratch_write("in/f", "f");
	client_manifest(&batch.manifest, "copy", "copy", names);
	batch.manifest.inputs = KD_INPUTS_DELETE;
	client_batch_run(&batch);
	client_expect_no_failures(client_finish(&batch.client, 2));
	assert_false(scratch_exists("in/d"));
	assert_false(scratch_exists("in/f"));
	assert_true(scratch_exists("out/d/x"));
	client_batch_end(&batch);
}

/* Moves a directory and a file to `done` and looks for them there. */
static void
move_to(const char *done)
{
	static const char *const names[] = {"d/", "f", NULL};
	struct client_batch batch = {0};
	char path[300];
	assert_int_equal(mkdir(scratch_path("in/d"), 0755), 0);
	scratch_write("in/d/x", "x");
	scratch_write("in/f", "f");
	client_manifest(&batch.manifest, "copy", "copy", names);
	batch.manifest.inputs = KD_INPUTS_MOVE;
	batch.manifest.done = strdup(done);
	client_batch_run(&batch);
	client_expect_no_failures(client_finish(&batch.client, 2));
	client_expect_no_failures(client_finish(&batch.client, 2));
	assert_false(scratch_exists("in/d"));
	assert_false(scratch_exists("in/f"));
	snprintf(path, sizeof path, "%s/d/x", done);
	assert_int_equal(access(path, F_OK), 0);
	snprintf(path, sizeof path, "%s/f", done);
	assert_int_equal(access(path, F_OK), 0);
	client_batch_end(&batch);
}

static void
what_is_done_with_is_moved(void **state)
{
	(void)state;
	char done[300];
	snprintf(done, sizeof done, "%s/done/by/now", scratch_folder);
	move_to(done);
}

static void
make_elsewhere(void)
{
	struct stat here, there;
	strcpy(elsewhere, "/dev/shm/kiln-test-XXXXXX");
	if (mkdtemp(elsewhere) == NULL || stat(elsewhere, &there) < 0 ||
		stat(scratch_folder, &here) < 0 || here.st_dev == there.st_dev) {
		print_message("# SKIP /dev/shm is no other file system\n");
		skip();
	}
}

static void
remove_elsewhere(void)
{
	char command[100];
	snprintf(command, sizeof command, "rm -r %s", elsewhere);
	assert_int_equal(system(command), 0);
}

static void
what_is_done_with_moves_across_file_systems(void **state)
{
	(void)state;
	make_elsewhere();
	move_to(elsewhere);
	remove_elsewhere();
}

/* A path below there. */
static const char *
beyond(const char *name)
{
	static char path[200];
	snprintf(path, sizeof path, "%s/%s", elsewhere, name);
	return path;
}

/* What is in a folder of both file systems after a death between copy and removal. */
static void
write_twice(const char *name, const char *text)
{
	char here[100];
	snprintf(here, sizeof here, "in/%s", name);
	scratch_write(here, text);
	scratch_write(beyond(name), text);
}

static int
fetch(const char *path, int64_t unit)
{
	struct kd_err err;
	int root = open(scratch_path("in"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct kd_quarantine_fetch given = {.root = root,
		.path = path,
		.place = path,
		.folder = elsewhere,
		.unit = unit};
	int rc = kd_quarantine_fetch(&given, &err);
	close(root);
	return rc;
}

static void
a_fetch_that_died_is_ended(void **state)
{
	(void)state;
	make_elsewhere();
	scratch_mkdir("in/room");
	scratch_mkdir("in/room/deep");
	scratch_mkdir(beyond("room"));
	scratch_mkdir(beyond("room/deep"));
	write_twice("a.txt", "text");
	write_twice("room/one", "1");
	write_twice("room/deep/two", "2");
	write_twice("b.txt", "text");
	scratch_write(
		beyond("a.txt.reason.txt"), "Identity: a.txt, unit 1, SHA-256 unknown\n");
	scratch_write(
		beyond("room.reason.txt"), "Identity: room, unit 2, SHA-256 unknown\n");
	scratch_write(
		beyond("b.txt.reason.txt"), "Identity: b.txt, unit 3, SHA-256 unknown\n");
	/* Another file of the same name is not to be lost. */
	scratch_write("in/b.txt", "dropped anew");
	assert_int_equal(fetch("a.txt", 1), 1);
	assert_false(scratch_exists(beyond("a.txt")));
	assert_false(scratch_exists(beyond("a.txt.reason.txt")));
	scratch_expect_text("in/a.txt", "text");
	assert_int_equal(fetch("room", 2), 1);
	assert_false(scratch_exists(beyond("room")));
	assert_false(scratch_exists(beyond("room.reason.txt")));
	scratch_expect_text("in/room/deep/two", "2");
	assert_int_equal(fetch("b.txt", 3), 0);
	scratch_expect_text(beyond("b.txt"), "text");
	assert_true(scratch_exists(beyond("b.txt.reason.txt")));
	remove_elsewhere();
}

/* A folder that was copied is not copied again; one that only begins alike is another. */
static void
a_folder_that_was_copied_goes(void **state)
{
	(void)state;
	struct kd_err err;
	make_elsewhere();
	scratch_mkdir("in/room");
	scratch_mkdir(beyond("room"));
	write_twice("room/one", "1");
	scratch_write(beyond("room/more"), "2");
	int root = open(scratch_path("in"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct kd_input input = {.root = root, .place = "room", .path = "room"};
	assert_int_equal(kd_inputs_move(&input, elsewhere, &err), 0);
	scratch_expect_text(beyond("room.2/one"), "1");
	scratch_mkdir("in/room");
	scratch_write("in/room/one", "1");
	scratch_write("in/room/more", "2");
	assert_int_equal(kd_inputs_move(&input, elsewhere, &err), 0);
	assert_false(scratch_exists("in/room"));
	assert_false(scratch_exists(beyond("room.3")));
	close(root);
	remove_elsewhere();
}

static void
what_a_dead_removal_left_is_removed(void **state)
{
	(void)state;
	static const char *const names[] = {"a.txt", NULL};
	struct client_batch batch = {0};
	/* As if it had died between the two steps of a removal, the ledger open. */
	assert_int_equal(mkdir(scratch_path("in/.kiln-gone.a.txt"), 0755), 0);
	scratch_write("in/.kiln-gone.a.txt/rest", "rest");
	client_manifest(&batch.manifest, "copy", "copy", names);
	client_batch_run(&batch);
	client_expect(&batch.result, 0, KD_UNIT_GONE, "cannot open it");
	client_expect_no_failures(client_finish(&batch.client, 1));
	assert_false(scratch_exists("in/.kiln-gone.a.txt"));
	client_batch_end(&batch);
}

static void
changed_inputs_stay(void **state)
{
	(void)state;
	struct client_batch batch = {0};
	run_two(&batch);
	scratch_write("in/b.txt", "dropped anew meanwhile");
	json_t *failed = client_finish(&batch.client, 2);
	assert_int_equal(json_array_size(failed), 1);
	const char *reason =
		json_string_value(json_object_get(json_array_get(failed, 0), "reason"));
	assert_string_equal(
		reason, "'b.txt' is not what was processed any more; it stays");
	json_decref(failed);
	assert_true(scratch_exists("in/b.txt"));
	client_batch_end(&batch);
}

static void
what_is_no_file_is_quarantined_too(void **state)
{
	(void)state;
	static const char *const names[] = {"fifo", "link", NULL};
	struct client_batch batch = {0};
	struct stat st;
	assert_int_equal(mkfifo(scratch_path("in/fifo"), 0644), 0);
	assert_int_equal(symlink("/etc/passwd", scratch_path("in/link")), 0);
	client_manifest(&batch.manifest, "copy", "copy", names);
	batch.manifest.quarantine = strdup(scratch_path("failed"));
	client_batch_run(&batch);
	client_expect_no_failures(client_finish(&batch.client, 2));
	assert_int_equal(lstat(scratch_path("failed/link"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_true(scratch_exists("failed/fifo"));
	assert_true(scratch_exists("failed/fifo.reason.txt"));
	client_batch_end(&batch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(what_is_kept_stays_and_what_is_bad_is_quarantined),
		SCRATCH_TEST(what_is_not_seen_is_not_gone),
		SCRATCH_TEST(the_reason_of_a_dead_attempt_is_taken_up),
		SCRATCH_TEST(what_is_done_with_is_deleted),
		SCRATCH_TEST(what_is_done_with_is_moved),
		SCRATCH_TEST(what_is_done_with_moves_across_file_systems),
		SCRATCH_TEST(a_fetch_that_died_is_ended),
		SCRATCH_TEST(a_folder_that_was_copied_goes),
		SCRATCH_TEST(what_a_dead_removal_left_is_removed),
		SCRATCH_TEST(changed_inputs_stay),
		SCRATCH_TEST(what_is_no_file_is_quarantined_too),
	};
	return cmocka_run_group_tests_name("publish/inputs", tests, NULL, NULL);
}
