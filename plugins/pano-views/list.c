/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MASK "_mask.png"

static int
is_picture(const char *name)
{
	static const char *const suffixes[] = {
		".jpg", ".jpeg", ".png", ".tif", ".tiff", ".exr"};
	const char *dot = strrchr(name, '.');
	for (size_t i = 0; dot != NULL && i < sizeof suffixes / sizeof suffixes[0]; i++)
		if (strcasecmp(dot, suffixes[i]) == 0)
			return 1;
	return 0;
}

/* Sorts frames so that those whose outputs would have one name stand side by side. */
static int
by_stem(const void *a, const void *b)
{
	const struct pv_frame *one = a, *other = b;
	int order = strcmp(one->stem, other->stem);
	return order != 0 ? order : strcmp(one->name, other->name);
}

static int
refuse_twins(const struct pv_list *list, struct fmt_err *err)
{
	for (uint32_t i = 1; i < list->frame_count; i++)
		if (strcmp(list->frames[i - 1].stem, list->frames[i].stem) == 0)
			return fmt_err_set(err, -EBADMSG,
				"'%s' and '%s' would have views of the same name; rename "
				"one",
				list->frames[i - 1].name, list->frames[i].name);
	return 0;
}

static int
is_mask(const char *name)
{
	size_t length = strlen(name);
	return length >= strlen(MASK) && strcmp(name + length - strlen(MASK), MASK) == 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Where the mask of this name is among the masks; NULL: nowhere. */
static const char **
find(const struct pv_list *list, const char *name)
{
	return bsearch(&name, list->orphans, list->orphan_count, sizeof name, by_name);
}

/* Gives each frame its mask; taken: [orphan_count], all 0. */
static int
match(struct pv_list *list, const struct kiln_unit *unit, uint8_t *taken)
{
	for (uint32_t i = 0; i < list->frame_count; i++) {
		struct pv_frame *frame = &list->frames[i];
		const char *base = strrchr(frame->stem, '/');
		char *name;
		base = base != NULL ? base + 1 : frame->stem;
		const int folder = (int)(base - frame->stem);
		if (unit->kind == KILN_FILE ||
			asprintf(&name, "%s" MASK, frame->stem) < 0)
			return unit->kind == KILN_FILE ? 0 : -ENOMEM;
		const char **found = find(list, name);
		free(name);
		if (asprintf(&name, "%.*smasks/%s" MASK, folder, frame->stem, base) < 0)
			return -ENOMEM;
		if (found == NULL)
			found = find(list, name);
		free(name);
		if (found != NULL) {
			frame->mask = *found;
			taken[found - list->orphans] = 1;
		}
	}
	return 0;
}

static int
match_masks(struct pv_list *list, const struct kiln_unit *unit)
{
	uint8_t *taken = calloc(list->orphan_count + 1, 1);
	uint32_t kept = 0;
	int rc = taken != NULL ? match(list, unit, taken) : -ENOMEM;
	for (uint32_t i = 0; rc == 0 && i < list->orphan_count; i++)
		if (!taken[i])
			list->orphans[kept++] = list->orphans[i];
	list->orphan_count = kept;
	free(taken);
	return rc;
}

static int
take_frame(struct pv_list *list, const struct kiln_unit *unit, const char *name)
{
	char *stem = strdup(unit->kind == KILN_FILE ? unit->stem : name);
	if (stem == NULL)
		return -ENOMEM;
	if (unit->kind != KILN_FILE)
		*strrchr(stem, '.') = '\0';
	list->frames[list->frame_count++] = (struct pv_frame){.name = name, .stem = stem};
	return 0;
}

static int
sort_out(struct pv_list *list, const struct kiln_unit *unit)
{
	list->frames = calloc(unit->input_count + (size_t)1, sizeof *list->frames);
	list->orphans = calloc(unit->input_count + (size_t)1, sizeof *list->orphans);
	if (list->frames == NULL || list->orphans == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < unit->input_count; i++) {
		const char *name = unit->inputs[i]->name;
		if (is_mask(name))
			list->orphans[list->orphan_count++] = name;
		else if ((unit->kind == KILN_FILE || is_picture(name)) &&
			 take_frame(list, unit, name) < 0)
			return -ENOMEM;
	}
	return 0;
}

int
pv_list_make(struct pv_list *list, const struct kiln_unit *unit, int masks,
	struct fmt_err *err)
{
	memset(list, 0, sizeof *list);
	if (sort_out(list, unit) < 0)
		return fmt_err_set(err, -ENOMEM, "no memory for a list of frames");
	if (list->frame_count == 0)
		return fmt_err_set(err, -EBADMSG,
			"expected JPEG, PNG, TIFF or OpenEXR frames, found none%s",
			list->orphan_count > 0 ? " (NAME_mask.png is a mask)" : "");
	qsort(list->frames, list->frame_count, sizeof *list->frames, by_stem);
	qsort(list->orphans, list->orphan_count, sizeof *list->orphans, by_name);
	if (!masks)
		list->orphan_count = 0;
	else if (match_masks(list, unit) < 0)
		return fmt_err_set(err, -ENOMEM, "no memory for a list of masks");
	return refuse_twins(list, err);
}

void
pv_list_free(struct pv_list *list)
{
	for (uint32_t i = 0; i < list->frame_count; i++)
		free((char *)(uintptr_t)list->frames[i].stem);
	free(list->frames);
	free(list->orphans);
}
