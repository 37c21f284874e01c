/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/intake/explain.h"

#include "daemon/base/name.h"
#include "daemon/intake/filter.h"

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
			return verdict.unit;
		if (is_last && verdict.descend)
			snprintf(reason, size,
				"it is a folder, and the rule takes the files below it");
		else if (is_last || !verdict.descend)
			explain_entry(rule, prefix, folder, reason, size);
		if (is_last || !verdict.descend)
			return 0;
	}
}
