/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single units of the queue, for whoever asks for one by its number.  These walk: what the
 * queue does all the time is in queue.c and does not.
 */
#include "daemon/queue/queue_rule.h"

#include <stdlib.h>

static struct kd_unit *
in_list(const struct kd_unit_list *list, int64_t id, uint64_t *before)
{
	struct kd_unit *unit = list->first;
	for (; unit != NULL && unit->id != id; unit = unit->next)
		*before += 1;
	return unit;
}

static struct kd_unit *
in_deferred(const struct kd_heap *deferred, int64_t id)
{
	for (uint32_t i = 0; i < deferred->count; i++) {
		struct kd_unit *unit = kd_queue_rule_due(deferred->items[i]);
		if (unit->id == id)
			return unit;
	}
	return NULL;
}

static struct kd_unit *
in_groups(const struct kd_group_table *groups, int64_t id, struct kd_group **group,
	uint64_t *before)
{
	struct kd_unit *unit = kd_group_table_walk(groups, NULL, group);
	for (; unit != NULL && unit->id != id;
		unit = kd_group_table_walk(groups, unit, group))
		*before += 1;
	return unit;
}

static struct kd_unit *
take_from(struct kd_queue_rule *rule, int64_t id)
{
	struct kd_group *group;
	uint64_t before = 0;
	struct kd_unit *unit = in_list(&rule->suspects, id, &before);
	if (unit != NULL) {
		kd_unit_list_remove(&rule->suspects, unit);
	} else if ((unit = in_deferred(&rule->deferred, id)) != NULL) {
		kd_heap_remove(&rule->deferred, &unit->due);
		unit->next = unit->previous = NULL;
	} else if ((unit = in_groups(rule->groups, id, &group, &before)) != NULL) {
		kd_group_take(group, unit);
		kd_group_tidy(rule->rule, group);
	}
	if (unit == NULL)
		return NULL;
	rule->counts[unit->state]--;
	rule->undisposed -= kd_unit_is_final(unit->recorded);
	return unit;
}

struct kd_unit *
kd_queue_take(struct kd_queue *queue, int64_t id)
{
	struct kd_unit *unit = NULL;
	for (struct kd_queue_rule *r = queue->rules; r != NULL && unit == NULL;
		r = r->next)
		unit = take_from(r, id);
	return unit;
}

struct kd_queue_drain {
	struct kd_queue_rule *rule; /* NULL: there is none */
	struct kd_group_table *groups;
	struct kd_heap deferred;
	struct kd_unit_list suspects;
};

struct kd_queue_drain *
kd_queue_drain(struct kd_queue *queue, const char *name)
{
	struct kd_queue_rule *rule = kd_queue_rule(queue, name);
	struct kd_queue_drain *drain = calloc(1, sizeof *drain);
	struct kd_group_table *fresh = kd_group_table_new();
	if (drain == NULL || fresh == NULL) {
		kd_group_table_free(fresh);
		free(drain);
		return NULL;
	}
	drain->groups = fresh;
	if (rule == NULL)
		return drain;
	*drain = (struct kd_queue_drain){
		rule, rule->groups, rule->deferred, rule->suspects};
	rule->groups = fresh;
	rule->deferred = (struct kd_heap){0};
	rule->suspects = (struct kd_unit_list){0};
	return drain;
}

static struct kd_unit *
any_unit(struct kd_queue_drain *drain)
{
	struct kd_unit *unit = drain->suspects.first;
	if (unit != NULL) {
		kd_unit_list_remove(&drain->suspects, unit);
	} else if (drain->deferred.count > 0) {
		drain->deferred.count--;
		unit = kd_queue_rule_due(drain->deferred.items[drain->deferred.count]);
		unit->next = unit->previous = NULL;
	} else {
		unit = kd_group_table_pop(drain->groups);
	}
	return unit;
}

struct kd_unit *
kd_queue_drain_next(struct kd_queue_drain *drain)
{
	struct kd_unit *unit = any_unit(drain);
	if (unit == NULL)
		return NULL;
	drain->rule->counts[unit->state]--;
	drain->rule->undisposed -= kd_unit_is_final(unit->recorded);
	return unit;
}

void
kd_queue_drain_free(struct kd_queue_drain *drain)
{
	if (drain == NULL)
		return;
	kd_group_table_free(drain->groups);
	kd_unit_list_free(&drain->suspects);
	for (uint32_t i = 0; i < drain->deferred.count; i++)
		kd_unit_free(kd_queue_rule_due(drain->deferred.items[i]));
	kd_heap_clear(&drain->deferred);
	free(drain);
}

void
kd_queue_find(const struct kd_queue *queue, const char *name, int64_t id,
	struct kd_queue_place *place)
{
	const struct kd_queue_rule *rule = kd_queue_rule(queue, name);
	struct kd_group *group;
	*place = (struct kd_queue_place){0};
	if (rule == NULL)
		return;
	place->unit = in_list(&rule->suspects, id, &place->ahead);
	if (place->unit == NULL)
		place->unit = in_groups(rule->groups, id, &group, &place->ahead);
	if (place->unit == NULL)
		place->unit = in_deferred(&rule->deferred, id);
	place->running = rule->running;
	place->all_running = queue->running;
	if (rule->rule == NULL)
		return;
	place->workers = rule->rule->workers;
	place->all_workers = queue->conf->workers;
	place->wants_gpu = kd_queue_rule_takes_gpu(rule->rule) &&
			   queue->gpus >= queue->conf->gpu_slots;
}
