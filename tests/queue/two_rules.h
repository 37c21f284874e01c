/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * two_rules.h - a configuration of the rules "high" and "low", alike but for their priority,
 * and a queue over it.  It stands in for rules/conf.h: nothing is read from files.
 */
#ifndef TESTS_QUEUE_TWO_RULES_H
#define TESTS_QUEUE_TWO_RULES_H

#include "daemon/queue/queue.h"

/* One batch of a rule at a time, of three units or 100 bytes out of one folder. */
extern struct two_rules {
	struct kd_rule high, low;
	struct kd_conf conf;
} two_rules;

/* As said above, for the test at hand, which leaves no reference to the configuration. */
int two_rules_set_up(void **state);
int two_rules_tear_down(void **state);
#define TWO_RULES_TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, two_rules_set_up, two_rules_tear_down)

struct kd_queue *two_rules_queue(void);
/* A unit of a rule that is ready at `now`; the queue's. */
struct kd_unit *two_rules_add(struct kd_queue *queue, const char *rule, const char *path,
	int64_t size, double now);
/* Ends a batch, all its units published. */
void two_rules_publish(struct kd_queue *queue, struct kd_batch *batch);

#endif
