/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which units run together, when, and in what order; and what a try's outcome is.
 */
#include "daemon/outcome.h"
#include "daemon/queue/queue.h"
#include "plugins/kiln_plugin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct kd_rule high, low;
static struct kd_rule *rules[] = {&high, &low};
static struct kd_conf conf;

/* The queue asks the configuration for references and for rules by name. */
struct kd_conf *
kd_conf_ref(struct kd_conf *c)
{
	c->references++;
	return c;
}

void
kd_conf_unref(struct kd_conf *c)
{
	if (c != NULL)
		c->references--;
}

const struct kd_rule *
kd_conf_rule(const struct kd_conf *c, const char *name)
{
	for (uint32_t i = 0; i < c->rule_count; i++)
		if (strcmp(c->rules[i]->name, name) == 0)
			return c->rules[i];
	return NULL;
}

static struct kd_queue *
make_queue(void)
{
	high = (struct kd_rule){.name = (char *)"high",
		.device = (char *)"cpu",
		.priority = 5,
		.workers = 1,
		.batch = {.by = KD_BATCH_PARENT,
			.max_units = 3,
			.max_bytes = 100,
			.max_wait = 5},
		.retries = {.max = 3, .backoff_least = 10, .backoff_most = 60}};
	low = high;
	low.name = (char *)"low";
	low.priority = 0;
	conf = (struct kd_conf){
		.workers = 2, .gpu_slots = 1, .rule_count = 2, .rules = rules};
	struct kd_queue *queue = kd_queue_new();
	assert_int_equal(kd_queue_configure(queue, &conf), 0);
	return queue;
}

static struct kd_unit *
add(struct kd_queue *queue, const char *rule, const char *path, int64_t size, double now)
{
	struct kd_unit *unit = kd_unit_new(rule, path, KILN_FILE);
	unit->identity.size = size;
	assert_int_equal(kd_queue_add(queue, unit, now), 0);
	return unit;
}

/* Ends a batch, all its units published. */
static void
publish(struct kd_queue *queue, struct kd_batch *batch)
{
	struct kd_unit *units[8];
	uint32_t count = batch->unit_count;
	memcpy(units, batch->units, count * sizeof units[0]);
	kd_queue_end(queue, batch);
	for (uint32_t i = 0; i < count; i++) {
		units[i]->state = KD_STATE_PUBLISHED;
		kd_queue_close(queue, units[i]);
	}
}

static void
an_empty_queue_never_wakes(void **state)
{
	(void)state;
	struct kd_queue *queue = make_queue();
	struct kd_batch *batch;
	assert_int_equal(kd_queue_next(queue, 0, &batch), 0);
	assert_true(kd_queue_wait(queue, 0) < 0);
	assert_true(kd_queue_is_idle(queue));
	kd_queue_free(queue);
	assert_int_equal(conf.references, 0);
}

static void
units_of_one_folder_run_together(void **state)
{
	(void)state;
	struct kd_queue *queue = make_queue();
	struct kd_batch *batch;
	add(queue, "low", "a/1", 1, 0);
	add(queue, "low", "b/1", 1, 0);
	add(queue, "low", "a/2", 1, 0);
	assert_int_equal(kd_queue_next(queue, 0, &batch), 1);
	assert_int_equal(batch->unit_count, 2);
	assert_string_equal(batch->units[0]->path, "a/1");
	assert_string_equal(batch->units[1]->path, "a/2");
	assert_int_equal(kd_queue_total(queue, "low", KD_STATE_RUNNING), 2);
	assert_int_equal(kd_queue_total(queue, NULL, KD_STATE_READY), 1);
	struct kd_batch *second;
	/* workers = 1 of the rule. */
	assert_int_equal(kd_queue_next(queue, 0, &second), 0);
	publish(queue, batch);
	assert_int_equal(kd_queue_next(queue, 0, &batch), 1);
	publish(queue, batch);
	assert_int_equal(kd_queue_total(queue, "low", KD_STATE_PUBLISHED), 3);
	assert_true(kd_queue_is_idle(queue));
	kd_queue_free(queue);
	assert_int_equal(conf.references, 0);
}

