/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * group.h - ready units of one rule that may run together: by parent folder, by the
 * first capture of a regular expression (the whole match without one), or all.  For
 * queue.c.
 */
#ifndef KD_GROUP_H
#define KD_GROUP_H

#include "daemon/queue/unit.h"
#include "daemon/rules/rule.h"

/* A list of units through their own next and previous. */
struct kd_unit_list {
	struct kd_unit *first, *last;
};
void kd_unit_list_insert(struct kd_unit_list *list, struct kd_unit *after,
	struct kd_unit *unit); /* after NULL: at the head */
void kd_unit_list_remove(struct kd_unit_list *list, struct kd_unit *unit);
void kd_unit_list_free(struct kd_unit_list *list);

struct kd_group;
struct kd_group_table;

struct kd_group_table *kd_group_table_new(void);
void kd_group_table_free(struct kd_group_table *table);

/* Takes a unit into its group; rule NULL (gone): all in one.  0 or -ENOMEM. */
int kd_group_table_add(
	struct kd_group_table *table, const struct kd_rule *rule, struct kd_unit *unit);
/* From now on groups are formed by another rule, at no cost, however many units wait: they
 * stay in groups of before until they are moved.  On -ENOMEM nothing has changed. */
int kd_group_table_regroup(struct kd_group_table *table);
/* Moves at most so many units out of groups of before.  1: there are more; 0; or -ENOMEM,
 * then the others are still there. */
int kd_group_table_move(
	struct kd_group_table *table, const struct kd_rule *rule, uint32_t most);
/* Takes any unit out of the table; NULL: it is empty. */
struct kd_unit *kd_group_table_pop(struct kd_group_table *table);
/* The group that should run: full, waited long enough, or nothing more settles nor comes
 * out of groups of before; of two the one that waits longer.  At no cost, however many
 * groups there are. */
struct kd_group *kd_group_table_due(const struct kd_group_table *table,
	const struct kd_rule *rule, int settling, double now);
/* Since when the longest waiting group waits; < 0: none does. */
double kd_group_table_oldest(const struct kd_group_table *table);
/* Puts a group that units were taken from where it belongs, or frees it when it is empty.
 */
void kd_group_tidy(const struct kd_rule *rule, struct kd_group *group);

struct kd_unit *kd_group_first(const struct kd_group *group);
void kd_group_take(struct kd_group *group, struct kd_unit *unit);

/* A walk over all units that wait in groups, in no order that matters: the unit behind
 * `unit`, the first with NULL; NULL at the end.  *group is the walk's own, and where the
 * unit is. */
struct kd_unit *kd_group_table_walk(const struct kd_group_table *table,
	const struct kd_unit *unit, struct kd_group **group);

#endif
