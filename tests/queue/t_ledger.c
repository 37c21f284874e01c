/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ledger: what a callback reported is there after the next start, a second daemon is
 * kept out, a schema from the future is refused, and a full disk is said so.
 */
#include "daemon/queue/ledger.h"
#include "plugins/kiln_plugin.h"

#include <errno.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], path[80];
static struct ev_loop *loop;
static struct kd_ledger *ledger;

static void
open_ledger(void)
{
	struct kd_err err = {0};
	assert_int_equal(kd_ledger_open(path, loop, &ledger, &err), 0);
}

static void
begin(void)
{
	assert_int_equal(kd_ledger_begin(ledger, NULL), 0);
}

static int
setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/kiln-t-ledger.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/ledger.db", folder);
	loop = ev_loop_new(0);
	return loop == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	kd_ledger_close(ledger);
	ledger = NULL;
	ev_loop_destroy(loop);
	static const char *const ends[] = {"", "-wal", "-shm"};
	for (int i = 0; i < 3; i++) {
		char name[96];
		snprintf(name, sizeof name, "%s%s", path, ends[i]);
		unlink(name);
	}
	return rmdir(folder);
}

/* Each callback writes here and ends the loop. */
static struct {
	int rc, fresh;
	int64_t id;
	char output[100];
	json_t *json;
} got;

static void
on_offer(void *context, int rc, int64_t id, int fresh)
{
	(void)context;
	got.rc = rc;
	got.id = id;
	got.fresh = fresh;
	ev_break(loop, EVBREAK_ALL);
}

static void
on_start(void *context, int rc, int64_t batch)
{
	on_offer(context, rc, batch, 0);
}

static void
on_done(void *context, int rc)
{
	on_offer(context, rc, 0, 0);
}

static void
on_same(void *context, int rc, const char *output)
{
	snprintf(got.output, sizeof got.output, "%s", output == NULL ? "" : output);
	on_offer(context, rc, 0, 0);
}

static void
on_json(void *context, int rc, json_t *json)
{
	json_decref(got.json);
	got.json = json;
	on_offer(context, rc, 0, 0);
}

static int64_t
offer(const char *name, int64_t mtime)
{
	struct kd_unit *unit = kd_unit_new("rule", name, KILN_FILE);
	unit->identity = (struct kd_identity){.ino = 1, .size = 10, .mtime = mtime};
	assert_int_equal(kd_ledger_offer(ledger, unit, on_offer, NULL), 0);
	kd_unit_free(unit);
	ev_run(loop, 0);
	assert_int_equal(got.rc, 0);
	return got.id;
}

static int64_t
start(int64_t unit)
{
	struct kd_ledger_start given = {"rule", "rev", &unit, 1};
	assert_int_equal(kd_ledger_start(ledger, &given, on_start, NULL), 0);
	ev_run(loop, 0);
	assert_int_equal(got.rc, 0);
	return got.id;
}

static const char sum[] =
	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static void
record(int64_t unit, int64_t batch, enum kd_state to, enum kd_status status)
{
	struct kd_output output = {.path = (char *)"a.npz", .bytes = 5};
	struct kd_result_unit result = {.status = status,
		.primary = (char *)"/out/a.npz",
		.output_count = 1,
		.outputs = &output};
	memcpy(result.sha256, sum, sizeof sum);
	memcpy(output.sha256, sum, sizeof sum);
	struct kd_ledger_outcome outcome = {.unit = unit,
		.state = to,
		.result = &result,
		.not_before = 99,
		.reason = "said"};
	struct kd_ledger_record given = {.batch = batch,
		.variant = "c",
		.device = "cpu",
		.out = "/out",
		.outcomes = &outcome,
		.outcome_count = 1};
	assert_int_equal(kd_ledger_record(ledger, &given, on_done, NULL), 0);
	ev_run(loop, 0);
	assert_int_equal(got.rc, 0);
}

static struct kd_unit loaded[8];
static int loaded_count;

static int
on_load(void *context, struct kd_unit *unit)
{
	(void)context;
	loaded[loaded_count++] = *unit;
	kd_unit_free(unit);
	return 0;
}

static void
reopen(void)
{
	kd_ledger_close(ledger);
	open_ledger();
	loaded_count = 0;
	assert_int_equal(kd_ledger_load(ledger, on_load, NULL, NULL), 0);
	begin();
}

