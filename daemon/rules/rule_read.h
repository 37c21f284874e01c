/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule_read.h - one [rule.NAME] table into a struct kd_rule, and what is checked of one
 * rule and of all of them together.  For conf.c alone.
 */
#ifndef KD_RULE_READ_H
#define KD_RULE_READ_H

#include "daemon/rules/keys.h"
#include "daemon/rules/rule.h"
#include "daemon/rules/toml.h"

struct kd_rule_source {
	const char *file,
		*folder; /* absolute; relative path parameters start at folder */
	const struct kd_toml *table; /* its key is the rule's name */
	const struct kd_catalog *catalog;
	int check_paths;
};

/* A rule by itself: keys, types, ranges, kernel, parameters, folders, revision. */
int kd_rule_read(
	const struct kd_rule_source *source, struct kd_rule **rule, struct kd_err *err);
void kd_rule_free(struct kd_rule *rule); /* NULL and half-built ones are fine */

/* The keys of a rule (keys.h), read into a struct kd_rule. */
extern const struct kd_key kd_rule_keys[];

/* Names that kiln itself makes, NULL-ended: sidecars and stages.  They are never drops.
 */
#define KD_RULE_KEYS_RESERVED 3
extern const char *const kd_rule_keys_reserved[KD_RULE_KEYS_RESERVED + 1];

/* Of a rule whose keys are read: what its values say about each other. */
int kd_rule_check(const struct kd_rule *rule, const struct kd_rule_source *source,
	struct kd_err *err);

/* Of all rules: none touches kilnd's state, none feeds itself by way of others. */
int kd_rule_check_together(const struct kd_conf *conf, struct kd_err *err);

#endif
