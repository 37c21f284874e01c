/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/queue/group.h"

#include <errno.h>
#include <regex.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

struct kd_group {
	struct kd_group *next, *previous; /* in order of their oldest unit */
	char *key;
	struct kd_unit_list units;
	uint32_t count;
	uint64_t bytes;
};

struct kd_group_table {
	void *by_key; /* tsearch(3) */
	struct kd_group *first, *last;
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
	return calloc(1, sizeof(struct kd_group_table));
}

static void
drop_regex(struct kd_group_table *table)
{
	if (table->compiled_for != NULL)
		regfree(&table->regex);
	table->compiled_for = NULL;
}

static void
remove_group(struct kd_group_table *table, struct kd_group *group)
{
	tdelete(group, &table->by_key, compare);
	*(group->previous == NULL ? &table->first : &group->previous->next) = group->next;
	*(group->next == NULL ? &table->last : &group->next->previous) = group->previous;
	kd_unit_list_free(&group->units);
	free(group->key);
	free(group);
}

void
kd_group_table_free(struct kd_group_table *table)
{
	if (table == NULL)
		return;
	while (table->first != NULL)
		remove_group(table, table->first);
	drop_regex(table);
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

/* Takes key. */
static struct kd_group *
need_group(struct kd_group_table *table, char *key)
{
	struct kd_group *group = calloc(1, sizeof *group);
	if (group == NULL) {
		free(key);
		return NULL;
	}
	group->key = key;
	struct kd_group **found = tsearch(group, &table->by_key, compare);
	if (found != NULL && *found == group) {
		group->previous = table->last;
		*(table->last == NULL ? &table->first : &table->last->next) = group;
		table->last = group;
		return group;
	}
	free(key);
	free(group);
	return found == NULL ? NULL : *found;
}

int
kd_group_table_add(
	struct kd_group_table *table, const struct kd_rule *rule, struct kd_unit *unit)
{
	char *key = key_of(table, rule, unit->path);
	struct kd_group *group = key == NULL ? NULL : need_group(table, key);
	if (group == NULL)
		return -ENOMEM;
	kd_unit_list_insert(&group->units, group->units.last, unit);
	group->count++;
	group->bytes += (uint64_t)unit->identity.size;
	return 0;
}

int
kd_group_table_regroup(struct kd_group_table *table, const struct kd_rule *rule)
{
	struct kd_group_table fresh = {0};
	drop_regex(table);
	while (table->first != NULL) {
		struct kd_unit *unit;
		while ((unit = table->first->units.first) != NULL) {
			kd_group_take(table->first, unit);
			if (kd_group_table_add(&fresh, rule, unit) == 0)
				continue;
			/* Back to where it was; a group by the old rule still runs. */
			kd_unit_list_insert(&table->first->units, NULL, unit);
			table->first->count++;
			goto failed;
		}
		remove_group(table, table->first);
	}
	*table = fresh;
	return 0;
failed:
	while (fresh.first != NULL) {
		struct kd_unit *unit;
		while ((unit = fresh.first->units.first) != NULL) {
			kd_group_take(fresh.first, unit);
			kd_unit_list_insert(
				&table->first->units, table->first->units.last, unit);
			table->first->count++;
		}
		remove_group(&fresh, fresh.first);
	}
	drop_regex(&fresh);
	return -ENOMEM;
}

struct kd_group *
kd_group_table_due(const struct kd_group_table *table, const struct kd_rule *rule,
	int settling, double now)
{
	for (struct kd_group *group = table->first; group != NULL; group = group->next) {
		if (!settling || group->count >= rule->batch.max_units ||
			(rule->batch.max_bytes > 0 &&
				group->bytes >= rule->batch.max_bytes) ||
			group->units.first->since + rule->batch.max_wait <= now)
			return group;
	}
	return NULL;
}

double
kd_group_table_oldest(const struct kd_group_table *table)
{
	double oldest = -1;
	for (const struct kd_group *group = table->first; group != NULL;
		group = group->next)
		if (oldest < 0 || group->units.first->since < oldest)
			oldest = group->units.first->since;
	return oldest;
}

void
kd_group_table_tidy(struct kd_group_table *table, struct kd_group *group)
{
	if (group->units.first == NULL)
		remove_group(table, group);
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