static void
batches_keep_their_limits(void **state)
{
	(void)state;
	struct kd_queue *queue = make_queue();
	struct kd_batch *batch;
	for (int i = 0; i < 4; i++)
		add(queue, "low", "many", 1, 0);
	assert_int_equal(kd_queue_next(queue, 0, &batch), 1);
	assert_int_equal(batch->unit_count, 3);
	publish(queue, batch);
	assert_int_equal(kd_queue_next(queue, 0, &batch), 1);
	assert_int_equal(batch->unit_count, 1);
	publish(queue, batch);
	/* A unit above max_bytes runs, alone. */
	add(queue, "low", "big", 500, 0);
	add(queue, "low", "big", 500, 0);
	assert_int_equal(kd_queue_next(queue, 0, &batch), 1);
	assert_int_equal(batch->unit_count, 1);
	publish(queue, batch);
	kd_queue_free(queue);
}

static void
ready_units_wait_for_settling_ones(void **state)
{
	(void)state;
	struct kd_queue *queue = make_queue();
	struct kd_batch *batch;
	kd_queue_set_settling(queue, "low", 1);
	add(queue, "low", "x", 1, 100);
	assert_int_equal(kd_queue_next(queue, 101, &batch), 0);
	assert_true(kd_queue_wait(queue, 101) > 3.9 && kd_queue_wait(queue, 101) < 4.1);
	assert_false(kd_queue_is_idle(queue));
	assert_int_equal(kd_queue_next(queue, 105, &batch), 1);
	publish(queue, batch);
	add(queue, "low", "y", 1, 200);
	kd_queue_set_settling(queue, "low", 0);
	assert_int_equal(kd_queue_next(queue, 200, &batch), 1);
	publish(queue, batch);
	kd_queue_free(queue);
}

static void
priority_goes_first_then_the_longest_waiting(void **state)
{
	(void)state;
	struct kd_queue *queue = make_queue();
	struct kd_batch *batch;
	add(queue, "low", "x", 1, 0);
	add(queue, "high", "y", 1, 1);
	assert_int_equal(kd_queue_next(queue, 2, &batch), 1);
	assert_string_equal(batch->rule->name, "high");
	publish(queue, batch);
	high.priority = 0;
	add(queue, "high", "z", 1, 2);
	assert_int_equal(kd_queue_next(queue, 3, &batch), 1);
	assert_string_equal(batch->rule->name, "low");
	publish(queue, batch);
	kd_queue_free(queue);
}

static void
deferred_units_come_when_their_time_has_come(void **state)
{
	(void)state;
	struct kd_queue *queue = make_queue();
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
	publish(queue, batch);
	kd_queue_free(queue);
}

/* However many come at once, in whatever order they were put off, one turn wakes a bounded
 * number of them, and the earliest first. */
static void
ten_thousand_retries_come_in_their_order(void **state)
{
	(void)state;
	enum { COUNT = 10000 };
	struct kd_queue *queue = make_queue();
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
		publish(queue, batch);
	}
	kd_queue_free(queue);
}

/* Folders of one unit each, whose turns do not come in the order in which they began. */
static void
ten_thousand_folders_come_in_their_order(void **state)
{
	(void)state;
	enum { COUNT = 10000 };
	struct kd_queue *queue = make_queue();
	struct kd_batch *batch;
	char path[32];
	for (int i = 0; i < COUNT; i++) {
		int since = i * 7919 % COUNT;
		snprintf(path, sizeof path, "%d/x", since);
		add(queue, "low", path, 1, since);
	}
	for (int i = 0; i < COUNT; i++) {
		snprintf(path, sizeof path, "%d/x", i);
		assert_int_equal(kd_queue_next(queue, COUNT, &batch), 1);
		assert_string_equal(batch->units[0]->path, path);
		publish(queue, batch);
	}
	assert_true(kd_queue_is_idle(queue));
	kd_queue_free(queue);
}

