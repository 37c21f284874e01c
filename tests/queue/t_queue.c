/* SPDX-License-Identifier: BSD-2-Clause */
/* Goal: which units run together, when, and in what order. */
#include "plugins/kiln_plugin.h"
#include "tests/queue/two_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void
an_empty_queue_never_wakes(void **state)
{
	(void)state;
	struct kd_queue *queue = two_rules_queue();
	struct kd_batch *batch;
	assert_int_equal(kd_queue_next(queue, 0, &batch), 0);
	assert_true(kd_queue_wait(queue, 0) < 0);
	assert_true(kd_queue_is_idle(queue));
	kd_queue_free(queue);
}

static void
units_of_one_folder_run_together(void **state)
{
	(void)state;
	struct kd_queue *queue = two_rules_queue();
	struct kd_batch *batch;
	two_rules_add(queue, "low", "a/1", 1, 0);
	two_rules_add(queue, "low", "b/1", 1, 0);
	two_rules_add(queue, "low", "a/2", 1, 0);
	assert_int_equal(kd_queue_next(queue, 0, &batch), 1);
	assert_int_equal(batch->unit_count, 2);
	assert_string_equal(batch->units[0]->path, "a/1");
	assert_string_equal(batch->units[1]->path, "a/2");
	assert_int_equal(kd_queue_total(queue, "low", KD_STATE_RUNNING), 2);
	assert_int_equal(kd_queue_total(queue, NULL, KD_STATE_READY), 1);
	struct kd_batch *second;
	/* workers = 1 of the rule. */
	assert_int_equal(kd_queue_next(queue, 0, &second), 0);
	two_rules_publish(queue, batch);
	assert_int_equal(kd_queue_next(queue, 0, &batch), 1);
	two_rules_publish(queue, batch);
	assert_int_equal(kd_queue_total(queue, "low", KD_STATE_PUBLISHED), 3);
	assert_true(kd_queue_is_idle(queue));
	kd_queue_free(queue);
}

static void
batches_keep_their_limits(void **state)
{
	(void)state;
	struct kd_queue *queue = two_rules_queue();
	struct kd_batch *batch;
	for (int i = 0; i < 4; i++)
		two_rules_add(queue, "low", "many", 1, 0);
	assert_int_equal(kd_queue_next(queue, 0, &batch), 1);
	assert_int_equal(batch->unit_count, 3);
	two_rules_publish(queue, batch);
	assert_int_equal(kd_queue_next(queue, 0, &batch), 1);
	assert_int_equal(batch->unit_count, 1);
	two_rules_publish(queue, batch);
	/* A unit above max_bytes runs, alone. */
	two_rules_add(queue, "low", "big", 500, 0);
	two_rules_add(queue, "low", "big", 500, 0);
	assert_int_equal(kd_queue_next(queue, 0, &batch), 1);
	assert_int_equal(batch->unit_count, 1);
	two_rules_publish(queue, batch);
	kd_queue_free(queue);
}

static void
ready_units_wait_for_settling_ones(void **state)
{
	(void)state;
	struct kd_queue *queue = two_rules_queue();
	struct kd_batch *batch;
	kd_queue_set_settling(queue, "low", 1);
	two_rules_add(queue, "low", "x", 1, 100);
	assert_int_equal(kd_queue_next(queue, 101, &batch), 0);
	assert_true(kd_queue_wait(queue, 101) > 3.9 && kd_queue_wait(queue, 101) < 4.1);
	assert_false(kd_queue_is_idle(queue));
	assert_int_equal(kd_queue_next(queue, 105, &batch), 1);
	two_rules_publish(queue, batch);
	two_rules_add(queue, "low", "y", 1, 200);
	kd_queue_set_settling(queue, "low", 0);
	assert_int_equal(kd_queue_next(queue, 200, &batch), 1);
	two_rules_publish(queue, batch);
	kd_queue_free(queue);
}

