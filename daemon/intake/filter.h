/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter.h - what a rule makes of one entry of its drop folder, by name and type alone.
 */
#ifndef KD_FILTER_H
#define KD_FILTER_H

#include "daemon/rules/rule.h"

#include <stddef.h>

struct kd_filter_verdict {
	size_t unit; /* the first so many bytes of the path name the unit concerned; 0:
			none.  Of sequences and bundles: the path is of a file that may
			belong to one */
	int descend; /* a folder to watch and scan */
	int marker;  /* it is no part of the unit: it says that the unit is whole */
};

/* path is relative to the drop folder. */
struct kd_filter_verdict kd_filter_entry(
	const struct kd_rule *rule, const char *path, int is_folder);

#endif