static void
a_schema_from_the_future_is_refused(void **state)
{
	(void)state;
	sqlite3 *db;
	struct kd_err err = {0};
	sqlite3_open(path, &db);
	sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL);
	sqlite3_close(db);
	assert_int_equal(kd_ledger_open(path, loop, &ledger, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "schema 99, made by a newer kiln"));
}

static void
garbage_is_refused(void **state)
{
	(void)state;
	struct kd_err err = {0};
	FILE *file = fopen(path, "w");
	for (int i = 0; i < 1000; i++)
		fputs("this is no database ", file);
	fclose(file);
	assert_int_equal(kd_ledger_open(path, loop, &ledger, &err), -EIO);
	assert_non_null(strstr(err.text, "not a database"));
}

static void
a_second_daemon_is_kept_out(void **state)
{
	(void)state;
	struct kd_ledger *second;
	struct kd_err err = {0};
	open_ledger();
	assert_int_equal(kd_ledger_open(path, loop, &second, &err), -EAGAIN);
	assert_non_null(strstr(err.text, "another kilnd"));
}

static void
a_known_drop_is_not_fresh(void **state)
{
	(void)state;
	open_ledger();
	begin();
	int64_t first = offer("a", 1);
	assert_true(got.fresh);
	assert_int_equal(offer("a", 1), first);
	assert_false(got.fresh);
	assert_int_not_equal(offer("a", 2), first);
	assert_true(got.fresh);
	assert_int_not_equal(offer("b", 1), first);
	assert_true(got.fresh);
}

static void
what_was_gone_and_came_back_is_fresh(void **state)
{
	(void)state;
	open_ledger();
	begin();
	int64_t unit = offer("a", 1);
	record(unit, start(unit), KD_STATE_GONE, KD_UNIT_BUSY);
	assert_int_equal(offer("a", 1), unit);
	assert_true(got.fresh);
}

static void
what_was_moved_away_and_put_back_is_fresh(void **state)
{
	(void)state;
	open_ledger();
	begin();
	int64_t stays = offer("stays", 1), left = offer("left", 1);
	record(stays, start(stays), KD_STATE_FAILED, KD_UNIT_BAD);
	record(left, start(left), KD_STATE_FAILED, KD_UNIT_BAD);
	struct kd_ledger_closed closed[] = {{stays, 0}, {left, 1}};
	assert_int_equal(kd_ledger_finish(ledger, closed, 2, on_done, NULL), 0);
	ev_run(loop, 0);
	assert_int_equal(offer("stays", 1), stays);
	assert_false(got.fresh);
	assert_int_equal(offer("left", 1), left);
	assert_true(got.fresh);
	reopen();
	assert_int_equal(loaded_count, 1);
	assert_int_equal(loaded[0].id, left);
	assert_int_equal(loaded[0].attempts, 0);
}

static void
open_units_come_back_after_a_start(void **state)
{
	(void)state;
	open_ledger();
	begin();
	int64_t ready = offer("ready", 1), running = offer("running", 1);
	int64_t deferred = offer("deferred", 1), published = offer("published", 1);
	int64_t finished = offer("finished", 1);
	start(running);
	record(deferred, start(deferred), KD_STATE_DEFERRED, KD_UNIT_TRANSIENT);
	record(published, start(published), KD_STATE_PUBLISHED, KD_UNIT_PUBLISHED);
	record(finished, start(finished), KD_STATE_PUBLISHED, KD_UNIT_PUBLISHED);
	assert_int_equal(kd_ledger_finish(ledger, &(struct kd_ledger_closed){finished, 0},
				 1, on_done, NULL),
		0);
	ev_run(loop, 0);
	reopen();
	assert_int_equal(loaded_count, 4);
	assert_int_equal(loaded[0].id, ready);
	assert_int_equal(loaded[0].attempts, 0);
	assert_int_equal(loaded[1].state, KD_STATE_READY);
	assert_int_equal(loaded[1].attempts, 1);
	assert_int_equal(loaded[2].recorded, KD_STATE_PUBLISHED);
	assert_int_equal(loaded[2].identity.size, 10);
	assert_int_equal(loaded[3].state, KD_STATE_DEFERRED);
	assert_true(loaded[3].not_before == 99);
}

