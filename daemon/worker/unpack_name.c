/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/unpack_name.h"

#include "daemon/base/name.h"

#include <stddef.h>

const char *
kd_unpack_name_refused(const char *name, const struct kd_archive_limits *limits)
{
	uint32_t depth = 0;
	size_t length = 0;
	int is_long = 0;
	for (const char *c = name; *c != '\0'; c++) {
		length = *c == '/' ? 0 : length + 1;
		depth += *c == '/';
		is_long |= length > limits->name;
	}
	/* What leaves is the worst that can be said of a name. */
	if (is_long || !kd_name_is_beneath(name))
		return "has a name that leaves its folder, or is too long";
	return depth >= limits->depth ? "is nested too deep" : NULL;
}
