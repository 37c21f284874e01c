/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ledger's rows: which drops are fresh, what a callback reported is there after the
 * next start, and what is tried again.
 */
#include "tests/queue/book.h"
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

static void
a_known_drop_is_not_fresh(void **state)
{
	(void)state;
	book_open();
	book_begin();
	int64_t first = book_offer("a", 1);
	assert_true(book.got.fresh);
	assert_int_equal(book_offer("a", 1), first);
	assert_false(book.got.fresh);
	assert_int_not_equal(book_offer("a", 2), first);
	assert_true(book.got.fresh);
	assert_int_not_equal(book_offer("b", 1), first);
	assert_true(book.got.fresh);
}

static void
what_was_gone_and_came_back_is_fresh(void **state)
{
	(void)state;
	book_open();
	book_begin();
	int64_t unit = book_offer("a", 1);
	book_record(unit, book_start(unit), KD_STATE_GONE, KD_UNIT_BUSY);
	assert_int_equal(book_offer("a", 1), unit);
	assert_true(book.got.fresh);
}

static void
what_was_moved_away_and_put_back_is_fresh(void **state)
{
	(void)state;
	book_open();
	book_begin();
	int64_t stays = book_offer("stays", 1), left = book_offer("left", 1);
	book_record(stays, book_start(stays), KD_STATE_FAILED, KD_UNIT_BAD);
	book_record(left, book_start(left), KD_STATE_FAILED, KD_UNIT_BAD);
	struct kd_ledger_closed closed[] = {{stays, 0}, {left, 1}};
	assert_int_equal(kd_ledger_finish(book.ledger, closed, 2, book_on_done, NULL), 0);
	ev_run(book.loop, 0);
	assert_int_equal(book_offer("stays", 1), stays);
	assert_false(book.got.fresh);
	assert_int_equal(book_offer("left", 1), left);
	assert_true(book.got.fresh);
	book_reopen();
	assert_int_equal(book.loaded_count, 1);
	assert_int_equal(book.loaded[0].id, left);
	assert_int_equal(book.loaded[0].attempts, 0);
}

static void
open_units_come_back_after_a_start(void **state)
{
	(void)state;
	book_open();
	book_begin();
	int64_t ready = book_offer("ready", 1), running = book_offer("running", 1);
	int64_t deferred = book_offer("deferred", 1),
		published = book_offer("published", 1);
	int64_t finished = book_offer("finished", 1);
	book_start(running);
	book_record(deferred, book_start(deferred), KD_STATE_DEFERRED, KD_UNIT_TRANSIENT);
	book_record(
		published, book_start(published), KD_STATE_PUBLISHED, KD_UNIT_PUBLISHED);
	book_record(
		finished, book_start(finished), KD_STATE_PUBLISHED, KD_UNIT_PUBLISHED);
	assert_int_equal(
		kd_ledger_finish(book.ledger, &(struct kd_ledger_closed){finished, 0}, 1,
			book_on_done, NULL),
		0);
	ev_run(book.loop, 0);
	book_reopen();
	assert_int_equal(book.loaded_count, 4);
	assert_int_equal(book.loaded[0].id, ready);
	assert_int_equal(book.loaded[0].attempts, 0);
	assert_int_equal(book.loaded[1].state, KD_STATE_READY);
	assert_int_equal(book.loaded[1].attempts, 1);
	assert_int_equal(book.loaded[2].recorded, KD_STATE_PUBLISHED);
	assert_int_equal(book.loaded[2].identity.size, 10);
	assert_int_equal(book.loaded[3].state, KD_STATE_DEFERRED);
	assert_true(book.loaded[3].not_before == 99);
}

static void
the_same_content_is_found_by_rule_and_revision(void **state)
{
	(void)state;
	book_open();
	book_begin();
	int64_t unit = book_offer("a", 1);
	book_record(unit, book_start(unit), KD_STATE_PUBLISHED, KD_UNIT_PUBLISHED);
	struct kd_ledger_same same = {"rule", "rev", book_sum, 0, NULL};
	kd_ledger_same(book.ledger, &same, book_on_same, NULL);
	ev_run(book.loop, 0);
	assert_string_equal(book.got.output, "/out/a.npz");
	same.revision = "other";
	kd_ledger_same(book.ledger, &same, book_on_same, NULL);
	ev_run(book.loop, 0);
	assert_string_equal(book.got.output, "");
	same.revision = "rev";
	same.not_unit = unit;
	kd_ledger_same(book.ledger, &same, book_on_same, NULL);
	ev_run(book.loop, 0);
	assert_string_equal(book.got.output, "");
}

