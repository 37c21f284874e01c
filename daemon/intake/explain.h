/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain.h - in words, what a rule makes of a path below its drop folder, by name and
 * type alone: what filter.h decides, and why.
 */
#ifndef KD_EXPLAIN_H
#define KD_EXPLAIN_H

#include "daemon/rules/rule.h"

#include <stddef.h>

/* The number of bytes of path that name the unit it is, or belongs to; else 0 and the
 * reason why there is none. */
size_t kd_explain_path(const struct kd_rule *rule, const char *path, int is_folder,
	char *reason, size_t size);

#endif
