/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invariant: a unit is in exactly one place: a group's list, its rule's list of suspects
 * or of deferred ones, or a batch; counts[] follows every move.
 */
#include "daemon/queue/queue_rule.h"

#include "plugins/kiln_plugin.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct kd_queue *
kd_queue_new(void)
{
	return calloc(1, sizeof(struct kd_queue));
}

struct kd_unit *
kd_queue_rule_due(struct kd_heap_item *item)
{
	return (struct kd_unit *)((char *)item - offsetof(struct kd_unit, due));
}

static void
rule_free(struct kd_queue_rule *rule)
{
	kd_group_table_free(rule->groups);
	kd_unit_list_free(&rule->suspects);
	for (uint32_t i = 0; i < rule->deferred.count; i++)
		kd_unit_free(kd_queue_rule_due(rule->deferred.items[i]));
	kd_heap_clear(&rule->deferred);
	free(rule->name);
	free(rule);
}

void
kd_queue_free(struct kd_queue *queue)
{
	if (queue == NULL)
		return;
	while (queue->rules != NULL) {
		struct kd_queue_rule *next = queue->rules->next;
		rule_free(queue->rules);
		queue->rules = next;
	}
	kd_conf_unref(queue->conf);
	free(queue);
}

struct kd_queue_rule *
kd_queue_rule(const struct kd_queue *queue, const char *name)
{
	struct kd_queue_rule *rule = queue->rules;
	while (rule != NULL && strcmp(rule->name, name) != 0)
		rule = rule->next;
	return rule;
}

/* The rule's place, made when it is not there. */
static struct kd_queue_rule *
need_rule(struct kd_queue *queue, const char *name)
{
	struct kd_queue_rule *rule = kd_queue_rule(queue, name);
	if (rule != NULL)
		return rule;
	rule = calloc(1, sizeof *rule);
	if (rule == NULL)
		return NULL;
	rule->name = strdup(name);
	rule->groups = kd_group_table_new();
	if (rule->name == NULL || rule->groups == NULL) {
		rule_free(rule);
		return NULL;
	}
	rule->next = queue->rules;
	queue->rules = rule;
	return rule;
}

/* Whether two rules form the same groups. */
static int
groups_alike(const struct kd_rule *a, const struct kd_rule *b)
{
	return a->batch.by == b->batch.by && a->batch.max_units == b->batch.max_units &&
	       a->batch.max_bytes == b->batch.max_bytes &&
	       (a->batch.by != KD_BATCH_REGEX ||
		       strcmp(a->batch.regex, b->batch.regex) == 0);
}

/* Groups are to be formed as the rule now says, unless they are. */
static int
regroup(struct kd_queue_rule *rule, const struct kd_rule *now)
{
	const struct kd_rule *before = rule->rule;
	int rc = now == NULL || (before != NULL && groups_alike(before, now))
			 ? 0
			 : kd_group_table_regroup(rule->groups);
	rule->rule = now;
	return rc;
}

int
kd_queue_configure(struct kd_queue *queue, struct kd_conf *conf)
{
	for (uint32_t i = 0; i < conf->rule_count; i++)
		if (need_rule(queue, conf->rules[i]->name) == NULL)
			return -ENOMEM;
	int rc = 0;
	for (struct kd_queue_rule *r = queue->rules; r != NULL && rc == 0; r = r->next)
		rc = regroup(r, kd_conf_rule(conf, r->name));
	struct kd_conf *before = queue->conf;
	queue->conf = kd_conf_ref(conf);
	kd_conf_unref(before);
	return rc;
}