static void
the_same_content_is_found_by_rule_and_revision(void **state)
{
	(void)state;
	open_ledger();
	begin();
	int64_t unit = offer("a", 1);
	record(unit, start(unit), KD_STATE_PUBLISHED, KD_UNIT_PUBLISHED);
	struct kd_ledger_same same = {"rule", "rev", sum, 0};
	kd_ledger_same(ledger, &same, on_same, NULL);
	ev_run(loop, 0);
	assert_string_equal(got.output, "/out/a.npz");
	same.revision = "other";
	kd_ledger_same(ledger, &same, on_same, NULL);
	ev_run(loop, 0);
	assert_string_equal(got.output, "");
	same.revision = "rev";
	same.not_unit = unit;
	kd_ledger_same(ledger, &same, on_same, NULL);
	ev_run(loop, 0);
	assert_string_equal(got.output, "");
}

static void
lists_and_shows(void **state)
{
	(void)state;
	open_ledger();
	begin();
	int64_t unit = offer("odd\nname", 1);
	record(unit, start(unit), KD_STATE_PUBLISHED, KD_UNIT_PUBLISHED);
	offer("b", 1);
	struct kd_ledger_query query = {.state = -1, .limit = 10};
	kd_ledger_list(ledger, &query, on_json, NULL);
	ev_run(loop, 0);
	assert_int_equal(json_array_size(got.json), 2);
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(got.json, 0), "path")),
		"b");
	query.state = KD_STATE_PUBLISHED;
	kd_ledger_list(ledger, &query, on_json, NULL);
	ev_run(loop, 0);
	assert_int_equal(json_array_size(got.json), 1);
	query = (struct kd_ledger_query){.path = "odd\nname"};
	kd_ledger_show(ledger, &query, on_json, NULL);
	ev_run(loop, 0);
	assert_string_equal(
		json_string_value(json_object_get(got.json, "path")), "odd\\x0aname");
	assert_int_equal(json_array_size(json_object_get(got.json, "tries")), 1);
	json_t *outputs = json_object_get(got.json, "outputs");
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(outputs, 0), "path")),
		"/out/a.npz");
	query = (struct kd_ledger_query){.unit = 12345};
	kd_ledger_show(ledger, &query, on_json, NULL);
	ev_run(loop, 0);
	assert_null(got.json);
}

/* counts[] of one rule, the rest together. */
static uint64_t counts[KD_STATES], other_counts;

static void
on_count(void *context, const char *rule, enum kd_state state, uint64_t count)
{
	(void)context;
	if (strcmp(rule, "rule") == 0)
		counts[state] += count;
	else
		other_counts += count;
}

static void
count_again(void)
{
	memset(counts, 0, sizeof counts);
	other_counts = 0;
	kd_ledger_close(ledger);
	open_ledger();
	assert_int_equal(kd_ledger_counts(ledger, on_count, NULL), 0);
}

static void
finish(int64_t unit, int left)
{
	struct kd_ledger_closed closed = {unit, left};
	kd_ledger_finish(ledger, &closed, 1, on_done, NULL);
	ev_run(loop, 0);
	assert_int_equal(got.rc, 0);
}

static void
closed_units_are_counted(void **state)
{
	(void)state;
	open_ledger();
	begin();
	int64_t unit = offer("a", 1), half = offer("half", 1);
	record(unit, start(unit), KD_STATE_PUBLISHED, KD_UNIT_PUBLISHED);
	record(half, start(half), KD_STATE_PUBLISHED, KD_UNIT_PUBLISHED);
	finish(unit, 0);
	count_again();
	assert_int_equal(counts[KD_STATE_PUBLISHED], 1);
	assert_int_equal(other_counts, 0);
}

