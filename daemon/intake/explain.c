/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/intake/explain.h"

#include "daemon/base/name.h"
#include "daemon/base/series.h"
#include "daemon/intake/filter.h"
#include "plugins/kiln_plugin.h"

#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Why an entry is neither a unit nor looked into. */
static void
explain_entry(const struct kd_rule *rule, const char *path, int is_folder, char *reason,
	size_t size)
{
	const char *name = kd_name_base(path);
	const char *what = is_folder ? "folder" : "file";
	for (char *const *pattern = rule->ignore; *pattern != NULL; pattern++)
		if (fnmatch(*pattern, name, 0) == 0) {
			snprintf(reason, size, "the %s '%s' is ignored by \"%s\"", what,
				KD_NAME(name), *pattern);
			return;
		}
	for (char *const *pattern = rule->match; *pattern != NULL; pattern++)
		if (fnmatch(*pattern, name, 0) == 0) {
			snprintf(reason, size,
				is_folder ? "the folder '%s' is not looked into "
					    "(recursive = false)"
					  : "'%s' is a file, and the rule does not take "
					    "files here",
				KD_NAME(name));
			return;
		}
	snprintf(reason, size, "the %s '%s' matches none of the rule's patterns%s%s%s",
		what, KD_NAME(name), rule->match[0] == NULL ? "" : " (\"",
		rule->match[0] == NULL ? "" : rule->match[0],
		rule->match[0] == NULL	 ? ""
		: rule->match[1] == NULL ? "\")"
					 : "\", ...)");
}

/* Whether a file's number is beyond those that the rule's sequences have. */
static int
is_out_of_range(const struct kd_rule *rule, const char *path, char *reason, size_t size)
{
	struct kd_series_place place;
	const int64_t first = rule->sequence.first, last = rule->sequence.last;
	if (rule->unit != KILN_SEQUENCE || kd_series_find(kd_name_base(path), &place) < 0)
		return 0;
	int before = first >= 0 && place.number < (uint64_t)first;
	if (!before && (last < 0 || place.number <= (uint64_t)last))
		return 0;
	snprintf(reason, size, "frame %llu is %s the rule's %s, %lld",
		(unsigned long long)place.number, before ? "before" : "beyond",
		before ? "first" : "last", (long long)(before ? first : last));
	return 1;
}

size_t
kd_explain_path(const struct kd_rule *rule, const char *path, int is_folder, char *reason,
	size_t size)
{
	char prefix[PATH_MAX];
	for (size_t length = strcspn(path, "/");;
		length += 1 + strcspn(path + length + 1, "/")) {
		if (length >= sizeof prefix) {
			snprintf(reason, size, "the path is too long");
			return 0;
		}
		memcpy(prefix, path, length);
		prefix[length] = '\0';
		int is_last = path[length] == '\0', folder = !is_last || is_folder;
		struct kd_filter_verdict verdict = kd_filter_entry(rule, prefix, folder);
		if (verdict.unit > 0)
			return is_out_of_range(rule, path, reason, size) ? 0
									 : verdict.unit;
		if (is_last && verdict.descend)
			snprintf(reason, size,
				"it is a folder, and the rule takes the files below it");
		else if (is_last || !verdict.descend)
			explain_entry(rule, prefix, folder, reason, size);
		if (is_last || !verdict.descend)
			return 0;
	}
}
