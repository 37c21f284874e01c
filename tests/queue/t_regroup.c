/* SPDX-License-Identifier: BSD-2-Clause */
/* Goal: very many units are grouped anew, or taken out with their rule, a part at a time. */
#include "plugins/kiln_plugin.h"
#include "tests/queue/two_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A reload that has that in place of the rule "low". */
static void
use(struct kd_queue *queue, struct kd_rule *low)
{
	static struct kd_rule *changed[2];
	changed[0] = &two_rules.high;
	changed[1] = low;
	two_rules.conf.rules = changed;
	assert_int_equal(kd_queue_configure(queue, &two_rules.conf), 0);
}

/* All wait in folders of their own; a reload wants them in two groups. */
static void
new_groups_are_formed_some_at_a_time(void **state)
{
	(void)state;
	enum { COUNT = 1000 };
	struct kd_queue *queue = two_rules_queue();
	struct kd_queue_place place;
	struct kd_batch *batch;
	char path[32];
	for (int i = 0; i < COUNT; i++) {
		snprintf(path, sizeof path, "%d/%s", i, i % 2 ? "odd" : "even");
		two_rules_add(queue, "low", path, 0, 0)->id = i + 1;
	}
	assert_int_equal(kd_queue_regroup(queue), 0);
	struct kd_rule now = two_rules.low;
	now.batch.by = KD_BATCH_REGEX;
	now.batch.regex = (char *)"/(.*)";
	now.batch.max_units = 8;
	use(queue, &now);
	/* Whether a group is whole is not known yet; its units are known all the same. */
	assert_int_equal(kd_queue_next(queue, 0, &batch), 0);
	int turns = 1;
	for (; kd_queue_regroup(queue) == 1; turns++) {
		for (int64_t id = 200; id <= COUNT; id += COUNT - 200) {
			kd_queue_find(queue, "low", id, &place);
			assert_true(place.unit != NULL && place.unit->id == id);
		}
		assert_true(kd_queue_total(queue, "low", KD_STATE_READY) > 0);
		if (turns == 2) {
			kd_unit_free(kd_queue_take(queue, 200));
			kd_unit_free(kd_queue_take(queue, COUNT));
			two_rules_add(queue, "low", "late/odd", 0, 0)->id = COUNT + 1;
			break;
		}
		/* What is full need not wait for the others. */
		assert_int_equal(kd_queue_next(queue, 0, &batch), 1);
		assert_int_equal(batch->unit_count, 8);
		two_rules_publish(queue, batch);
	}
	while (kd_queue_regroup(queue) == 1)
		turns++;
	assert_true(turns >= (COUNT - 10) / KD_QUEUE_AT_ONCE);
	int units = 8 + 2 - 1;
	while (kd_queue_next(queue, 0, &batch) == 1) {
		const char *end = strchr(batch->units[0]->path, '/');
		for (uint32_t i = 0; i < batch->unit_count; i++)
			assert_string_equal(strchr(batch->units[i]->path, '/'), end);
		units += (int)batch->unit_count;
		two_rules_publish(queue, batch);
	}
	assert_int_equal(units, COUNT);
	assert_true(kd_queue_is_idle(queue));
	kd_queue_free(queue);
}

