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
	assert_int_equal(loaded[2].state, KD_STATE_DEFERRED);
	assert_true(loaded[2].not_before == 99);
	assert_int_equal(loaded[3].recorded, KD_STATE_PUBLISHED);
	assert_int_equal(loaded[3].identity.size, 10);
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

static void
closed_units_are_counted(void **state)
{
	(void)state;
	uint64_t counts[KD_STATES];
	open_ledger();
	begin();
	int64_t unit = offer("a", 1);
	record(unit, start(unit), KD_STATE_PUBLISHED, KD_UNIT_PUBLISHED);
	kd_ledger_finish(ledger, &(struct kd_ledger_closed){unit, 0}, 1, on_done, NULL);
	ev_run(loop, 0);
	kd_ledger_close(ledger);
	open_ledger();
	assert_int_equal(kd_ledger_counts(ledger, "rule", counts), 0);
	assert_int_equal(counts[KD_STATE_PUBLISHED], 1);
	assert_int_equal(kd_ledger_counts(ledger, "other", counts), 0);
	assert_int_equal(counts[KD_STATE_PUBLISHED], 0);
}

static int
free_json(void **state)
{
	(void)state;
	json_decref(got.json);
	return 0;
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
			closed_units_are_counted, setup, teardown),
	};
	return cmocka_run_group_tests_name("queue/ledger", tests, NULL, free_json);
}
