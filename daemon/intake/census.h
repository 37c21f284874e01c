/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * census.h - one folder's files, counted by what they belong to: numbered files by the
 * text around their number, others by the stem of their main file.  One reading of the
 * folder answers for all of them.  Memory goes with the number of families, not of files.
 */
#ifndef KD_CENSUS_H
#define KD_CENSUS_H

#include "daemon/intake/look.h"
#include "daemon/rules/rule.h"

struct kd_census;

/* Numbered files of one pattern. */
struct kd_census_series {
	unsigned width; /* as in struct kd_series */
	uint64_t lowest, highest;
	struct kd_look_sum sum;
};

/* Borrows rule, of unit sequence or bundle.  NULL when memory is out. */
struct kd_census *kd_census_new(struct ev_loop *loop, const struct kd_rule *rule);
void kd_census_free(struct kd_census *census);

/* Reads the folder `path` beneath root, unless what it has of it was read at reach->since
 * or later.  At most a million entries are looked at.  0; KD_SETTLE_MORE when
 * reach->entries, from which each entry is taken off, do not reach: the next call for the
 * same folder goes on, one for another begins anew; or a negative errno: it holds nothing
 * then. */
int kd_census_take(struct kd_census *census, int root, const char *path,
	struct kd_settle_reach *reach);
/* Leaves off what is under way, and holds nothing open. */
void kd_census_stop(struct kd_census *census);

/* A sequence's family is named by what stands before and behind the number, with a '/'
 * between; a bundle's by its stem.  -ENOENT: there is none. */
int kd_census_look(
	const struct kd_census *census, const char *name, struct kd_look *look);

/* The file that leads a bundle; NULL. */
const char *kd_census_main(const struct kd_census *census, const char *stem);

/* The sequences of a family, one call each.  Those numbers only that the rule's first and
 * last leave. */
typedef void kd_census_fn(void *context, const struct kd_census_series *series);
void kd_census_each(const struct kd_census *census, const char *name, kd_census_fn *each,
	void *context);
void kd_census_look_series(const struct kd_census *census,
	const struct kd_census_series *series, struct kd_look *look);

#endif