/* Runs the fixture's SQL into a new database. */
static void
make_schema_1(void)
{
	char name[400], sql[8192];
	const char *top = getenv("top_srcdir");
	snprintf(name, sizeof name, "%s/tests/queue/schema-1.sql",
		top == NULL ? "." : top);
	FILE *file = fopen(name, "r");
	assert_non_null(file);
	sql[fread(sql, 1, sizeof sql - 1, file)] = '\0';
	fclose(file);
	sqlite3 *db;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void
an_older_schema_is_brought_forward(void **state)
{
	(void)state;
	make_schema_1();
	open_ledger();
	loaded_count = 0;
	assert_int_equal(kd_ledger_load(ledger, on_load, NULL, NULL), 0);
	assert_int_equal(loaded_count, 4);
	assert_int_equal(loaded[0].id, 1);
	assert_int_equal(loaded[1].id, 2);
	assert_int_equal(loaded[1].company, 1);
	assert_int_equal(loaded[2].recorded, KD_STATE_PUBLISHED);
	assert_int_equal(loaded[3].id, 3);
	memset(counts, 0, sizeof counts);
	assert_int_equal(kd_ledger_counts(ledger, on_count, NULL), 0);
	assert_int_equal(counts[KD_STATE_PUBLISHED], 1);
	assert_int_equal(counts[KD_STATE_FAILED], 1);
	assert_int_equal(counts[KD_STATE_GONE], 1);
	begin();
	/* What was gone is fresh as ever, and its content is remembered. */
	struct kd_unit *gone = kd_unit_new("rule", "gone", KILN_FILE);
	gone->identity =
		(struct kd_identity){.ino = 17, .btime = 1, .size = 10, .mtime = 1};
	assert_int_equal(kd_ledger_offer(ledger, gone, on_offer, NULL), 0);
	kd_unit_free(gone);
	ev_run(loop, 0);
	assert_true(got.fresh && got.id == 7);
	struct kd_ledger_same same = {"rule", "rev", sum, 0};
	kd_ledger_same(ledger, &same, on_same, NULL);
	ev_run(loop, 0);
	assert_string_equal(got.output, "/out/p");
}

static struct kd_unit *retried;

static void
on_retry(void *context, int rc, struct kd_unit *units, enum kd_state was)
{
	(void)context;
	retried = units;
	on_offer(NULL, rc, was, 0);
}

static void
retry(int64_t unit, const char *rule)
{
	struct kd_ledger_retry given = {unit, rule};
	assert_int_equal(kd_ledger_retry(ledger, &given, on_retry, NULL), 0);
	ev_run(loop, 0);
}

static void
failures_and_cancellations_are_retried_and_nothing_else(void **state)
{
	(void)state;
	open_ledger();
	begin();
	int64_t failed = offer("failed", 1), other = offer("other", 1);
	int64_t published = offer("published", 1), waiting = offer("waiting", 1);
	record(failed, start(failed), KD_STATE_FAILED, KD_UNIT_BAD);
	record(other, start(other), KD_STATE_FAILED, KD_UNIT_BAD);
	record(published, start(published), KD_STATE_PUBLISHED, KD_UNIT_PUBLISHED);
	/* Its input is still to be disposed of. */
	retry(failed, NULL);
	assert_null(retried);
	finish(failed, 1);
	finish(other, 0);
	finish(published, 0);
	retry(12345, NULL);
	assert_int_equal(got.rc, -ENOENT);
	retry(published, NULL);
	assert_int_equal(got.id, KD_STATE_PUBLISHED);
	assert_null(retried);
	retry(failed, NULL);
	assert_int_equal(retried->id, failed);
	assert_int_equal(retried->state, KD_STATE_READY);
	assert_int_equal(retried->attempts, 0);
	assert_true(retried->restore);
	kd_unit_free(retried);
	retry(0, "rule");
	assert_int_equal(retried->id, other);
	assert_null(retried->next);
	kd_unit_free(retried);
	struct kd_ledger_cancelled cancelled = {.unit = waiting};
	assert_int_equal(kd_ledger_cancel(ledger, &cancelled, 1, on_done, NULL), 0);
	ev_run(loop, 0);
	assert_int_equal(offer("waiting", 1), waiting);
	assert_false(got.fresh);
	reopen();
	/* The one in quarantine is fetched from there even by the next life. */
	assert_int_equal(loaded_count, 2);
	assert_true(loaded[0].id == failed && loaded[0].restore);
	assert_true(loaded[1].id == other && !loaded[1].restore);
	retry(waiting, NULL);
	assert_int_equal(got.id, KD_STATE_CANCELLED);
	assert_false(retried->restore);
	kd_unit_free(retried);
	/* One that a keeper has to put back first is open until it has. */
	cancelled.astray = 1;
	assert_int_equal(kd_ledger_cancel(ledger, &cancelled, 1, on_done, NULL), 0);
	ev_run(loop, 0);
	reopen();
	assert_int_equal(loaded_count, 3);
	assert_int_equal(loaded[2].id, waiting);
	assert_int_equal(loaded[2].recorded, KD_STATE_CANCELLED);
}

static char paused[100];

static int
on_pause(void *context, const char *rule, double since, const char *who)
{
	(void)context;
	assert_true(since > 0);
	snprintf(paused + strlen(paused), sizeof paused - strlen(paused), "%s by %s;",
		rule == NULL ? "all" : rule, who);
	return 0;
}

static void
pause_rule(const char *rule, int on)
{
	struct kd_ledger_pause given = {rule, "ann", on};
	assert_int_equal(kd_ledger_pause(ledger, &given, on_done, NULL), 0);
	ev_run(loop, 0);
	assert_int_equal(got.rc, 0);
}

static void
pauses_outlive_the_daemon(void **state)
{
	(void)state;
	open_ledger();
	begin();
	pause_rule(NULL, 1);
	pause_rule("rule", 1);
	pause_rule("rule", 1);
	pause_rule("other", 1);
	pause_rule("other", 0);
	kd_ledger_close(ledger);
	open_ledger();
	paused[0] = '\0';
	assert_int_equal(kd_ledger_pauses(ledger, on_pause, NULL, NULL), 0);
	assert_string_equal(paused, "all by ann;rule by ann;");
}

static void
on_prune(void *context, int rc, const struct kd_ledger_forgot *forgot, size_t count)
{
	(void)context;
	on_offer(NULL, rc, 0, 0);
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(forgot[i].rule, "rule");
		got.id += (int64_t)forgot[i].count;
	}
}

