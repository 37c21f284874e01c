/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/intake/filter.h"

#include "daemon/base/name.h"
#include "daemon/base/series.h"
#include "plugins/kiln_plugin.h"

#include <fnmatch.h>
#include <string.h>

/* Our own sidecars and stages are never input, whatever the rule's patterns say. */
static int
is_ours(const char *name)
{
	static const char sidecar[] = ".kiln.json";
	size_t length = strlen(name);
	return strncmp(name, ".kiln-", 6) == 0 ||
	       (length >= sizeof sidecar - 1 &&
		       strcmp(name + length - (sizeof sidecar - 1), sidecar) == 0);
}

/* A pattern that asks for more than any name: a folder that fits it was meant as a unit.
 */
static int
is_meant(char *const *patterns, const char *name)
{
	for (; *patterns != NULL; patterns++)
		if (strcmp(*patterns, "*") != 0 && fnmatch(*patterns, name, 0) == 0)
			return 1;
	return 0;
}

/* NAME + marker beside a file NAME: the file's marker, and never a drop. */
static int
is_file_marker(const struct kd_rule *rule, const char *name)
{
	size_t length = strlen(name), marker;
	if (rule->ready != KD_READY_MARKER)
		return 0;
	marker = strlen(rule->marker);
	return length > marker && strcmp(name + length - marker, rule->marker) == 0;
}

static struct kd_filter_verdict
marker_verdict(const struct kd_rule *rule, const char *path)
{
	char name[256];
	const char *base = kd_name_base(path);
	size_t length = strlen(base) - strlen(rule->marker);
	if (length >= sizeof name)
		return (struct kd_filter_verdict){0};
	memcpy(name, base, length);
	name[length] = '\0';
	if (is_ours(name) || kd_name_matches(name, rule->ignore) ||
		!kd_name_matches(name, rule->match))
		return (struct kd_filter_verdict){0};
	return (struct kd_filter_verdict){
		.unit = strlen(path) - strlen(rule->marker), .marker = 1};
}

static struct kd_filter_verdict
file_rule(const struct kd_rule *rule, const char *path, int is_folder)
{
	const char *name = kd_name_base(path);
	if (!is_folder && is_file_marker(rule, name))
		return marker_verdict(rule, path);
	int unit = is_folder ? is_meant(rule->match, name)
			     : kd_name_matches(name, rule->match);
	return (struct kd_filter_verdict){
		.unit = unit ? strlen(path) : 0,
		.descend = is_folder && !unit && rule->recursive,
	};
}

/* Numbered files, and files with companions: which of them are one unit is seen when they
 * have settled.  Companions are named as they like. */
static struct kd_filter_verdict
family_rule(const struct kd_rule *rule, const char *path, int is_folder)
{
	struct kd_series_place place;
	const char *name = kd_name_base(path);
	if (is_folder)
		return (struct kd_filter_verdict){.descend = rule->recursive};
	int unit =
		rule->unit == KILN_BUNDLE ||
		(kd_name_matches(name, rule->match) && kd_series_find(name, &place) == 0);
	return (struct kd_filter_verdict){.unit = unit ? strlen(path) : 0};
}

static struct kd_filter_verdict
directory_rule(const struct kd_rule *rule, const char *path, int is_folder)
{
	char top[256];
	size_t length = strcspn(path, "/");
	int inside = path[length] != '\0';
	if (length >= sizeof top || (!inside && !is_folder))
		return (struct kd_filter_verdict){0};
	memcpy(top, path, length);
	top[length] = '\0';
	if (is_ours(top) || kd_name_matches(top, rule->ignore) ||
		!kd_name_matches(top, rule->match))
		return (struct kd_filter_verdict){0};
	return (struct kd_filter_verdict){
		.unit = length,
		.descend = is_folder,
		.marker = inside && rule->ready == KD_READY_MARKER &&
			  strcmp(path + length + 1, rule->marker) == 0,
	};
}

struct kd_filter_verdict
kd_filter_entry(const struct kd_rule *rule, const char *path, int is_folder)
{
	const char *name = kd_name_base(path);
	if (rule->unit == KILN_DIRECTORY)
		return directory_rule(rule, path, is_folder);
	if (is_ours(name))
		return (struct kd_filter_verdict){0};
	/* An ignored name's marker is another name: it is asked after first. */
	if (kd_name_matches(name, rule->ignore) &&
		(is_folder || !is_file_marker(rule, name)))
		return (struct kd_filter_verdict){0};
	if (rule->unit == KILN_SEQUENCE || rule->unit == KILN_BUNDLE)
		return family_rule(rule, path, is_folder);
	return file_rule(rule, path, is_folder);
}