static void
priority_goes_first_then_the_longest_waiting(void **state)
{
	(void)state;
	struct kd_queue *queue = two_rules_queue();
	struct kd_batch *batch;
	two_rules_add(queue, "low", "x", 1, 0);
	two_rules_add(queue, "high", "y", 1, 1);
	assert_int_equal(kd_queue_next(queue, 2, &batch), 1);
	assert_string_equal(batch->rule->name, "high");
	two_rules_publish(queue, batch);
	two_rules.high.priority = 0;
	two_rules_add(queue, "high", "z", 1, 2);
	assert_int_equal(kd_queue_next(queue, 3, &batch), 1);
	assert_string_equal(batch->rule->name, "low");
	two_rules_publish(queue, batch);
	kd_queue_free(queue);
}

static void
deferred_units_come_when_their_time_has_come(void **state)
{
	(void)state;
	struct kd_queue *queue = two_rules_queue();
	struct kd_batch *batch;
	static const double times[] = {30, 10, 20};
	for (int i = 0; i < 3; i++) {
		struct kd_unit *unit = kd_unit_new("low", "x", KILN_FILE);
		unit->state = KD_STATE_DEFERRED;
		unit->not_before = times[i];
		assert_int_equal(kd_queue_add(queue, unit, 0), 0);
	}
	assert_int_equal(kd_queue_next(queue, 5, &batch), 0);
	assert_true(kd_queue_wait(queue, 5) > 4.9 && kd_queue_wait(queue, 5) < 5.1);
	assert_int_equal(kd_queue_next(queue, 21, &batch), 1);
	assert_int_equal(batch->unit_count, 2);
	assert_int_equal(kd_queue_total(queue, "low", KD_STATE_DEFERRED), 1);
	two_rules_publish(queue, batch);
	kd_queue_free(queue);
}

/* However many come at once, in whatever order they were put off, one turn wakes a bounded
 * number of them, and the earliest first. */
static void
ten_thousand_retries_come_in_their_order(void **state)
{
	(void)state;
	enum { COUNT = 10000 };
	struct kd_queue *queue = two_rules_queue();
	struct kd_batch *batch;
	kd_queue_hold(queue, "low", KD_HOLD_PAUSED, 1);
	for (int i = 0; i < COUNT; i++) {
		struct kd_unit *unit = kd_unit_new("low", "x", KILN_FILE);
		unit->state = KD_STATE_DEFERRED;
		unit->id = 1 + i * 7919 % COUNT; /* each number once */
		unit->not_before = (double)unit->id;
		assert_int_equal(kd_queue_add(queue, unit, 0), 0);
	}
	uint64_t woken = 0;
	for (int turn = 0; turn < COUNT / KD_QUEUE_AT_ONCE + 1; turn++) {
		assert_true(kd_queue_wait(queue, COUNT) == 0);
		assert_int_equal(kd_queue_next(queue, COUNT, &batch), 0);
		uint64_t ready = kd_queue_total(queue, "low", KD_STATE_READY);
		assert_true(ready - woken <= KD_QUEUE_AT_ONCE);
		woken = ready;
	}
	assert_int_equal(woken, COUNT);
	kd_queue_hold(queue, "low", KD_HOLD_PAUSED, 0);
	for (int64_t id = 1; id < 100; id += 3) {
		assert_int_equal(kd_queue_next(queue, COUNT, &batch), 1);
		for (int i = 0; i < 3; i++)
			assert_int_equal(batch->units[i]->id, id + i);
		two_rules_publish(queue, batch);
	}
	kd_queue_free(queue);
}

/* Folders of one unit each, whose turns do not come in the order in which they began. */
static void
ten_thousand_folders_come_in_their_order(void **state)
{
	(void)state;
	enum { COUNT = 10000 };
	struct kd_queue *queue = two_rules_queue();
	struct kd_batch *batch;
	char path[32];
	for (int i = 0; i < COUNT; i++) {
		int since = i * 7919 % COUNT;
		snprintf(path, sizeof path, "%d/x", since);
		two_rules_add(queue, "low", path, 1, since);
	}
	for (int i = 0; i < COUNT; i++) {
		snprintf(path, sizeof path, "%d/x", i);
		assert_int_equal(kd_queue_next(queue, COUNT, &batch), 1);
		assert_string_equal(batch->units[0]->path, path);
		two_rules_publish(queue, batch);
	}
	assert_true(kd_queue_is_idle(queue));
	kd_queue_free(queue);
}