static void
units_sleep_while_their_rule_is_away(void **state)
{
	(void)state;
	struct kd_queue *queue = make_queue();
	struct kd_batch *batch;
	add(queue, "low", "a/1", 1, 0);
	conf.rule_count = 1;
	assert_int_equal(kd_queue_configure(queue, &conf), 0);
	assert_int_equal(kd_queue_next(queue, 0, &batch), 0);
	assert_true(kd_queue_is_idle(queue));
	conf.rule_count = 2;
	low.batch.by = KD_BATCH_REGEX;
	low.batch.regex = (char *)"^(.)";
	assert_int_equal(kd_queue_configure(queue, &conf), 0);
	add(queue, "low", "ab", 1, 0);
	assert_int_equal(kd_queue_next(queue, 0, &batch), 1);
	assert_int_equal(batch->unit_count, 2);
	publish(queue, batch);
	kd_queue_free(queue);
	assert_int_equal(conf.references, 0);
}

/* outcomes */

/* What judge() below is told besides. */
static unsigned unwanted;
static int refused;

static struct kd_outcome
judge(enum kd_status status, uint32_t company, uint32_t attempts)
{
	struct kd_outcome_judge by = {
		.rule = &high, .company = company, .crashed = company, .now = 1000};
	struct kd_result_unit result = {.status = status, .reason = (char *)"why"};
	struct kd_unit unit = {.attempts = attempts, .cancel = unwanted};
	by.refused = refused;
	struct kd_outcome outcome;
	kd_outcome_judge(&by, &unit, &result, &outcome);
	kd_outcome_clear(&outcome);
	return outcome;
}

static void
bad_input_is_not_retried(void **state)
{
	(void)state;
	kd_queue_free(make_queue());
	struct kd_outcome outcome = judge(KD_UNIT_BAD, 1, 1);
	assert_int_equal(outcome.state, KD_STATE_FAILED);
	assert_string_equal(outcome.reason, "why");
}

/* One that has ended is not judged anew: its input goes, stays or is tried again. */
static void
an_end_is_not_judged_again(void **state)
{
	(void)state;
	static const enum kd_status over[] = {KD_UNIT_BAD, KD_UNIT_GONE, KD_UNIT_CHANGED};
	struct kd_outcome_judge by = {.rule = &high, .company = 1, .now = 1000};
	struct kd_result_unit result = {.reason = (char *)"why"};
	struct kd_outcome outcome = {0};
	struct kd_unit unit = {.attempts = 1};
	kd_unit_note_end(&unit, KD_STATE_FAILED, "abc", "as it was");
	for (size_t i = 0; i < sizeof over / sizeof *over; i++) {
		result.status = over[i];
		kd_outcome_judge(&by, &unit, &result, &outcome);
		assert_int_equal(outcome.state, KD_STATE_FAILED);
		assert_string_equal(outcome.reason, "as it was");
		assert_int_equal(outcome.stays, over[i] == KD_UNIT_CHANGED);
		assert_true(outcome.refund);
	}
	double last = 0;
	for (int i = 0; i < 4; i++) {
		result.status = KD_UNIT_HELD;
		kd_outcome_judge(&by, &unit, i == 0 ? NULL : &result, &outcome);
		assert_int_equal(outcome.state, KD_STATE_DEFERRED);
		assert_true(outcome.not_before > 1000 && outcome.not_before > last);
		last = i == 0 ? 0 : outcome.not_before * 0.8;
	}
	assert_int_equal(unit.recorded, KD_STATE_FAILED);
	kd_unit_forget_end(&unit);
}