/* How many units one slice forgot. */
static int64_t
prune(double before)
{
	assert_int_equal(kd_ledger_prune(ledger, before, on_prune, NULL), 0);
	ev_run(loop, 0);
	assert_int_equal(got.rc, 0);
	return got.id;
}

static void
only_what_is_old_and_away_is_forgotten(void **state)
{
	(void)state;
	const double future = 4e9;
	open_ledger();
	begin();
	int64_t away = offer("away", 1), stays = offer("stays", 1),
		open = offer("open", 1);
	record(away, start(away), KD_STATE_PUBLISHED, KD_UNIT_PUBLISHED);
	record(stays, start(stays), KD_STATE_PUBLISHED, KD_UNIT_PUBLISHED);
	start(open);
	finish(away, 1);
	finish(stays, 0);
	assert_int_equal(prune(1), 0);
	assert_int_equal(prune(future), 1);
	assert_int_equal(prune(future), 0);
	struct kd_ledger_query query = {.unit = away};
	kd_ledger_show(ledger, &query, on_json, NULL);
	ev_run(loop, 0);
	assert_null(got.json);
	/* The batches that have ended went, the one under way did not. */
	record(open, 3, KD_STATE_PUBLISHED, KD_UNIT_PUBLISHED);
	struct kd_ledger_same same = {"rule", "rev", sum, stays};
	kd_ledger_same(ledger, &same, on_same, NULL);
	ev_run(loop, 0);
	assert_string_equal(got.output, "/out/a.npz");
	assert_int_equal(offer("stays", 1), stays);
	assert_false(got.fresh);
	count_again();
	assert_int_equal(counts[KD_STATE_PUBLISHED], 1);
}

static int backup_fd;

static void
on_backup(void *context, int rc, int fd)
{
	(void)context;
	backup_fd = fd;
	on_offer(NULL, rc, 0, 0);
}

/* Ends the loop when the last of the offers is in. */
static void
on_one_of_many(void *context, int rc, int64_t id, int fresh)
{
	(void)id;
	(void)fresh;
	assert_int_equal(rc, 0);
	if (--*(int *)context == 0)
		ev_break(loop, EVBREAK_ALL);
}