static void
units_sleep_while_their_rule_is_away(void **state)
{
	(void)state;
	struct kd_queue *queue = two_rules_queue();
	struct kd_batch *batch;
	two_rules_add(queue, "low", "a/1", 1, 0);
	two_rules.conf.rule_count = 1;
	assert_int_equal(kd_queue_configure(queue, &two_rules.conf), 0);
	assert_int_equal(kd_queue_next(queue, 0, &batch), 0);
	assert_true(kd_queue_is_idle(queue));
	two_rules.conf.rule_count = 2;
	two_rules.low.batch.by = KD_BATCH_REGEX;
	two_rules.low.batch.regex = (char *)"^(.)";
	assert_int_equal(kd_queue_configure(queue, &two_rules.conf), 0);
	assert_int_equal(kd_queue_regroup(queue), 0);
	two_rules_add(queue, "low", "ab", 1, 0);
	assert_int_equal(kd_queue_next(queue, 0, &batch), 1);
	assert_int_equal(batch->unit_count, 2);
	two_rules_publish(queue, batch);
	kd_queue_free(queue);
}

static void
held_rules_start_nothing_and_do_not_keep_others_waiting(void **state)
{
	(void)state;
	struct kd_queue *queue = two_rules_queue();
	struct kd_batch *batch;
	two_rules_add(queue, "high", "a", 1, 0);
	two_rules_add(queue, "low", "b", 1, 0);
	kd_queue_hold(queue, "high", KD_HOLD_PAUSED, 1);
	kd_queue_hold(queue, "high", KD_HOLD_LOW_WATER, 1);
	assert_int_equal(kd_queue_next(queue, 0, &batch), 1);
	assert_string_equal(batch->rule->name, "low");
	two_rules_publish(queue, batch);
	assert_int_equal(kd_queue_next(queue, 0, &batch), 0);
	assert_true(kd_queue_wait(queue, 0) < 0);
	assert_true(kd_queue_is_idle(queue));
	/* Each reason by itself. */
	kd_queue_hold(queue, "high", KD_HOLD_PAUSED, 0);
	assert_int_equal(kd_queue_next(queue, 0, &batch), 0);
	kd_queue_hold(queue, "high", KD_HOLD_LOW_WATER, 0);
	kd_queue_hold(queue, NULL, KD_HOLD_PAUSED, 1);
	assert_int_equal(kd_queue_next(queue, 0, &batch), 0);
	assert_int_equal(kd_queue_held(queue, "high"), KD_HOLD_PAUSED);
	kd_queue_hold(queue, NULL, KD_HOLD_PAUSED, 0);
	assert_int_equal(kd_queue_next(queue, 0, &batch), 1);
	two_rules_publish(queue, batch);
	kd_queue_free(queue);
}

static void
batches_for_a_gpu_take_its_slot(void **state)
{
	(void)state;
	struct kd_queue *queue = two_rules_queue();
	struct kd_batch *first, *second;
	two_rules.high.device = (char *)"cuda:1";
	two_rules.low.device = (char *)"auto";
	two_rules.low.needs = KILN_NEEDS_CUDA;
	two_rules_add(queue, "high", "a", 1, 0);
	two_rules_add(queue, "low", "b", 1, 0);
	assert_int_equal(kd_queue_next(queue, 0, &first), 1);
	assert_int_equal(kd_queue_gpus_busy(queue), 1);
	assert_int_equal(kd_queue_next(queue, 0, &second), 0);
	struct kd_queue_place place;
	kd_queue_find(queue, "low", 0, &place);
	assert_non_null(place.unit);
	assert_true(place.wants_gpu);
	/* One that is not granted a GPU does not wait for one. */
	two_rules.low.needs = 0;
	assert_int_equal(kd_queue_next(queue, 0, &second), 1);
	two_rules_publish(queue, second);
	two_rules_publish(queue, first);
	assert_int_equal(kd_queue_gpus_busy(queue), 0);
	kd_queue_free(queue);
}