static void
transient_failures_back_off_and_end(void **state)
{
	(void)state;
	struct kd_outcome first = judge(KD_UNIT_TRANSIENT, 1, 1);
	assert_int_equal(first.state, KD_STATE_DEFERRED);
	assert_true(first.not_before >= 1008 && first.not_before <= 1012);
	struct kd_outcome third = judge(KD_UNIT_TRANSIENT, 1, 3);
	assert_true(third.not_before >= 1032 && third.not_before <= 1048);
	struct kd_outcome last = judge(KD_UNIT_TRANSIENT, 1, 4);
	assert_int_equal(last.state, KD_STATE_FAILED);
	assert_string_equal(last.reason, "given up after 4 tries: why");
}

/* A full disk is nobody's fault but the disk's. */
static void
what_is_held_is_tried_for_ever(void **state)
{
	(void)state;
	for (uint32_t attempts = 1; attempts < 1000; attempts *= 10) {
		struct kd_outcome outcome = judge(KD_UNIT_HELD, 3, attempts);
		assert_int_equal(outcome.state, KD_STATE_DEFERRED);
		assert_true(outcome.refund);
		assert_true(outcome.not_before >= 1008 && outcome.not_before <= 1012);
		assert_string_equal(outcome.reason, "why");
	}
}

static void
crashes_accuse_only_who_is_alone(void **state)
{
	(void)state;
	/* Seven ran, all seven unfinished: halves of four, uncharged. */
	struct kd_outcome company = judge(KD_UNIT_CRASHED, 7, 9);
	assert_int_equal(company.state, KD_STATE_READY);
	assert_int_equal(company.company, 4);
	assert_true(company.refund);
	struct kd_outcome once = judge(KD_UNIT_CRASHED, 1, 1);
	assert_int_equal(once.state, KD_STATE_READY);
	assert_int_equal(once.company, 1);
	assert_false(once.refund);
	struct kd_outcome twice = judge(KD_UNIT_CRASHED, 1, 2);
	assert_int_equal(twice.state, KD_STATE_FAILED);
}

/* One unit kills every batch that it is in: it is found by halving, it alone is charged,
 * and the others never crash alone. */
static void
a_poisonous_unit_is_found_by_halving(void **state)
{
	(void)state;
	struct kd_queue *queue = make_queue();
	struct kd_batch *batch;
	int batches = 0, published = 0;
	low.batch.max_units = 64;
	low.batch.max_bytes = 0;
	for (int i = 0; i < 64; i++) {
		char name[16];
		snprintf(name, sizeof name, "x/%d", i);
		add(queue, "low", name, 1, 0);
	}
	while (kd_queue_next(queue, 0, &batch) == 1) {
		struct kd_unit *units[64];
		uint32_t count = batch->unit_count, poisoned = 0;
		memcpy(units, batch->units, count * sizeof units[0]);
		for (uint32_t i = 0; i < count; i++)
			poisoned += strcmp(units[i]->path, "x/41") == 0;
		kd_queue_end(queue, batch);
		batches++;
		struct kd_outcome_judge by = {
			.rule = &low, .company = count, .crashed = count, .now = 0};
		struct kd_result_unit result = {
			.status = poisoned ? KD_UNIT_CRASHED : KD_UNIT_PUBLISHED};
		for (uint32_t i = 0; i < count; i++) {
			struct kd_outcome outcome = {0};
			units[i]->attempts++;
			kd_outcome_judge(&by, units[i], &result, &outcome);
			units[i]->attempts -= (uint32_t)outcome.refund;
			units[i]->state = outcome.state;
			units[i]->company = outcome.company;
			kd_outcome_clear(&outcome);
			if (!kd_unit_is_final(units[i]->state)) {
				assert_int_equal(kd_queue_add(queue, units[i], 0), 0);
				continue;
			}
			published += units[i]->state == KD_STATE_PUBLISHED;
			if (units[i]->state == KD_STATE_FAILED) {
				assert_string_equal(units[i]->path, "x/41");
				assert_int_equal(units[i]->attempts, 2);
			}
			kd_queue_close(queue, units[i]);
		}
		assert_true(batches < 30);
	}
	assert_int_equal(published, 63);
	assert_int_equal(kd_queue_total(queue, "low", KD_STATE_FAILED), 1);
	/* 64 crash, then a crash and a good half for each of 32, 16, 8, 4, 2, 1, and once
	 * more alone. */
	assert_int_equal(batches, 14);
	kd_queue_free(queue);
}