int
kd_queue_regroup(struct kd_queue *queue)
{
	for (struct kd_queue_rule *r = queue->rules; r != NULL; r = r->next) {
		int rc = kd_group_table_move(r->groups, r->rule, KD_QUEUE_AT_ONCE);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
make_ready(struct kd_queue_rule *rule, struct kd_unit *unit, double now)
{
	unit->state = KD_STATE_READY;
	unit->since = now;
	if (unit->company > 0) {
		kd_unit_list_insert(&rule->suspects, rule->suspects.last, unit);
		return 0;
	}
	return kd_group_table_add(rule->groups, rule->rule, unit);
}

int
kd_queue_add(struct kd_queue *queue, struct kd_unit *unit, double now)
{
	struct kd_queue_rule *rule = need_rule(queue, unit->rule);
	if (rule == NULL)
		return -ENOMEM;
	int rc = unit->state == KD_STATE_DEFERRED && unit->not_before > now
			 ? kd_heap_push(&rule->deferred, &unit->due, unit->not_before)
			 : make_ready(rule, unit, now);
	if (rc < 0)
		return rc;
	rule->counts[unit->state]++;
	rule->undisposed += kd_unit_is_final(unit->recorded);
	return 0;
}

void
kd_queue_set_settling(struct kd_queue *queue, const char *name, uint64_t count)
{
	struct kd_queue_rule *rule = kd_queue_rule(queue, name);
	if (rule != NULL)
		rule->settling = count;
}

/* Deferred units whose time has come are ready; some of them, for very many may come at
 * once: kd_queue_wait() tells of the others. */
static int
wake_deferred(struct kd_queue_rule *rule, double now)
{
	struct kd_heap_item *item;
	for (int i = 0; i < KD_QUEUE_AT_ONCE; i++) {
		item = kd_heap_first(&rule->deferred);
		if (item == NULL || item->time > now)
			break;
		struct kd_unit *unit = kd_queue_rule_due(item);
		kd_heap_remove(&rule->deferred, item);
		int rc = make_ready(rule, unit, now);
		if (rc < 0) {
			/* Its place is still there. */
			unit->state = KD_STATE_DEFERRED;
			kd_heap_push(&rule->deferred, &unit->due, unit->not_before);
			return rc;
		}
		rule->counts[KD_STATE_DEFERRED]--;
		rule->counts[KD_STATE_READY]++;
	}
	return 0;
}

static struct kd_group *
due_group(const struct kd_queue_rule *rule, double now)
{
	return kd_group_table_due(rule->groups, rule->rule, rule->settling > 0, now);
}

int
kd_queue_rule_takes_gpu(const struct kd_rule *rule)
{
	return strncmp(rule->device, "cuda", 4) == 0 ||
	       (strcmp(rule->device, "auto") == 0 &&
		       (rule->needs & KILN_NEEDS_CUDA) != 0);
}

/* Whether a rule may start one more batch, were there units for it. */
static int
may_start(const struct kd_queue *queue, const struct kd_queue_rule *rule)
{
	return rule->rule != NULL && (rule->held | queue->held) == 0 &&
	       rule->running < rule->rule->workers &&
	       (queue->gpus < queue->conf->gpu_slots ||
		       !kd_queue_rule_takes_gpu(rule->rule));
}

/* Among rules with something due and a free place: priority, then longest not served. */
static struct kd_queue_rule *
choose_rule(struct kd_queue *queue, double now)
{
	struct kd_queue_rule *best = NULL;
	for (struct kd_queue_rule *r = queue->rules; r != NULL; r = r->next) {
		if (!may_start(queue, r) ||
			(r->suspects.first == NULL && due_group(r, now) == NULL))
			continue;
		if (best == NULL || r->rule->priority > best->rule->priority ||
			(r->rule->priority == best->rule->priority &&
				r->last_start < best->last_start))
			best = r;
	}
	return best;
}

static void
take_unit(struct kd_queue_rule *rule, struct kd_batch *batch, struct kd_unit *unit)
{
	rule->counts[KD_STATE_READY]--;
	rule->counts[KD_STATE_RUNNING]++;
	rule->undisposed -= kd_unit_is_final(unit->recorded);
	unit->state = KD_STATE_RUNNING;
	unit->done = unit->total = 0;
	batch->units[batch->unit_count++] = unit;
}

/* Whether a batch has room for so many more bytes; a first unit always fits. */
static int
has_room(const struct kd_queue_rule *rule, const struct kd_batch *batch, uint64_t bytes)
{
	uint64_t most = rule->rule->batch.max_bytes;
	return batch->unit_count == 0 || most == 0 || bytes <= most;
}

/* Half of a batch that crashed; no unit is in more company than is allowed to it. */
static void
fill_from_suspects(struct kd_queue_rule *rule, struct kd_batch *batch)
{
	uint32_t most = rule->rule->batch.max_units;
	uint64_t bytes = 0;
	struct kd_unit *unit;
	while ((unit = rule->suspects.first) != NULL) {
		bytes += (uint64_t)unit->identity.size;
		if (unit->company < most)
			most = unit->company;
		if (batch->unit_count >= most || !has_room(rule, batch, bytes))
			return;
		kd_unit_list_remove(&rule->suspects, unit);
		take_unit(rule, batch, unit);
	}
}

static void
fill_batch(struct kd_queue_rule *rule, struct kd_batch *batch, double now)
{
	struct kd_group *group = due_group(rule, now);
	struct kd_unit *unit;
	uint64_t bytes = 0;
	while (batch->unit_count < rule->rule->batch.max_units &&
		(unit = kd_group_first(group)) != NULL) {
		bytes += (uint64_t)unit->identity.size;
		if (!has_room(rule, batch, bytes))
			break;
		kd_group_take(group, unit);
		take_unit(rule, batch, unit);
	}
	kd_group_tidy(rule->rule, group);
}

int
kd_queue_next(struct kd_queue *queue, double now, struct kd_batch **next)
{
	if (queue->conf == NULL || queue->running >= queue->conf->workers)
		return 0;
	for (struct kd_queue_rule *r = queue->rules; r != NULL; r = r->next) {
		int rc = wake_deferred(r, now);
		if (rc < 0)
			return rc;
	}
	struct kd_queue_rule *rule = choose_rule(queue, now);
	if (rule == NULL)
		return 0;
	struct kd_batch *batch = calloc(
		1, sizeof *batch + rule->rule->batch.max_units * sizeof batch->units[0]);
	if (batch == NULL)
		return -ENOMEM;
	batch->rule = rule->rule;
	batch->conf = kd_conf_ref(queue->conf);
	batch->gpu = kd_queue_rule_takes_gpu(rule->rule);
	if (rule->suspects.first != NULL)
		fill_from_suspects(rule, batch);
	else
		fill_batch(rule, batch, now);
	rule->running++;
	queue->gpus += (uint32_t)batch->gpu;
	rule->last_start = now;
	queue->running++;
	*next = batch;
	return 1;
}

double
kd_queue_wait(const struct kd_queue *queue, double now)
{
	double earliest = -1;
	for (const struct kd_queue_rule *r = queue->rules; r != NULL; r = r->next) {
		if (r->rule == NULL)
			continue;
		double at = r->deferred.count > 0 ? r->deferred.items[0]->time : -1;
		double since = kd_group_table_oldest(r->groups);
		if (since >= 0 && may_start(queue, r) &&
			(at < 0 || since + r->rule->batch.max_wait < at))
			at = since + r->rule->batch.max_wait;
		if (at >= 0 && (earliest < 0 || at < earliest))
			earliest = at;
	}
	if (earliest < 0 ||
		(queue->conf != NULL && queue->running >= queue->conf->workers))
		return -1;
	return earliest > now ? earliest - now : 0;
}

void
kd_queue_end(struct kd_queue *queue, struct kd_batch *batch)
{
	struct kd_queue_rule *rule = kd_queue_rule(queue, batch->rule->name);
	rule->running--;
	rule->counts[KD_STATE_RUNNING] -= batch->unit_count;
	queue->running--;
	queue->gpus -= (uint32_t)batch->gpu;
	kd_conf_unref(batch->conf);
	free(batch);
}

void
kd_queue_close(struct kd_queue *queue, struct kd_unit *unit)
{
	kd_queue_count(queue, unit->rule, unit->state, 1);
	kd_unit_free(unit);
}

void
kd_queue_count(
	struct kd_queue *queue, const char *name, enum kd_state state, uint64_t count)
{
	struct kd_queue_rule *rule = kd_queue_rule(queue, name);
	if (rule != NULL)
		rule->counts[state] += count;
}

void
kd_queue_discount(
	struct kd_queue *queue, const char *name, enum kd_state state, uint64_t count)
{
	struct kd_queue_rule *rule = kd_queue_rule(queue, name);
	if (rule != NULL)
		rule->counts[state] -=
			count < rule->counts[state] ? count : rule->counts[state];
}

uint64_t
kd_queue_total(const struct kd_queue *queue, const char *name, enum kd_state state)
{
	uint64_t total = 0;
	if (name != NULL) {
		const struct kd_queue_rule *rule = kd_queue_rule(queue, name);
		return rule == NULL ? 0 : rule->counts[state];
	}
	for (const struct kd_queue_rule *r = queue->rules; r != NULL; r = r->next)
		total += r->counts[state];
	return total;
}

uint64_t
kd_queue_undisposed(const struct kd_queue *queue, const char *name)
{
	const struct kd_queue_rule *rule = kd_queue_rule(queue, name);
	return rule == NULL ? 0 : rule->undisposed;
}

uint64_t
kd_queue_settling(const struct kd_queue *queue, const char *name)
{
	uint64_t total = 0;
	for (const struct kd_queue_rule *r = queue->rules; r != NULL; r = r->next)
		if (name == NULL || strcmp(r->name, name) == 0)
			total += r->settling;
	return total;
}

void
kd_queue_expect(struct kd_queue *queue, const char *name, int more)
{
	struct kd_queue_rule *rule = kd_queue_rule(queue, name);
	if (rule != NULL)
		rule->expected += (uint64_t)more;
}

uint64_t
kd_queue_open(const struct kd_queue *queue, const char *name)
{
	const struct kd_queue_rule *rule = kd_queue_rule(queue, name);
	return rule == NULL ? 0
			    : rule->expected + rule->counts[KD_STATE_READY] +
				      rule->counts[KD_STATE_RUNNING] +
				      rule->counts[KD_STATE_DEFERRED];
}

uint32_t
kd_queue_gpus_busy(const struct kd_queue *queue)
{
	return queue->gpus;
}

int
kd_queue_is_idle(const struct kd_queue *queue)
{
	for (const struct kd_queue_rule *r = queue->rules; r != NULL; r = r->next) {
		int held = (r->held | queue->held) != 0;
		if (r->rule != NULL &&
			(r->counts[KD_STATE_RUNNING] > 0 || r->settling > 0 ||
				(r->counts[KD_STATE_READY] > 0 && !held)))
			return 0;
	}
	return 1;
}

void
kd_queue_hold(struct kd_queue *queue, const char *name, enum kd_hold why, int held)
{
	struct kd_queue_rule *rule = name == NULL ? NULL : kd_queue_rule(queue, name);
	unsigned *set = name == NULL ? &queue->held : rule == NULL ? NULL : &rule->held;
	if (set != NULL)
		*set = held ? *set | (unsigned)why : *set & ~(unsigned)why;
}

unsigned
kd_queue_held(const struct kd_queue *queue, const char *name)
{
	const struct kd_queue_rule *rule = kd_queue_rule(queue, name);
	return queue->held | (rule == NULL ? 0 : rule->held);
}
