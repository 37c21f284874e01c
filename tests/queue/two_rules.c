/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/queue/two_rules.h"

#include "plugins/kiln_plugin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct two_rules two_rules;
static struct kd_rule *rules[] = {&two_rules.high, &two_rules.low};

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

int
two_rules_set_up(void **state)
{
	(void)state;
	two_rules.high = (struct kd_rule){.name = (char *)"high",
		.device = (char *)"cpu",
		.priority = 5,
		.workers = 1,
		.batch = {.by = KD_BATCH_PARENT,
			.max_units = 3,
			.max_bytes = 100,
			.max_wait = 5},
		.retries = {.max = 3, .backoff_least = 10, .backoff_most = 60}};
	two_rules.low = two_rules.high;
	two_rules.low.name = (char *)"low";
	two_rules.low.priority = 0;
	two_rules.conf = (struct kd_conf){
		.workers = 2, .gpu_slots = 1, .rule_count = 2, .rules = rules};
	return 0;
}

int
two_rules_tear_down(void **state)
{
	(void)state;
	return two_rules.conf.references == 0 ? 0 : -1;
}

struct kd_queue *
two_rules_queue(void)
{
	struct kd_queue *queue = kd_queue_new();
	assert_int_equal(kd_queue_configure(queue, &two_rules.conf), 0);
	return queue;
}

struct kd_unit *
two_rules_add(struct kd_queue *queue, const char *rule, const char *path, int64_t size,
	double now)
{
	struct kd_unit *unit = kd_unit_new(rule, path, KILN_FILE);
	unit->identity.size = size;
	assert_int_equal(kd_queue_add(queue, unit, now), 0);
	return unit;
}

void
two_rules_publish(struct kd_queue *queue, struct kd_batch *batch)
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