static void
what_changed_is_looked_at_again(void **state)
{
	(void)state;
	assert_true(judge(KD_UNIT_CHANGED, 1, 1).look_again);
	assert_int_equal(judge(KD_UNIT_CHANGED, 1, 1).state, KD_STATE_GONE);
	assert_true(judge(KD_UNIT_BUSY, 1, 1).look_later);
	assert_int_equal(judge(KD_UNIT_CANCELLED, 1, 1).refund, 1);
}

static void
what_nobody_wants_any_more_is_not_tried_again(void **state)
{
	(void)state;
	unwanted = 1;
	assert_int_equal(judge(KD_UNIT_CANCELLED, 3, 1).state, KD_STATE_CANCELLED);
	assert_int_equal(judge(KD_UNIT_CRASHED, 3, 1).state, KD_STATE_CANCELLED);
	assert_int_equal(judge(KD_UNIT_TRANSIENT, 3, 1).state, KD_STATE_CANCELLED);
	/* It was done before it could be stopped. */
	assert_int_equal(judge(KD_UNIT_PUBLISHED, 3, 1).state, KD_STATE_PUBLISHED);
	unwanted = 0;
}

static void
a_refused_rule_costs_its_units_nothing(void **state)
{
	(void)state;
	refused = 1;
	struct kd_outcome outcome = judge(KD_UNIT_TRANSIENT, 3, 9);
	assert_int_equal(outcome.state, KD_STATE_READY);
	assert_true(outcome.refund);
	assert_int_equal(judge(KD_UNIT_BAD, 3, 1).state, KD_STATE_FAILED);
	refused = 0;
}

static void
held_rules_start_nothing_and_do_not_keep_others_waiting(void **state)
{
	(void)state;
	struct kd_queue *queue = make_queue();
	struct kd_batch *batch;
	add(queue, "high", "a", 1, 0);
	add(queue, "low", "b", 1, 0);
	kd_queue_hold(queue, "high", KD_HOLD_PAUSED, 1);
	kd_queue_hold(queue, "high", KD_HOLD_LOW_WATER, 1);
	assert_int_equal(kd_queue_next(queue, 0, &batch), 1);
	assert_string_equal(batch->rule->name, "low");
	publish(queue, batch);
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
	publish(queue, batch);
	kd_queue_free(queue);
}

static void
batches_for_a_gpu_take_its_slot(void **state)
{
	(void)state;
	struct kd_queue *queue = make_queue();
	struct kd_batch *first, *second;
	high.device = (char *)"cuda:1";
	low.device = (char *)"auto";
	low.needs = KILN_NEEDS_CUDA;
	add(queue, "high", "a", 1, 0);
	add(queue, "low", "b", 1, 0);
	assert_int_equal(kd_queue_next(queue, 0, &first), 1);
	assert_int_equal(kd_queue_gpus_busy(queue), 1);
	assert_int_equal(kd_queue_next(queue, 0, &second), 0);
	struct kd_queue_place place;
	kd_queue_find(queue, "low", 0, &place);
	assert_non_null(place.unit);
	assert_true(place.wants_gpu);
	/* One that is not granted a GPU does not wait for one. */
	low.needs = 0;
	assert_int_equal(kd_queue_next(queue, 0, &second), 1);
	publish(queue, second);
	publish(queue, first);
	assert_int_equal(kd_queue_gpus_busy(queue), 0);
	kd_queue_free(queue);
}

