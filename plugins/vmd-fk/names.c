/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/vmd-fk/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *
name_of(const struct fk_names *names, uint32_t element)
{
	const char *place = names->array + element * names->stride + names->offset;
	if (names->in_place)
		return place;
	const char *name;
	memcpy(&name, place, sizeof name);
	return name;
}

static int
compare(const void *a, const void *b, void *context)
{
	const struct fk_names *names = context;
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
	int by_name = strcmp(name_of(names, left), name_of(names, right));
	return by_name != 0 ? by_name : (left > right) - (left < right);
}

int
fk_names_build(struct fk_names *names)
{
	names->sorted =
		calloc(names->count > 0 ? names->count : 1, sizeof *names->sorted);
	if (names->sorted == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < names->count; i++)
		names->sorted[i] = i;
	qsort_r(names->sorted, names->count, sizeof *names->sorted, compare, names);
	return 0;
}

void
fk_names_free(struct fk_names *names)
{
	free(names->sorted);
	names->sorted = NULL;
	names->count = 0;
}

/* The first place in the sorted order whose name is not below `name`. */
static uint32_t
lower_bound(const struct fk_names *names, const char *name)
{
	uint32_t low = 0, high = names->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (strcmp(name_of(names, names->sorted[middle]), name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int64_t
fk_names_find(const struct fk_names *names, const char *name)
{
	if (name[0] == '\0')
		return -1;
	uint32_t place = lower_bound(names, name);
	if (place == names->count ||
		strcmp(name_of(names, names->sorted[place]), name) != 0)
		return -1;
	return names->sorted[place];
}

int64_t
fk_names_find_prefix(const struct fk_names *names, const char *text)
{
	size_t length = strlen(text);
	int64_t found = -1;
	if (length == 0)
		return -1;
	for (uint32_t place = lower_bound(names, text); place < names->count; place++) {
		uint32_t element = names->sorted[place];
		if (strncmp(name_of(names, element), text, length) != 0)
			break;
		if (found < 0 || element < found)
			found = element;
	}
	return found;
}
