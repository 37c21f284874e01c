/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/base/stems.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

size_t
kd_stems_length(const char *name)
{
	const char *dot = strrchr(name, '.');
	return dot == NULL || dot == name ? strlen(name) : (size_t)(dot - name);
}

int
kd_stems_add(struct kd_stems *stems, const char *name, char *const *match)
{
	size_t pattern = 0;
	while (match[pattern] != NULL && fnmatch(match[pattern], name, 0) != 0)
		pattern++;
	if (match[pattern] == NULL)
		return 0;
	if (stems->count == stems->room) {
		size_t room = stems->room == 0 ? 8 : stems->room * 2;
		void *more = realloc(stems->list, room * sizeof *stems->list);
		if (more == NULL)
			return -ENOMEM;
		stems->list = more;
		stems->room = room;
	}
	struct kd_stem *made = &stems->list[stems->count];
	*made = (struct kd_stem){
		.stem = strndup(name, kd_stems_length(name)),
		.main = strdup(name),
		.pattern = pattern,
	};
	if (made->stem == NULL || made->main == NULL) {
		free(made->stem);
		free(made->main);
		return -ENOMEM;
	}
	stems->count++;
	return 1;
}

static int
compare(const void *a, const void *b)
{
	const struct kd_stem *left = a, *right = b;
	int order = strcmp(left->stem, right->stem);
	if (order != 0)
		return order;
	if (left->pattern != right->pattern)
		return left->pattern < right->pattern ? -1 : 1;
	return strcmp(left->main, right->main);
}

void
kd_stems_seal(struct kd_stems *stems)
{
	size_t kept = 0;
	if (stems->count > 1)
		qsort(stems->list, stems->count, sizeof *stems->list, compare);
	for (size_t i = 0; i < stems->count; i++) {
		struct kd_stem *stem = &stems->list[i];
		if (kept > 0 && strcmp(stems->list[kept - 1].stem, stem->stem) == 0) {
			free(stem->stem);
			free(stem->main);
		} else {
			stems->list[kept++] = *stem;
		}
	}
	stems->count = kept;
}

long
kd_stems_find(const struct kd_stems *stems, const char *stem, size_t length)
{
	size_t low = 0, high = stems->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *here = stems->list[middle].stem;
		int order = strncmp(here, stem, length);
		if (order == 0 && here[length] == '\0')
			return (long)middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

long
kd_stems_of(const struct kd_stems *stems, const char *name)
{
	for (size_t length = strlen(name); length > 0; length--) {
		if (name[length] != '\0' && strchr("._-", name[length]) == NULL)
			continue;
		long found = kd_stems_find(stems, name, length);
		if (found >= 0)
			return found;
	}
	return -1;
}

void
kd_stems_clear(struct kd_stems *stems)
{
	for (size_t i = 0; i < stems->count; i++) {
		free(stems->list[i].stem);
		free(stems->list[i].main);
	}
	free(stems->list);
	*stems = (struct kd_stems){0};
}