static void
a_waiting_unit_is_found_and_taken_wherever_it_is(void **state)
{
	(void)state;
	struct kd_queue *queue = make_queue();
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
	publish(queue, batch);
	add(queue, "low", "c", 1, 0);
	struct kd_unit *rest = kd_queue_drain(queue, "low");
	assert_non_null(rest);
	assert_null(rest->next);
	kd_unit_free(rest);
	assert_true(kd_queue_is_idle(queue));
	kd_queue_free(queue);
}

/* A folder that fills up does not wait for those that still settle; and of two the one
 * whose first unit waits longer goes first. */
static void
a_full_group_does_not_wait(void **state)
{
	(void)state;
	struct kd_queue *queue = make_queue();
	struct kd_batch *batch;
	kd_queue_set_settling(queue, "low", 1);
	add(queue, "low", "a/1", 1, 0);
	for (int i = 0; i < 4; i++)
		add(queue, "low", "b/1", 1, 1);
	assert_int_equal(kd_queue_next(queue, 2, &batch), 1);
	assert_int_equal(batch->unit_count, 3);
	publish(queue, batch);
	/* The rest of it is not full any more. */
	assert_int_equal(kd_queue_next(queue, 2, &batch), 0);
	assert_int_equal(kd_queue_next(queue, 5, &batch), 1);
	assert_string_equal(batch->units[0]->path, "a/1");
	publish(queue, batch);
	assert_int_equal(kd_queue_next(queue, 5, &batch), 0);
	assert_int_equal(kd_queue_next(queue, 6, &batch), 1);
	assert_string_equal(batch->units[0]->path, "b/1");
	publish(queue, batch);
	kd_queue_free(queue);
}

static void
a_dead_worker_is_a_transient_failure(void **state)
{
	(void)state;
	struct kd_outcome_judge by = {
		.rule = &high, .company = 2, .now = 1000, .failure = "killed"};
	struct kd_unit unit = {.attempts = 1};
	struct kd_outcome outcome;
	kd_outcome_judge(&by, &unit, NULL, &outcome);
	assert_int_equal(outcome.state, KD_STATE_DEFERRED);
	assert_string_equal(outcome.reason, "killed");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_queue_never_wakes),
		cmocka_unit_test(units_of_one_folder_run_together),
		cmocka_unit_test(batches_keep_their_limits),
		cmocka_unit_test(ready_units_wait_for_settling_ones),
		cmocka_unit_test(priority_goes_first_then_the_longest_waiting),
		cmocka_unit_test(deferred_units_come_when_their_time_has_come),
		cmocka_unit_test(ten_thousand_retries_come_in_their_order),
		cmocka_unit_test(ten_thousand_folders_come_in_their_order),
		cmocka_unit_test(units_sleep_while_their_rule_is_away),
		cmocka_unit_test(an_end_is_not_judged_again),
		cmocka_unit_test(bad_input_is_not_retried),
		cmocka_unit_test(transient_failures_back_off_and_end),
		cmocka_unit_test(what_is_held_is_tried_for_ever),
		cmocka_unit_test(crashes_accuse_only_who_is_alone),
		cmocka_unit_test(what_changed_is_looked_at_again),
		cmocka_unit_test(a_dead_worker_is_a_transient_failure),
		cmocka_unit_test(a_poisonous_unit_is_found_by_halving),
		cmocka_unit_test(what_nobody_wants_any_more_is_not_tried_again),
		cmocka_unit_test(a_refused_rule_costs_its_units_nothing),
		cmocka_unit_test(held_rules_start_nothing_and_do_not_keep_others_waiting),
		cmocka_unit_test(batches_for_a_gpu_take_its_slot),
		cmocka_unit_test(a_waiting_unit_is_found_and_taken_wherever_it_is),
		cmocka_unit_test(a_full_group_does_not_wait),
	};
	return cmocka_run_group_tests_name("queue/queue", tests, NULL, NULL);
}