/* A second reload comes before the first has had its way. */
static void
groups_change_while_they_change(void **state)
{
	(void)state;
	enum { COUNT = 600 };
	struct kd_queue *queue = two_rules_queue();
	struct kd_queue_place place;
	struct kd_batch *batch;
	char path[32];
	for (int i = 0; i < COUNT; i++) {
		snprintf(path, sizeof path, "%d/x", i);
		two_rules_add(queue, "low", path, 0, 0)->id = i + 1;
	}
	struct kd_rule all = two_rules.low, regex = two_rules.low;
	all.batch.by = KD_BATCH_ALL;
	all.batch.max_units = 1000;
	regex.batch.by = KD_BATCH_REGEX;
	regex.batch.regex = (char *)"^[0-9]";
	regex.batch.max_units = 1000;
	use(queue, &all);
	assert_int_equal(kd_queue_regroup(queue), 1);
	use(queue, &regex);
	for (int64_t id = 1; id <= COUNT; id++) {
		kd_queue_find(queue, "low", id, &place);
		assert_true(place.unit != NULL && place.unit->id == id);
	}
	while (kd_queue_regroup(queue) == 1)
		assert_int_equal(kd_queue_next(queue, 0, &batch), 0);
	/* One for each first digit. */
	int units = 0, batches = 0;
	for (; kd_queue_next(queue, 0, &batch) == 1; batches++) {
		struct kd_unit *first[COUNT];
		uint32_t count = batch->unit_count;
		memcpy(first, batch->units, count * sizeof first[0]);
		kd_queue_end(queue, batch);
		for (uint32_t i = 0; i < count; i++)
			kd_unit_free(first[i]);
		units += (int)count;
	}
	assert_int_equal(units, COUNT);
	assert_int_equal(batches, 10);
	kd_queue_free(queue);
}

/* What is cancelled with its rule cannot start, from then on, nor is it forgotten. */
static void
all_of_a_rule_is_taken_at_once(void **state)
{
	(void)state;
	enum { COUNT = 1000 };
	struct kd_queue *queue = two_rules_queue();
	struct kd_batch *batch;
	struct kd_unit *unit;
	char path[32];
	for (int i = 0; i < COUNT; i++) {
		snprintf(path, sizeof path, "%d/x", i);
		unit = kd_unit_new("low", path, KILN_FILE);
		unit->state = i % 3 == 0 ? KD_STATE_DEFERRED : KD_STATE_READY;
		unit->not_before = 100;
		unit->company = i % 5 == 0 ? 4 : 0;
		assert_int_equal(kd_queue_add(queue, unit, 0), 0);
	}
	two_rules_add(queue, "high", "stays", 1, 0);
	struct kd_queue_drain *drain = kd_queue_drain(queue, "low");
	assert_non_null(drain);
	two_rules_add(queue, "low", "new", 1, 0);
	assert_int_equal(kd_queue_next(queue, 200, &batch), 1);
	assert_string_equal(batch->units[0]->path, "stays");
	two_rules_publish(queue, batch);
	assert_int_equal(kd_queue_next(queue, 200, &batch), 1);
	assert_string_equal(batch->units[0]->path, "new");
	two_rules_publish(queue, batch);
	assert_int_equal(kd_queue_next(queue, 200, &batch), 0);
	assert_int_equal(kd_queue_open(queue, "low"), COUNT);
	assert_false(kd_queue_is_idle(queue));
	for (int i = 0; i < COUNT / 2; i++) {
		unit = kd_queue_drain_next(drain);
		assert_true(unit->next == NULL && unit->previous == NULL);
		kd_unit_free(unit);
	}
	assert_int_equal(kd_queue_open(queue, "low"), COUNT / 2);
	int left = 0;
	while ((unit = kd_queue_drain_next(drain)) != NULL) {
		kd_unit_free(unit);
		left++;
	}
	assert_int_equal(left, COUNT / 2);
	assert_int_equal(kd_queue_open(queue, "low"), 0);
	assert_true(kd_queue_is_idle(queue));
	kd_queue_drain_free(drain);
	/* What is left is freed with it, and none of a rule that there is not. */
	two_rules_add(queue, "low", "left", 1, 0);
	kd_queue_drain_free(kd_queue_drain(queue, "low"));
	drain = kd_queue_drain(queue, "none");
	assert_null(kd_queue_drain_next(drain));
	kd_queue_drain_free(drain);
	kd_queue_free(queue);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TWO_RULES_TEST(new_groups_are_formed_some_at_a_time),
		TWO_RULES_TEST(groups_change_while_they_change),
		TWO_RULES_TEST(all_of_a_rule_is_taken_at_once),
	};
	return cmocka_run_group_tests_name("queue/regroup", tests, NULL, NULL);
}
