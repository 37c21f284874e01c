/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/queue/group.h"

#include "daemon/queue/heap.h"

#include <errno.h>
#include <regex.h>
#include <search.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum placed { NOWHERE, FILLING, FULL };

struct kd_group {
	struct forming *of;
	struct kd_heap_item since; /* its first unit waits; in the heap of `placed` */
	enum placed placed;
	uint32_t count;
	uint64_t bytes;
	struct kd_unit_list units;
	char *key;
};

/* The groups that one rule forms. */
struct forming {
	struct forming *former;	      /* of an earlier rule, on the way out */
	void *by_key;		      /* tsearch(3) */
	struct kd_heap full, filling; /* a full one need not wait */
	uint32_t group_count;	      /* for which both heaps have room */
};

struct kd_group_table {
	struct forming *now;
	const struct kd_rule *compiled_for;
	regex_t regex;
};

void
kd_unit_list_insert(
	struct kd_unit_list *list, struct kd_unit *after, struct kd_unit *unit)
{
	unit->previous = after;
	unit->next = after == NULL ? list->first : after->next;
	*(unit->next == NULL ? &list->last : &unit->next->previous) = unit;
	*(after == NULL ? &list->first : &after->next) = unit;
}

void
kd_unit_list_remove(struct kd_unit_list *list, struct kd_unit *unit)
{
	*(unit->previous == NULL ? &list->first : &unit->previous->next) = unit->next;
	*(unit->next == NULL ? &list->last : &unit->next->previous) = unit->previous;
	unit->next = unit->previous = NULL;
}

void
kd_unit_list_free(struct kd_unit_list *list)
{
	while (list->first != NULL) {
		struct kd_unit *unit = list->first;
		kd_unit_list_remove(list, unit);
		kd_unit_free(unit);
	}
}

static int
compare(const void *a, const void *b)
{
	return strcmp(
		((const struct kd_group *)a)->key, ((const struct kd_group *)b)->key);
}

struct kd_group_table *
kd_group_table_new(void)
{
	struct kd_group_table *table = calloc(1, sizeof *table);
	struct forming *now = calloc(1, sizeof *now);
	if (table == NULL || now == NULL) {
		free(table);
		free(now);
		return NULL;
	}
	table->now = now;
	return table;
}

static void
drop_regex(struct kd_group_table *table)
{
	if (table->compiled_for != NULL)
		regfree(&table->regex);
	table->compiled_for = NULL;
}

static struct kd_group *
of_item(struct kd_heap_item *item)
{
	return item == NULL ? NULL
			    : (struct kd_group *)((char *)item -
						  offsetof(struct kd_group, since));
}

static struct kd_group *
first_of(const struct kd_heap *heap)
{
	return of_item(kd_heap_first(heap));
}

static struct kd_heap *
heap_of(const struct kd_group *group, enum placed placed)
{
	return placed == FULL ? &group->of->full : &group->of->filling;
}

static void
displace(struct kd_group *group)
{
	if (group->placed != NOWHERE)
		kd_heap_remove(heap_of(group, group->placed), &group->since);
	group->placed = NOWHERE;
}

static void
remove_group(struct kd_group *group)
{
	tdelete(group, &group->of->by_key, compare);
	displace(group);
	group->of->group_count--;
	kd_unit_list_free(&group->units);
	free(group->key);
	free(group);
}

static struct kd_group *
any_group(const struct forming *forming)
{
	struct kd_group *group = NULL;
	for (; forming != NULL && group == NULL; forming = forming->former) {
		group = first_of(&forming->full);
		if (group == NULL)
			group = first_of(&forming->filling);
	}
	return group;
}

/* Frees those from there on, which are empty. */
static void
forming_free(struct forming *forming)
{
	while (forming != NULL) {
		struct forming *former = forming->former;
		kd_heap_clear(&forming->full);
		kd_heap_clear(&forming->filling);
		free(forming);
		forming = former;
	}
}

void
kd_group_table_free(struct kd_group_table *table)
{
	if (table == NULL)
		return;
	struct kd_group *group;
	while ((group = any_group(table->now)) != NULL)
		remove_group(group);
	drop_regex(table);
	forming_free(table->now);
	free(table);
}

/* What of the path the rule's regular expression captures; all of it when it does not
 * match or cannot be compiled (the configuration has checked that it can). */
static char *
regex_key(struct kd_group_table *table, const struct kd_rule *rule, const char *path)
{
	regmatch_t match[2];
	if (table->compiled_for != rule) {
		drop_regex(table);
		if (regcomp(&table->regex, rule->batch.regex, REG_EXTENDED) != 0)
			return strdup(path);
		table->compiled_for = rule;
	}
	if (regexec(&table->regex, path, 2, match, 0) != 0)
		return strdup(path);
	const regmatch_t *m = match[1].rm_so >= 0 ? &match[1] : &match[0];
	return strndup(path + m->rm_so, (size_t)(m->rm_eo - m->rm_so));
}

static char *
key_of(struct kd_group_table *table, const struct kd_rule *rule, const char *path)
{
	if (rule == NULL || rule->batch.by == KD_BATCH_ALL)
		return strdup("");
	if (rule->batch.by == KD_BATCH_REGEX)
		return regex_key(table, rule, path);
	const char *slash = strrchr(path, '/');
	return strndup(path, slash == NULL ? 0 : (size_t)(slash - path));
}

