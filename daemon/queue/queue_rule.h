/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queue_rule.h - inside the queue: what it keeps of each rule.  For daemon/queue/queue*.c
 * only.
 */
#ifndef KD_QUEUE_RULE_H
#define KD_QUEUE_RULE_H

#include "daemon/queue/group.h"
#include "daemon/queue/queue.h"

struct kd_queue_rule {
	struct kd_queue_rule *next;
	char *name;
	const struct kd_rule *rule; /* NULL: not in the present configuration */
	struct kd_group_table *groups;
	struct kd_unit_list suspects;
	struct kd_heap deferred; /* of units' due */
	unsigned held;		 /* set of enum kd_hold */
	uint32_t running;	 /* batches */
	uint64_t settling, expected;
	double last_start;
	uint64_t counts[KD_STATES];
	uint64_t undisposed; /* of those that wait */
};

struct kd_queue {
	struct kd_conf *conf;
	struct kd_queue_rule *rules;
	uint32_t running, gpus;
	unsigned held; /* set of enum kd_hold: all rules are */
};

/* The unit of an item of deferred. */
struct kd_unit *kd_queue_rule_due(struct kd_heap_item *item);
/* The rule's place, or NULL. */
struct kd_queue_rule *kd_queue_rule(const struct kd_queue *queue, const char *name);
/* Whether a kernel may use a GPU: told to, or left to choose and granted one. */
int kd_queue_rule_takes_gpu(const struct kd_rule *rule);

#endif