static void
lists_and_shows(void **state)
{
	(void)state;
	book_open();
	book_begin();
	int64_t unit = book_offer("odd\nname", 1);
	book_record(unit, book_start(unit), KD_STATE_PUBLISHED, KD_UNIT_PUBLISHED);
	book_offer("b", 1);
	struct kd_ledger_query query = {.state = -1, .limit = 10};
	kd_ledger_list(book.ledger, &query, book_on_json, NULL);
	ev_run(book.loop, 0);
	assert_int_equal(json_array_size(book.got.json), 2);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(book.got.json, 0), "path")),
		"b");
	query.state = KD_STATE_PUBLISHED;
	kd_ledger_list(book.ledger, &query, book_on_json, NULL);
	ev_run(book.loop, 0);
	assert_int_equal(json_array_size(book.got.json), 1);
	query = (struct kd_ledger_query){.path = "odd\nname"};
	kd_ledger_show(book.ledger, &query, book_on_json, NULL);
	ev_run(book.loop, 0);
	assert_string_equal(json_string_value(json_object_get(book.got.json, "path")),
		"odd\\x0aname");
	assert_int_equal(json_array_size(json_object_get(book.got.json, "tries")), 1);
	json_t *outputs = json_object_get(book.got.json, "outputs");
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(outputs, 0), "path")),
		"/out/a.npz");
	query = (struct kd_ledger_query){.unit = 12345};
	kd_ledger_show(book.ledger, &query, book_on_json, NULL);
	ev_run(book.loop, 0);
	assert_null(book.got.json);
}

static void
closed_units_are_counted(void **state)
{
	(void)state;
	book_open();
	book_begin();
	int64_t unit = book_offer("a", 1), half = book_offer("half", 1);
	book_record(unit, book_start(unit), KD_STATE_PUBLISHED, KD_UNIT_PUBLISHED);
	book_record(half, book_start(half), KD_STATE_PUBLISHED, KD_UNIT_PUBLISHED);
	book_finish(unit, 0);
	book_count_again();
	assert_int_equal(book.counts[KD_STATE_PUBLISHED], 1);
	assert_int_equal(book.other_counts, 0);
}

static struct kd_unit *retried;

static void
on_retry(void *context, int rc, struct kd_unit *units, enum kd_state was)
{
	(void)context;
	retried = units;
	book_on_offer(NULL, rc, was, 0);
}

static void
retry(int64_t unit, const char *rule)
{
	struct kd_ledger_retry given = {unit, rule};
	assert_int_equal(kd_ledger_retry(book.ledger, &given, on_retry, NULL), 0);
	ev_run(book.loop, 0);
}

static void
failures_and_cancellations_are_retried_and_nothing_else(void **state)
{
	(void)state;
	book_open();
	book_begin();
	int64_t failed = book_offer("failed", 1), other = book_offer("other", 1);
	int64_t published = book_offer("published", 1),
		waiting = book_offer("waiting", 1);
	book_record(failed, book_start(failed), KD_STATE_FAILED, KD_UNIT_BAD);
	book_record(other, book_start(other), KD_STATE_FAILED, KD_UNIT_BAD);
	book_record(
		published, book_start(published), KD_STATE_PUBLISHED, KD_UNIT_PUBLISHED);
	/* Its input is still to be disposed of. */
	retry(failed, NULL);
	assert_null(retried);
	book_finish(failed, 1);
	book_finish(other, 0);
	book_finish(published, 0);
	retry(12345, NULL);
	assert_int_equal(book.got.rc, -ENOENT);
	retry(published, NULL);
	assert_int_equal(book.got.id, KD_STATE_PUBLISHED);
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
	assert_int_equal(
		kd_ledger_cancel(book.ledger, &cancelled, 1, book_on_done, NULL), 0);
	ev_run(book.loop, 0);
	assert_int_equal(book_offer("waiting", 1), waiting);
	assert_false(book.got.fresh);
	book_reopen();
	/* The one in quarantine is fetched from there even by the next life. */
	assert_int_equal(book.loaded_count, 2);
	assert_true(book.loaded[0].id == failed && book.loaded[0].restore);
	assert_true(book.loaded[1].id == other && !book.loaded[1].restore);
	retry(waiting, NULL);
	assert_int_equal(book.got.id, KD_STATE_CANCELLED);
	assert_false(retried->restore);
	kd_unit_free(retried);
	/* One that a keeper has to put back first is open until it has. */
	cancelled.astray = 1;
	assert_int_equal(
		kd_ledger_cancel(book.ledger, &cancelled, 1, book_on_done, NULL), 0);
	ev_run(book.loop, 0);
	book_reopen();
	assert_int_equal(book.loaded_count, 3);
	assert_int_equal(book.loaded[2].id, waiting);
	assert_int_equal(book.loaded[2].recorded, KD_STATE_CANCELLED);
}