static void
a_backup_is_whole_and_nobody_waits_for_it(void **state)
{
	(void)state;
	enum { MANY = 30000 };
	open_ledger();
	begin();
	int left = MANY;
	for (int i = 0; i < MANY; i++) {
		char name[20];
		snprintf(name, sizeof name, "%d", i);
		struct kd_unit *unit = kd_unit_new("rule", name, KILN_FILE);
		assert_int_equal(kd_ledger_offer(ledger, unit, on_one_of_many, &left), 0);
		kd_unit_free(unit);
	}
	ev_run(loop, 0);
	assert_int_equal(kd_ledger_backup(ledger, on_backup, NULL), 0);
	assert_int_equal(kd_ledger_backup(ledger, on_backup, NULL), -EBUSY);
	/* There are enough pages for several slices: this one gets in between. */
	backup_fd = -1;
	struct kd_unit *unit = kd_unit_new("rule", "meanwhile", KILN_FILE);
	left = 1;
	assert_int_equal(kd_ledger_offer(ledger, unit, on_one_of_many, &left), 0);
	kd_unit_free(unit);
	while (left > 0)
		ev_run(loop, EVRUN_ONCE);
	assert_int_equal(backup_fd, -1);
	while (backup_fd < 0)
		ev_run(loop, EVRUN_ONCE);
	assert_int_equal(got.rc, 0);
	/* The file has no name any more: the copy that kilnctl makes has. */
	char name[120], buffer[4096];
	sqlite3 *db;
	sqlite3_stmt *stmt;
	ssize_t got_bytes;
	snprintf(name, sizeof name, "%s.copy", path);
	FILE *copy = fopen(name, "w");
	while ((got_bytes = read(backup_fd, buffer, sizeof buffer)) > 0)
		fwrite(buffer, 1, (size_t)got_bytes, copy);
	fclose(copy);
	assert_int_equal(
		sqlite3_open_v2(name, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db,
				 "SELECT count(*), (SELECT integrity_check FROM"
				 " pragma_integrity_check) FROM unit",
				 -1, &stmt, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(stmt, 0), MANY + 1);
	assert_string_equal((const char *)sqlite3_column_text(stmt, 1), "ok");
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	unlink(name);
	close(backup_fd);
	snprintf(name, sizeof name, "%s.backup", path);
	assert_int_equal(access(name, F_OK), -1);
	/* The next one may begin; a ledger that is closed gives it up. */
	assert_int_equal(kd_ledger_backup(ledger, on_backup, NULL), 0);
}

static int
free_json(void **state)
{
	(void)state;
	json_decref(got.json);
	return 0;
}

static void
count_answer(void *context, int rc, int64_t id, int fresh)
{
	int *answered = context;
	assert_int_equal(rc, 0);
	assert_true(fresh);
	assert_int_equal(id, ++*answered);
}

/* A transaction takes all orders that wait; their callbacks do not come all in one turn,
 * which would keep the loop from everybody else. */
static void
a_turn_of_the_loop_calls_a_bounded_number_back(void **state)
{
	(void)state;
	enum { COUNT = 20 * KD_LEDGER_AT_ONCE };
	int answered = 0;
	open_ledger();
	begin();
	for (int i = 0; i < COUNT; i++) {
		char name[16];
		snprintf(name, sizeof name, "%d.vmd", i);
		struct kd_unit unit = {.rule = "r", .path = name, .kind = KILN_FILE};
		assert_int_equal(
			kd_ledger_offer(ledger, &unit, count_answer, &answered), 0);
	}
	while (answered < COUNT) {
		int before = answered;
		ev_run(loop, EVRUN_ONCE);
		assert_true(answered - before <= KD_LEDGER_AT_ONCE);
	}
	assert_int_equal(answered, COUNT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_schema_from_the_future_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(garbage_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_second_daemon_is_kept_out, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_known_drop_is_not_fresh, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_was_gone_and_came_back_is_fresh, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_was_moved_away_and_put_back_is_fresh, setup, teardown),
		cmocka_unit_test_setup_teardown(
			open_units_come_back_after_a_start, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_same_content_is_found_by_rule_and_revision, setup, teardown),
		cmocka_unit_test_setup_teardown(lists_and_shows, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_turn_of_the_loop_calls_a_bounded_number_back, setup, teardown),
		cmocka_unit_test_setup_teardown(
			closed_units_are_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_older_schema_is_brought_forward, setup, teardown),
		cmocka_unit_test_setup_teardown(
			failures_and_cancellations_are_retried_and_nothing_else, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			pauses_outlive_the_daemon, setup, teardown),
		cmocka_unit_test_setup_teardown(
			only_what_is_old_and_away_is_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_backup_is_whole_and_nobody_waits_for_it, setup, teardown),
	};
	return cmocka_run_group_tests_name("queue/ledger", tests, NULL, free_json);
}