static void
a_waiting_unit_is_found_and_taken_wherever_it_is(void **state)
{
	(void)state;
	struct kd_queue *queue = two_rules_queue();
	struct kd_queue_place place;
	struct kd_batch *batch;
	for (int i = 1; i <= 6; i++) {
		struct kd_unit *unit =
			kd_unit_new("low", i % 2 ? "a/x" : "b/x", KILN_FILE);
		unit->id = i;
		unit->company = i == 5;
		unit->state = i == 6 ? KD_STATE_DEFERRED : KD_STATE_READY;
		unit->not_before = 100;
		assert_int_equal(kd_queue_add(queue, unit, 0), 0);
	}
	kd_queue_find(queue, "low", 5, &place);
	assert_true(place.unit != NULL && place.ahead == 0);
	kd_queue_find(queue, "low", 7, &place);
	assert_null(place.unit);
	static const int64_t order[] = {3, 6, 5, 1};
	for (int i = 0; i < 4; i++) {
		struct kd_unit *unit = kd_queue_take(queue, order[i]);
		assert_non_null(unit);
		assert_int_equal(unit->id, order[i]);
		kd_unit_free(unit);
		assert_null(kd_queue_take(queue, order[i]));
	}
	assert_int_equal(kd_queue_total(queue, "low", KD_STATE_READY), 2);
	assert_int_equal(kd_queue_total(queue, "low", KD_STATE_DEFERRED), 0);
	assert_int_equal(kd_queue_next(queue, 0, &batch), 1);
	assert_int_equal(batch->unit_count, 2);
	two_rules_publish(queue, batch);
	two_rules_add(queue, "low", "c", 1, 0);
	assert_int_equal(kd_queue_total(queue, "low", KD_STATE_READY), 1);
	kd_queue_free(queue);
}

/* A folder that fills up does not wait for those that still settle; and of two the one
 * whose first unit waits longer goes first. */
static void
a_full_group_does_not_wait(void **state)
{
	(void)state;
	struct kd_queue *queue = two_rules_queue();
	struct kd_batch *batch;
	kd_queue_set_settling(queue, "low", 1);
	two_rules_add(queue, "low", "a/1", 1, 0);
	for (int i = 0; i < 4; i++)
		two_rules_add(queue, "low", "b/1", 1, 1);
	assert_int_equal(kd_queue_next(queue, 2, &batch), 1);
	assert_int_equal(batch->unit_count, 3);
	two_rules_publish(queue, batch);
	/* The rest of it is not full any more. */
	assert_int_equal(kd_queue_next(queue, 2, &batch), 0);
	assert_int_equal(kd_queue_next(queue, 5, &batch), 1);
	assert_string_equal(batch->units[0]->path, "a/1");
	two_rules_publish(queue, batch);
	assert_int_equal(kd_queue_next(queue, 5, &batch), 0);
	assert_int_equal(kd_queue_next(queue, 6, &batch), 1);
	assert_string_equal(batch->units[0]->path, "b/1");
	two_rules_publish(queue, batch);
	kd_queue_free(queue);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TWO_RULES_TEST(an_empty_queue_never_wakes),
		TWO_RULES_TEST(units_of_one_folder_run_together),
		TWO_RULES_TEST(batches_keep_their_limits),
		TWO_RULES_TEST(ready_units_wait_for_settling_ones),
		TWO_RULES_TEST(priority_goes_first_then_the_longest_waiting),
		TWO_RULES_TEST(deferred_units_come_when_their_time_has_come),
		TWO_RULES_TEST(ten_thousand_retries_come_in_their_order),
		TWO_RULES_TEST(ten_thousand_folders_come_in_their_order),
		TWO_RULES_TEST(units_sleep_while_their_rule_is_away),
		TWO_RULES_TEST(held_rules_start_nothing_and_do_not_keep_others_waiting),
		TWO_RULES_TEST(batches_for_a_gpu_take_its_slot),
		TWO_RULES_TEST(a_waiting_unit_is_found_and_taken_wherever_it_is),
		TWO_RULES_TEST(a_full_group_does_not_wait),
	};
	return cmocka_run_group_tests_name("queue/queue", tests, NULL, NULL);
}