static void
count_answer(void *context, int rc, int64_t id, enum kd_ledger_news fresh)
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
	book_open();
	book_begin();
	for (int i = 0; i < COUNT; i++) {
		char name[16];
		snprintf(name, sizeof name, "%d.vmd", i);
		struct kd_unit unit = {.rule = "r", .path = name, .kind = KILN_FILE};
		assert_int_equal(
			kd_ledger_offer(book.ledger, &unit, count_answer, &answered), 0);
	}
	while (answered < COUNT) {
		int before = answered;
		ev_run(book.loop, EVRUN_ONCE);
		assert_true(answered - before <= KD_LEDGER_AT_ONCE);
	}
	assert_int_equal(answered, COUNT);
}

static void
fail_and_retry(int64_t unit, int left)
{
	book_record(unit, book_start(unit), KD_STATE_FAILED, KD_UNIT_BAD);
	book_finish(unit, left);
	retry(unit, NULL);
	kd_unit_free(retried);
}

/* What a retry brings back from quarantine is seen in the drop folder: once, and as it was
 * or in another shape, it is no news of its own. */
static void
what_a_retry_brings_back_is_told_from_new_drops(void **state)
{
	(void)state;
	book_open();
	book_begin();
	int64_t unit = book_offer("mended", 1);
	fail_and_retry(unit, 1);
	book_record(unit, book_start(unit), KD_STATE_PUBLISHED, KD_UNIT_PUBLISHED);
	book_finish(unit, 0);
	book_offer("mended", 2);
	assert_int_equal(book.got.fresh, KD_LEDGER_RETURNED);
	book_reopen();
	assert_true(book.loaded_count == 1 && book.loaded[0].returned);
	assert_false(book.loaded[0].restore);
	book_offer("mended", 3);
	assert_int_equal(book.got.fresh, KD_LEDGER_FRESH);
	/* As it was: what comes then is another. */
	unit = book_offer("whole", 1);
	fail_and_retry(unit, 1);
	assert_int_equal(book_offer("whole", 1), unit);
	assert_int_equal(book.got.fresh, KD_LEDGER_KNOWN);
	book_record(unit, book_start(unit), KD_STATE_PUBLISHED, KD_UNIT_PUBLISHED);
	book_finish(unit, 0);
	book_offer("whole", 2);
	assert_int_equal(book.got.fresh, KD_LEDGER_FRESH);
	/* Nothing was brought back, or it went on its way. */
	unit = book_offer("stays", 1);
	fail_and_retry(unit, 0);
	book_offer("stays", 2);
	assert_int_equal(book.got.fresh, KD_LEDGER_FRESH);
	unit = book_offer("moves", 1);
	fail_and_retry(unit, 1);
	book_record(unit, book_start(unit), KD_STATE_PUBLISHED, KD_UNIT_PUBLISHED);
	book_finish(unit, 1);
	book_offer("moves", 2);
	assert_int_equal(book.got.fresh, KD_LEDGER_FRESH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BOOK_TEST(a_known_drop_is_not_fresh),
		BOOK_TEST(what_was_gone_and_came_back_is_fresh),
		BOOK_TEST(what_was_moved_away_and_put_back_is_fresh),
		BOOK_TEST(open_units_come_back_after_a_start),
		BOOK_TEST(the_same_content_is_found_by_rule_and_revision),
		BOOK_TEST(lists_and_shows),
		BOOK_TEST(closed_units_are_counted),
		BOOK_TEST(failures_and_cancellations_are_retried_and_nothing_else),
		BOOK_TEST(what_a_retry_brings_back_is_told_from_new_drops),
		BOOK_TEST(a_turn_of_the_loop_calls_a_bounded_number_back),
	};
	return cmocka_run_group_tests_name("queue/ledger", tests, NULL, NULL);
}
