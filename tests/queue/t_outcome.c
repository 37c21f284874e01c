/* SPDX-License-Identifier: BSD-2-Clause */
/* Goal: what becomes of a unit after a try: it ends, is tried again after a while, or is judged
 * alone; and nobody is charged for what another did. */
#include "daemon/outcome.h"
#include "tests/queue/two_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What judge() below is told besides. */
static unsigned unwanted;
static int refused;

static int
set_up(void **state)
{
	unwanted = 0;
	refused = 0;
	return two_rules_set_up(state);
}
#define OUTCOME_TEST(name)                                                               \
	cmocka_unit_test_setup_teardown(name, set_up, two_rules_tear_down)

static struct kd_outcome
judge(enum kd_status status, uint32_t company, uint32_t attempts)
{
	struct kd_outcome_judge by = {.rule = &two_rules.high,
		.company = company,
		.crashed = company,
		.now = 1000};
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
	struct kd_outcome_judge by = {.rule = &two_rules.high, .company = 1, .now = 1000};
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
	struct kd_queue *queue = two_rules_queue();
	struct kd_batch *batch;
	int batches = 0, published = 0;
	two_rules.low.batch.max_units = 64;
	two_rules.low.batch.max_bytes = 0;
	for (int i = 0; i < 64; i++) {
		char name[16];
		snprintf(name, sizeof name, "x/%d", i);
		two_rules_add(queue, "low", name, 1, 0);
	}
	while (kd_queue_next(queue, 0, &batch) == 1) {
		struct kd_unit *units[64];
		uint32_t count = batch->unit_count, poisoned = 0;
		memcpy(units, batch->units, count * sizeof units[0]);
		for (uint32_t i = 0; i < count; i++)
			poisoned += strcmp(units[i]->path, "x/41") == 0;
		kd_queue_end(queue, batch);
		batches++;
		struct kd_outcome_judge by = {.rule = &two_rules.low,
			.company = count,
			.crashed = count,
			.now = 0};
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
}

static void
a_dead_worker_is_a_transient_failure(void **state)
{
	(void)state;
	struct kd_outcome_judge by = {
		.rule = &two_rules.high, .company = 2, .now = 1000, .failure = "killed"};
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
		OUTCOME_TEST(an_end_is_not_judged_again),
		OUTCOME_TEST(bad_input_is_not_retried),
		OUTCOME_TEST(transient_failures_back_off_and_end),
		OUTCOME_TEST(what_is_held_is_tried_for_ever),
		OUTCOME_TEST(crashes_accuse_only_who_is_alone),
		OUTCOME_TEST(what_changed_is_looked_at_again),
		OUTCOME_TEST(a_dead_worker_is_a_transient_failure),
		OUTCOME_TEST(a_poisonous_unit_is_found_by_halving),
		OUTCOME_TEST(what_nobody_wants_any_more_is_not_tried_again),
		OUTCOME_TEST(a_refused_rule_costs_its_units_nothing),
	};
	return cmocka_run_group_tests_name("queue/outcome", tests, NULL, NULL);
}