/* Takes key.  A new group is in no heap before it has a unit; there is room for it. */
static struct kd_group *
need_group(struct forming *now, char *key)
{
	struct kd_group *group = calloc(1, sizeof *group), **found = NULL;
	if (group != NULL && kd_heap_reserve(&now->full, now->group_count + 1) == 0 &&
		kd_heap_reserve(&now->filling, now->group_count + 1) == 0) {
		group->of = now;
		group->key = key;
		found = tsearch(group, &now->by_key, compare);
	}
	if (found != NULL && *found == group) {
		now->group_count++;
		return group;
	}
	free(key);
	free(group);
	return found == NULL ? NULL : *found;
}

static int
is_full(const struct kd_group *group, const struct kd_rule *rule)
{
	return rule != NULL && (group->count >= rule->batch.max_units ||
				       (rule->batch.max_bytes > 0 &&
					       group->bytes >= rule->batch.max_bytes));
}

/* Into the heap in which it belongs. */
static void
place(const struct kd_rule *rule, struct kd_group *group)
{
	enum placed placed = is_full(group, rule) ? FULL : FILLING;
	if (group->placed == placed)
		return;
	displace(group);
	kd_heap_push(heap_of(group, placed), &group->since, group->units.first->since);
	group->placed = placed;
}

static void
put(struct kd_group *group, struct kd_unit *unit)
{
	kd_unit_list_insert(&group->units, group->units.last, unit);
	group->count++;
	group->bytes += (uint64_t)unit->identity.size;
}

static struct kd_group *
group_for(struct kd_group_table *table, const struct kd_rule *rule,
	const struct kd_unit *unit)
{
	char *key = key_of(table, rule, unit->path);
	return key == NULL ? NULL : need_group(table->now, key);
}

int
kd_group_table_add(
	struct kd_group_table *table, const struct kd_rule *rule, struct kd_unit *unit)
{
	struct kd_group *group = group_for(table, rule, unit);
	if (group == NULL)
		return -ENOMEM;
	put(group, unit);
	place(rule, group);
	return 0;
}

int
kd_group_table_regroup(struct kd_group_table *table)
{
	drop_regex(table);
	if (table->now->group_count == 0 && table->now->former == NULL)
		return 0;
	struct forming *fresh = calloc(1, sizeof *fresh);
	if (fresh == NULL)
		return -ENOMEM;
	fresh->former = table->now;
	table->now = fresh;
	return 0;
}

int
kd_group_table_move(
	struct kd_group_table *table, const struct kd_rule *rule, uint32_t most)
{
	struct kd_group *from;
	for (; (from = any_group(table->now->former)) != NULL && most > 0; most--) {
		struct kd_unit *unit = from->units.first;
		struct kd_group *to = group_for(table, rule, unit);
		if (to == NULL)
			return -ENOMEM;
		kd_group_take(from, unit);
		if (from->units.first == NULL)
			remove_group(from);
		put(to, unit);
		place(rule, to);
	}
	if (from != NULL)
		return 1;
	forming_free(table->now->former);
	table->now->former = NULL;
	return 0;
}

struct kd_unit *
kd_group_table_pop(struct kd_group_table *table)
{
	struct kd_group *group = any_group(table->now);
	struct kd_unit *unit = group == NULL ? NULL : group->units.first;
	if (unit == NULL)
		return NULL;
	kd_group_take(group, unit);
	if (group->units.first == NULL)
		remove_group(group);
	return unit;
}

/* The one of two that waits longer; either may be NULL. */
static struct kd_group *
older(struct kd_group *a, struct kd_group *b)
{
	if (a == NULL || b == NULL)
		return a == NULL ? b : a;
	return a->units.first->since <= b->units.first->since ? a : b;
}

struct kd_group *
kd_group_table_due(const struct kd_group_table *table, const struct kd_rule *rule,
	int settling, double now)
{
	struct kd_group *filling = first_of(&table->now->filling);
	if (filling != NULL && (settling || table->now->former != NULL) &&
		filling->units.first->since + rule->batch.max_wait > now)
		filling = NULL;
	return older(first_of(&table->now->full), filling);
}

double
kd_group_table_oldest(const struct kd_group_table *table)
{
	const struct kd_group *oldest =
		older(first_of(&table->now->full), first_of(&table->now->filling));
	return oldest == NULL ? -1 : oldest->units.first->since;
}

void
kd_group_tidy(const struct kd_rule *rule, struct kd_group *group)
{
	if (group->units.first == NULL) {
		remove_group(group);
		return;
	}
	/* Its first unit is another: its place in the order may be too. */
	displace(group);
	place(rule, group);
}

/* The group behind this one; NULL at the end. */
static struct kd_group *
next_group(const struct kd_group *group)
{
	const struct kd_heap *heap = heap_of(group, group->placed);
	if (group->since.slot + 1 < heap->count)
		return of_item(heap->items[group->since.slot + 1]);
	struct kd_group *next =
		group->placed == FULL ? first_of(&group->of->filling) : NULL;
	return next != NULL ? next : any_group(group->of->former);
}

struct kd_unit *
kd_group_table_walk(const struct kd_group_table *table, const struct kd_unit *unit,
	struct kd_group **group)
{
	if (unit != NULL && unit->next != NULL)
		return unit->next;
	*group = unit == NULL ? any_group(table->now) : next_group(*group);
	return *group == NULL ? NULL : (*group)->units.first;
}

struct kd_unit *
kd_group_first(const struct kd_group *group)
{
	return group->units.first;
}

void
kd_group_take(struct kd_group *group, struct kd_unit *unit)
{
	kd_unit_list_remove(&group->units, unit);
	group->count--;
	group->bytes -= (uint64_t)unit->identity.size;
}
